"""What is kept of every frame of a face until its clips are cut: records in a file, in memory while it is small.

  spool = Spool()
  spool.append('crop', track=0, record=crop)  # uint8 [64, 64, 3]
  spool.read('crop', track=0, positions=np.array([0]))  # uint8 [1, 64, 64, 3]

In: `analysis` appends while a video passes. Out: `clips` reads the records of the frames that it chose.
"""

import array
import os
import tempfile
from typing import Protocol

import numpy as np

MEMORY_BYTES = 32 << 20  # of one video's records; the rest waits on disk


class Records(Protocol):
  """Where records are kept: in a `Spool`, or the last ones alone, in a `recent.Recent`."""

  def append(self, kind: str, track: int, record: np.ndarray) -> None: ...

  def read(self, kind: str, track: int, positions: np.ndarray | slice = ...) -> np.ndarray: ...

  def close(self) -> None: ...


class Spool:
  """Records of several kinds, by their track and by the order in which they were appended to it."""

  def __init__(self):
    self._file = tempfile.SpooledTemporaryFile(MEMORY_BYTES)  # noqa: SIM115 - closed by `close`
    self._types: dict[str, np.dtype] = {}  # of a record of each kind, shape included
    self._starts: dict[tuple[str, int], array.array] = {}  # bytes at which a track's records begin

  def append(self, kind: str, track: int, record: np.ndarray) -> None:
    """Adds the next record of a track; all records of a kind have the type and the shape of its first.

    Raises:
      ValueError: a record of another type or shape.
    """
    found = np.dtype((record.dtype, record.shape))
    known = self._types.setdefault(kind, found)
    if found != known:
      raise ValueError(f'records of {kind!r} are {known}, not {found}')
    self._file.seek(0, os.SEEK_END)
    self._starts.setdefault((kind, track), array.array('q')).append(self._file.tell())
    self._file.write(record.tobytes())

  def read(self, kind: str, track: int, positions: np.ndarray | slice = slice(None)) -> np.ndarray:
    """The records at positions, int64 [N], of those that a track has of a kind; all by default: [N, ...]."""
    known, data = self._types[kind], bytearray()
    for start in np.array(self._starts[kind, track], np.int64)[positions].tolist():
      self._file.seek(start)
      data += self._file.read(known.itemsize)
    return np.frombuffer(data, known)

  def close(self) -> None:
    """Gives its room back."""
    self._file.close()
