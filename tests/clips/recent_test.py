"""The last records of each track, by their position among those that are left."""

import numpy as np

from lipfake_jax.clips.recent import Recent


def test_what_is_forgotten_moves_the_rest_to_the_front():
  recent = Recent()
  for number in range(5):
    recent.append('a', 0, np.full(2, number, np.uint8))
    recent.append('b', 0, np.array(10.0 * number))
    recent.append('a', 1, np.full(2, 100 + number, np.uint8))
  recent.forget(0, 3)
  assert recent.read('a', 0, np.array([0, 1])).tolist() == [[3, 3], [4, 4]]
  assert recent.read('b', 0).tolist() == [30.0, 40.0]
  assert recent.read('a', 1, np.array([4])).tolist() == [[104, 104]]
  recent.forget(0)
  recent.append('a', 0, np.zeros(2, np.uint8))  # as of a new track
  assert recent.read('a', 0).tolist() == [[0, 0]]
