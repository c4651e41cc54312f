"""Stacked detectors: what each counts for, and what is left where one has nothing to say."""

import numpy as np
import pytest

from lipfake_jax.scoring.fusion import choose_set, fit_fusion, fuse, fuse_unseen

RNG = np.random.default_rng(0)
LABELS = np.arange(200) % 2
GROUPS = [f'person {i // 4}' for i in range(200)]
GOOD = 2.0 * (2 * LABELS - 1) + RNG.normal(0, 2, 200)
SILENT = np.where(np.arange(200) < 80, np.nan, 1.5 * (2 * LABELS - 1) + RNG.normal(0, 2, 200))


def separation(p_fake: np.ndarray, labels: np.ndarray) -> float:
  return float((p_fake[labels == 1][:, None] > p_fake[labels == 0]).mean())


def test_two_that_err_apart_are_better_together():
  both = {'pixels': GOOD[80:], 'sound': SILENT[80:]}
  fused = fuse_unseen(both, LABELS[80:], GROUPS[80:])
  alone = [separation(column, LABELS[80:]) for column in both.values()]
  assert separation(fused, LABELS[80:]) > max(alone) + 0.02


def test_where_one_abstains_the_other_counts_alone():
  """As if there were no more: the same as a fusion of one, fitted to all videos that it speaks of."""
  fusion = fit_fusion({'pixels': GOOD, 'sound': SILENT}, LABELS, GROUPS)
  alone = fit_fusion({'pixels': GOOD}, LABELS, GROUPS)
  fused = fuse(fusion, {'pixels': GOOD, 'sound': np.full(200, np.nan)})
  np.testing.assert_array_equal(fused, fuse(alone, {'pixels': GOOD}))


def test_where_all_abstain_there_is_no_score():
  fusion = fit_fusion({'pixels': GOOD, 'sound': SILENT}, LABELS, GROUPS)
  nothing = np.full(2, np.nan)
  assert np.isnan(fuse(fusion, {'pixels': nothing, 'sound': nothing})).all()


def test_no_detector_is_turned_round():
  fusion = fit_fusion({'pixels': GOOD, 'wrong': -GOOD}, LABELS, GROUPS)
  assert fusion.sets['wrong',].weights == (0,)
  assert fusion.sets['pixels', 'wrong'].weights[1] == 0


def test_a_set_needs_a_person_of_either_class_for_each_of_its_parameters():
  """Two detectors and a bias: three. Both speak of three fakes here, of persons 6, 7 and 8, and of two reals."""
  labels, people = np.arange(9) >= 5, [f'person {i}' for i in range(9)]
  rare = np.where((np.arange(9) >= 3) & (np.arange(9) != 5), 1.0, np.nan)
  logits = {'pixels': 2.0 * labels - 1, 'rare': rare}
  fusion = fit_fusion(logits, labels, people)
  assert set(fusion.sets) == {('pixels',), ('rare',)}
  assert choose_set(fusion, ['pixels', 'rare']) == ('pixels',)
  np.testing.assert_array_equal(fuse(fusion, logits), fuse(fusion, {**logits, 'rare': np.full(9, np.nan)}))
  assert set(fit_fusion({**logits, 'rare': np.where(np.arange(9) >= 2, 1.0, np.nan)}, labels, people).sets) == {
    ('pixels',),
    ('rare',),
    ('pixels', 'rare'),
  }


def test_each_person_weighs_the_same():
  """A person with 100 videos is fitted to like one with a single one."""
  logits, labels, people = np.array([-1.0, -1.0, 1.0, 1.0]), np.array([0, 0, 1, 1]), ['ann', 'bob', 'cleo', 'dan']
  once = fit_fusion({'a': logits}, labels, people)
  often = fit_fusion({'a': np.append([-1.0] * 99, logits)}, np.append([0] * 99, labels), ['ann'] * 99 + people)
  assert often.sets['a',].bias == pytest.approx(once.sets['a',].bias, abs=1e-4)  # of an optimizer that stops there
  assert often.sets['a',].weights == pytest.approx(once.sets['a',].weights, abs=1e-4)
