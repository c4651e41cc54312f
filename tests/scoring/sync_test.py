"""Offsets and confidences of embeddings whose right answer is plain to see."""

import numpy as np
import pytest

from lipfake_jax.scoring.sync import Sync, compare_moments, describe_curve, find_sync, follow_distance, rank_agreement


def moments(count: int, seed: int = 0) -> np.ndarray:
  """Directions that have nothing to do with each other, [count, 64]."""
  drawn = np.random.default_rng(seed).normal(size=(count, 64))
  return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def test_distances_are_those_of_each_look_to_the_sound_at_each_lag():
  looks, sounds = np.eye(3), np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
  before, now, after = compare_moments(looks, sounds, reach=1)
  np.testing.assert_array_equal(before, [np.nan, 1, 0])  # look 1 with sound 0, look 2 with sound 1
  np.testing.assert_array_equal(now, [0, 1, 1])
  np.testing.assert_array_equal(after, [1, 2, np.nan])  # look 0 with sound 1, look 1 with sound 2


@pytest.mark.parametrize('frames', [-5, 0, 5])
def test_the_offset_is_how_much_later_the_sound_comes(frames):
  said = moments(60)
  looks, sounds = said[10:50], said[10 - frames : 50 - frames]  # what is seen at t is heard at t + frames
  sync = find_sync([compare_moments(looks, sounds)], rate=25)
  assert sync.offset_ms == 40 * frames
  assert sync.distance == pytest.approx(0, abs=1e-9)
  assert sync.confidence == pytest.approx(1, abs=0.1)  # other lags are at right angles, but for chance


def test_a_sound_of_something_else_has_little_confidence():
  own, other = (find_sync([compare_moments(moments(40), moments(40, seed))], rate=25).confidence for seed in (0, 1))
  assert other < 0.1 < 0.9 < own


def test_stretches_of_a_face_have_one_offset():
  """Alone, the second one would be out of time by a frame more."""
  one, other = moments(60), moments(20, seed=2)
  sync = find_sync([compare_moments(one[1:], one[:-1], 3), compare_moments(other[2:], other[:-2], 3)], rate=25)
  assert sync.offset_ms == 40


def test_the_distance_over_time_is_that_at_the_offset():
  distances = compare_moments(np.eye(3), np.eye(3)[[2, 0, 2]], reach=1)
  np.testing.assert_array_equal(follow_distance(distances, 40, rate=25), [0, 1, np.nan])


def test_agreement_is_ranked_among_reals():
  assert rank_agreement(0.05, [0.1, 0.2, 0.3]) == 1 / 4
  assert rank_agreement(0.2, [0.1, 0.2, 0.3]) == 3 / 4
  assert rank_agreement(0.9, [0.1, 0.2, 0.3]) == 1


def test_a_curve_is_told_by_three_figures():
  """Least .2, median .8: nearer to the least than to the median is what lies under .5."""
  told = describe_curve(Sync(-80.0, 0.6, 0.2, np.array([0.9, 0.2, 0.4, 0.8, 0.9])))
  assert told == {'doubt': -0.6, 'lateness': 0.08, 'spread': 0.4}
