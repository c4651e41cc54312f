import numpy as np
import pytest

from lipfake_jax.clips.spool import Spool


def test_records_come_back_by_kind_track_and_position():
  """Also those that are appended after others were read."""
  spool = Spool()
  for number in range(3):
    spool.append('crop', 0, np.full((2, 2), number, np.uint8))
    spool.append('lips', 0, np.array([number + 1j], np.complex64))
  spool.append('crop', 7, np.full((2, 2), 70, np.uint8))
  crops = spool.read('crop', 0, np.array([2, 0]))
  assert (crops.dtype, crops.tolist()) == (np.uint8, [[[2, 2], [2, 2]], [[0, 0], [0, 0]]])
  spool.append('crop', 0, np.full((2, 2), 9, np.uint8))
  assert spool.read('crop', 0)[:, 0, 0].tolist() == [0, 1, 2, 9]
  assert spool.read('crop', 7)[:, 0, 0].tolist() == [70]
  assert spool.read('lips', 0, slice(1, None)).tolist() == [[1 + 1j], [2 + 1j]]


def test_records_may_hold_several_things():
  kind = [('square', complex, 2), ('image', np.uint8, (2, 2))]
  spool = Spool()
  spool.append('face', 0, np.array(([1j, 2], [[1, 2], [3, 4]]), kind))
  found = spool.read('face', 0)
  assert found['square'].tolist() == [[1j, 2]]
  assert found['image'].tolist() == [[[1, 2], [3, 4]]]


def test_records_of_a_kind_are_alike():
  spool = Spool()
  spool.append('crop', 0, np.zeros((2, 2), np.uint8))
  for other in (np.zeros((2, 3), np.uint8), np.zeros((2, 2), np.float32)):
    with pytest.raises(ValueError, match="records of 'crop'"):
      spool.append('crop', 0, other)


def test_many_records_wait_on_disk(monkeypatch):
  monkeypatch.setattr('lipfake_jax.clips.spool.MEMORY_BYTES', 10)
  spool = Spool()
  for number in range(9):
    spool.append('crop', 0, np.full(4, number, np.uint8))
  assert spool.read('crop', 0)[:, 0].tolist() == list(range(9))
  spool.close()
