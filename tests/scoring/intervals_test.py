"""The bootstrap against known sampling distributions, and what it draws."""

import numpy as np
import pytest
from scipy import stats

from lipfake_jax.scoring.intervals import _tail, bootstrap


def mean_of(values):
  return lambda chosen: {'mean': float(values[chosen].mean())}


def test_of_independent_videos_it_is_the_intervals_of_a_mean():
  values = np.random.default_rng(0).normal(size=400)
  low, high = bootstrap(mean_of(values), [str(i) for i in range(400)])['mean']
  half = 1.96 * values.std() / 20
  assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.2 * half)


def test_of_equal_videos_of_a_person_it_is_that_of_the_persons():
  persons = np.random.default_rng(1).normal(size=40)
  alone = bootstrap(mean_of(persons), [str(i) for i in range(40)])['mean']
  repeated = bootstrap(mean_of(np.repeat(persons, 10)), [str(i) for i in np.repeat(range(40), 10)])['mean']
  np.testing.assert_allclose(repeated, alone)  # ten videos of each tell no more than one
  low, high = bootstrap(mean_of(np.repeat(persons, 10)), [str(i) for i in range(400)])['mean']
  assert high - low < 0.4 * (alone[1] - alone[0])  # as if they did: narrower by the root of ten


def test_it_covers_the_truth_as_often_as_it_says_with_few_people():
  """Of eight people; plain percentiles cover it in 180 of these 200 trials, too few."""
  rng, covered = np.random.default_rng(2), 0
  for trial in range(200):
    values = rng.normal(size=8)
    low, high = bootstrap(mean_of(values), list('abcdefgh'), rounds=400, seed=trial)['mean']
    covered += low <= 0 <= high
  assert covered >= stats.binom.ppf(0.02, 200, 0.95)


def test_its_ends_by_hand():
  """With six people Student's t is 2.571 where the normal has 1.96; times the root of 6/5 it is 2.816, beyond which lie
  .0024 on either side."""
  assert _tail(6) == pytest.approx(0.0024, abs=5e-5)
  assert _tail(10_000) == pytest.approx(0.025, abs=1e-4)


def test_whole_people_are_drawn():
  groups = ['a', 'a', 'a', 'b', 'c', 'c']
  draws = []
  bootstrap(lambda chosen: draws.append(np.bincount(chosen, minlength=6)) or {}, groups, rounds=20)
  assert len(draws) == 21
  for counts in draws:
    assert counts[0] == counts[1] == counts[2]
    assert counts[4] == counts[5]
    assert counts[0] + counts[3] + counts[4] == 3
  assert len({tuple(counts) for counts in draws}) > 5


def test_seeded():
  values, groups = np.arange(10.0), [str(i) for i in range(10)]
  assert bootstrap(mean_of(values), groups, seed=3) == bootstrap(mean_of(values), groups, seed=3)
  assert bootstrap(mean_of(values), groups, seed=3) != bootstrap(mean_of(values), groups, seed=4)


def test_what_is_undefined_has_none():
  def figures(chosen):
    return {
      'never': None,
      'without b': None if 1 in chosen else 1.0,
      'always': 1.0,
      'if b': 2.0 if 1 in chosen else None,
    }

  found = bootstrap(figures, ['a', 'b', 'c'])
  assert found == {'never': None, 'without b': None, 'always': (1.0, 1.0), 'if b': (2.0, 2.0)}
  assert bootstrap(mean_of(np.arange(3.0)), ['a', 'a', 'a']) == {'mean': None}
