"""Squares in frames, as two complex numbers."""

import numpy as np

from lipfake_jax.placement import move_into


def test_a_placement_is_seen_from_a_turned_square():
  """A square of side 20 about (50, 50) whose right side points down: what is 5 below its middle lies 5 to the right."""
  square = np.array([50 + 50j, 10j])
  np.testing.assert_allclose(move_into(np.array([50 + 55j, 5j]), square, 40), [30 + 20j, 10])
  np.testing.assert_allclose(move_into(square, square, 40), [20 + 20j, 20])
