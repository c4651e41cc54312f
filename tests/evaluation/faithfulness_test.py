"""Curves of a score whose parts are known, shuffled weights, and the pointing game."""

import numpy as np
import pytest

from lipfake_jax.evaluation.faithfulness import correlate, point, shuffle_weights, trace_curves
from lipfake_jax.inference.occlusion import Parts

VALUES = np.array([8.0, 4.0, 2.0, 1.0, 0.0, -1.0, -2.0, -4.0])  # what each of eight parts adds to the logit: 8 in all


def test_areas_of_a_sum():
  """Hidden after 0, 1, 2, 4 and 8 parts in their order: 8, 0, -4, -7, 0; shown: 0, 8, 12, 15, 8.

  Trapezoids of widths 1/8, 1/8, 1/4, 1/2: (4 - 2) / 8 + (-5.5) / 4 + (-3.5) / 2 = -2.875, and
  (4 + 10) / 8 + 13.5 / 4 + 11.5 / 2 = 10.875. The other way round the parts are -4, -2, -1, 0, ...:
  hidden 8, 12, 14, 15, 0: (10 + 13) / 8 + 14.5 / 4 + 7.5 / 2 = 10.25.
  """
  parts = Parts(lambda flags: np.where(flags, 0, VALUES), np.zeros(8))
  areas = trace_curves(lambda clips: clips.sum(1), parts, {'true': VALUES, 'reversed': -VALUES})
  assert areas['true'] == pytest.approx((-2.875, 10.875))
  assert areas['reversed'][0] == pytest.approx(10.25)


def test_shuffled_weights_are_the_same_numbers_elsewhere():
  weights = {'params': {'a': np.arange(12.0).reshape(3, 4), 'b': np.arange(5.0)}}
  shuffled = shuffle_weights(weights, seed=0)['params']
  for name, leaf in weights['params'].items():
    assert shuffled[name].shape == leaf.shape
    assert (shuffled[name] != leaf).any()
    np.testing.assert_array_equal(np.sort(shuffled[name], axis=None), np.sort(leaf, axis=None))


def test_ranks_correlate():
  assert correlate(np.array([1.0, 2.0, 9.0]), np.array([0.0, 1.0, 2.0])) == 1
  assert correlate(np.array([1.0, 2.0, 9.0]), np.array([2.0, 1.0, 0.0])) == -1
  assert correlate(np.ones(3), np.array([2.0, 1.0, 0.0])) == 0


def test_a_hit_is_the_highest_part_on_a_faked_one():
  truth = np.array([False, True, False])
  assert (point(np.array([0.0, 2.0, 1.0]), truth), point(np.array([3.0, 2.0, 1.0]), truth)) == (1, 0)
