"""Parts of a clip that are hidden, and what a score of known parts does without each."""

import numpy as np
import pytest

from lipfake_jax.inference.occlusion import (
  FILLS,
  GRID,
  Parts,
  find_mouth,
  mark_highest,
  occlude,
  split_cells,
  split_frames,
  split_landmarks,
)

SIDE = 8 * GRID
CLIP = np.random.default_rng(0).integers(0, 256, (5, SIDE, SIDE, 3), np.uint8)


def flag(count, *hidden):
  return np.isin(np.arange(count), hidden)


@pytest.mark.parametrize('fill', FILLS)
def test_a_hidden_cell_is_filled_and_what_is_far_from_it_stays(fill):
  """The second cell of the third row. Its blur reaches less than a cell further, and a tenth of it to its middle."""
  parts = split_cells(CLIP, 'lips', fill)
  hidden = parts.hide(flag(GRID**2, 2 * GRID + 1))
  plain, filled = (crops[:, 20, 12].astype(float) for crops in (CLIP, FILLS[fill](CLIP)))
  np.testing.assert_allclose(hidden[:, 20, 12], filled + 0.1 * (plain - filled), atol=3)  # of up to 255
  far = np.ones((SIDE, SIDE), bool)
  far[8:32, :24] = False
  np.testing.assert_array_equal(hidden[:, far], CLIP[:, far])
  assert hidden.dtype == np.uint8


def test_nothing_and_everything_hidden():
  parts = split_cells(CLIP, 'lips', 'mean')
  np.testing.assert_array_equal(parts.hide(np.zeros(GRID**2, bool)), CLIP)
  assert np.unique(parts.hide(np.ones(GRID**2, bool)).reshape(-1, 3), axis=0).shape == (1, 3)


def test_the_guess_is_the_mouth():
  """In the lips' crop it is in the middle; in the lower face's at .354 of its height, in row 2 of 6."""
  assert find_mouth('lips') == 0.5
  assert find_mouth('lower_face') == pytest.approx(0.354)
  assert find_mouth('face') == pytest.approx(0.674, abs=1e-3)
  rows, columns = np.divmod(mark_highest(split_cells(CLIP, 'lower_face', 'mean').guess, 2).nonzero()[0], GRID)
  assert (rows.tolist(), columns.tolist()) == ([2, 2], [2, 3])


@pytest.mark.parametrize(
  ('hidden', 'shown'),
  [
    ((), [0, 1, 2, 3, 4]),
    ((2,), [0, 1, 1, 3, 4]),  # of two that are as near, the earlier
    ((0,), [1, 1, 2, 3, 4]),
    ((1, 2), [0, 0, 3, 3, 4]),
    ((0, 1, 2, 3, 4), [2, 2, 2, 2, 2]),
  ],
)
def test_a_hidden_frame_shows_the_nearest_that_is_not(hidden, shown):
  np.testing.assert_array_equal(split_frames(CLIP).hide(flag(5, *hidden)), CLIP[shown])


def test_a_hidden_landmark_stands_still_and_the_guess_is_the_one_that_moves_most():
  lips = np.zeros((4, 3, 2), np.float32)
  lips[:, 1, 0] = [0, 2, 0, 2]
  lips[:, 2, 1] = [0, 4, 0, 4]
  parts = split_landmarks(lips)
  assert np.argmax(parts.guess) == 2
  hidden = parts.hide(flag(3, 2))
  np.testing.assert_array_equal(hidden[:, 2], [[0, 2]] * 4)
  np.testing.assert_array_equal(hidden[:, :2], lips[:, :2])


def test_the_score_falls_by_what_a_part_gives():
  """Logits of a clip of three numbers are its sum and twice its sum: 1.5 times the sum on the mean."""
  parts = Parts(lambda flags: np.where(flags, 0, [4.0, -2.0, 0.0]), np.zeros(3))

  def score(clips):
    return clips.sum(1, keepdims=True) * [1, 2]

  np.testing.assert_allclose(occlude(score, parts), [6, -3, 0])


def test_the_highest_are_marked_the_first_of_equal_ones():
  assert mark_highest(np.array([1.0, 3.0, 1.0, 2.0]), 3).tolist() == [True, True, False, True]
