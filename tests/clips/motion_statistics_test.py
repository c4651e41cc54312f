"""Shares of block types and vectors, by hand."""

import numpy as np

from lipfake_jax.clips.motion_statistics import INTRA, PREDICTED, SKIPPED, Motion, holds, shares, summarise

LIPS = np.array([8 + 8j, 8])  # the first of 2 x 2 macroblocks


def frame(kinds, *vectors):
  """Vectors: the middle of a part, its move, its area."""
  centres, moves, areas = np.array(vectors).T if vectors else np.zeros((3, 0))
  return Motion(np.array(kinds, np.uint8), centres, moves, np.real(areas))


def test_shares_of_a_region():
  kinds = np.array([INTRA, PREDICTED, PREDICTED, SKIPPED])
  moves, areas = np.array([0, 0.5, 3j, -1 - 1j]), np.array([256, 64, 128, 64])
  found = shares(kinds, moves, areas)
  np.testing.assert_allclose(found[:3], [0.25, 0.5, 0.25])
  np.testing.assert_allclose(found[3:9], [0.5, 0.125, 0, 0.125, 0.25, 0])  # lengths 0, .5, 1.41 and 3; of 512 pixels
  # Of the 256 pixels that move: to the right, downwards (y goes down), to the upper left.
  np.testing.assert_allclose(found[9:], [0.25, 0, 0.5, 0, 0, 0.25, 0, 0])


def test_long_vectors_have_no_upper_end():
  found = shares(np.array([PREDICTED]), np.array([4, 4.25, 1000]), np.array([1, 1, 2]))
  np.testing.assert_allclose(found[3:9], [0, 0, 0, 0, 0.25, 0.75])


def test_of_nothing_all_shares_are_zero():
  assert (shares(np.zeros(0, int), np.zeros(0, complex), np.zeros(0)) == 0).all()
  assert summarise([], np.zeros((0, 2)), 16).tolist() == [0] * 68


def test_mean_and_deviation_over_time_of_image_and_lips():
  """Of 2 x 2 macroblocks the first is the lips': intra in one frame, and skipped in the next."""
  moved = frame([[INTRA, SKIPPED], [SKIPPED, SKIPPED]], (24 + 8j, 2, 256), (8 + 24j, 0, 256), (24 + 24j, 0, 256))
  still = frame([[SKIPPED, SKIPPED], [SKIPPED, SKIPPED]], *((x + 1j * y, 0, 256) for y in (8, 24) for x in (8, 24)))
  means, deviations = summarise([moved, still], np.array([LIPS, LIPS]), 16).reshape(2, 2, 17)
  np.testing.assert_allclose(means[0, :3], [1 / 8, 0, 7 / 8])
  np.testing.assert_allclose(deviations[0, :3], [1 / 8, 0, 1 / 8])
  np.testing.assert_allclose(means[0, 3:9], [(2 / 3 + 1) / 2, 0, 0, 1 / 6, 0, 0])
  np.testing.assert_allclose(means[0, 9:], [1 / 2, 0, 0, 0, 0, 0, 0, 0])
  np.testing.assert_allclose(means[1, :4], [1 / 2, 0, 1 / 2, 1 / 2])  # its one vector is that of the second frame
  np.testing.assert_allclose(deviations[1, :4], [1 / 2, 0, 1 / 2, 1 / 2])


def test_a_turned_square_holds_what_lies_in_it():
  """Turned by 45 degrees about (10, 10), its corners 10 away from there to the right, left, top and bottom."""
  square = np.array([10 + 10j, 5 + 5j])
  assert holds(square, np.array([19 + 10j, 10 + 1j, 14 + 14j, 17 + 17j, 21 + 10j])).tolist() == [True] * 3 + [False] * 2
