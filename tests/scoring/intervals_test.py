"""The bootstrap against known sampling distributions, and what it draws."""

import numpy as np
import pytest
from scipy import stats

from lipfake_jax.scoring.intervals import bootstrap, count_people, draw_counts, join_people, tail_share


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
  assert tail_share(6) == pytest.approx(0.0024, abs=5e-5)
  assert tail_share(10_000) == pytest.approx(0.025, abs=1e-4)


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


def test_a_swap_is_drawn_as_often_as_one_person_times_the_other():
  alone_a, alone_b, swap, both = np.stack(list(draw_counts(['a', 'b', 'a+b', 'b+c'], rounds=300))).T
  np.testing.assert_array_equal(swap, alone_a * alone_b)
  np.testing.assert_array_equal(both, alone_b * (3 - alone_a - alone_b))
  assert swap.max() == 2  # of three draws one person twice and the other once


def test_a_swap_of_people_who_are_not_drawn_together_is_in_no_round():
  rounds = [len(chosen) for chosen in drawn_positions(['a+b', 'c+d', 'a+b'])]
  assert 0 not in rounds  # a round without any video is none
  assert max(rounds) > 3


def drawn_positions(groups):
  draws = []
  bootstrap(lambda chosen: draws.append(chosen) or {}, groups, rounds=200)
  return draws


def test_people_are_counted_in_all_videos_and_names_hold_no_joint():
  assert count_people(['a', 'a+b', 'b+c', 'c+a']) == 3
  assert join_people(['set/b', 'set/1+1.mp4']) == 'set/1 1.mp4+set/b'


def cover(people, swaps, takes, clusters, trials, spread):
  """How often the interval of a difference of means covers its true value, 1.

  Every person has `takes` reals; `swaps` ordered pairs have a fake each. Persons, pairs and videos differ by `spread`.
  """
  of_head, of_face, of_pair, of_video = spread
  pairs = [(a, b) for a in range(people) for b in range(people) if a != b]
  covered = 0
  for trial in range(trials):
    rng = np.random.default_rng(trial)
    heads, faces = rng.normal(0, of_head, people), rng.normal(0, of_face, people)
    chosen = [pairs[i] for i in rng.choice(len(pairs), swaps, replace=False)]
    reals = np.repeat(heads, takes)
    fakes = np.array([1 + heads[a] + faces[b] for a, b in chosen]) + rng.normal(0, of_pair, swaps)
    scores = np.append(reals, fakes) + rng.normal(0, of_video, len(reals) + swaps)
    n_reals = len(reals)

    def difference(positions, scores=scores, n_reals=n_reals):
      fake, real = scores[positions[positions >= n_reals]], scores[positions[positions < n_reals]]
      return {'difference': float(fake.mean() - real.mean()) if len(fake) and len(real) else None}

    groups = [f'{a}' for a in range(people) for _ in range(takes)]
    groups += [f'{a}+{b}' if clusters == 'both' else f'{a}' for a, b in chosen]
    low, high = bootstrap(difference, groups, rounds=300, seed=trial)['difference']
    covered += low <= 1 <= high
  return covered / trials


# Of 150 trials at 95 %, 99.9 % have between .887 and 1.
@pytest.mark.slow
@pytest.mark.parametrize(
  ('people', 'swaps', 'spread'),
  [(9, 60, (0.7, 0.7, 0.3, 0.7)), (30, 250, (0.5, 1.0, 0.3, 0.7)), (30, 250, (0.0, 1.0, 0.0, 0.7))],
)
def test_intervals_of_swaps_cover_the_truth_as_often_as_they_say(people, swaps, spread):
  """Drawn by the head alone they are too narrow: a face that was put in fails in all its videos."""
  assert 0.89 <= cover(people, swaps, 3, 'both', 150, spread) <= 0.995
  assert cover(people, swaps, 3, 'head', 150, spread) < 0.8


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
