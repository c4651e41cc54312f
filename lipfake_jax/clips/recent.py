"""The last records of each face of a stream, in memory: a `Spool` that forgets.

  recent = Recent()
  recent.append('crop', track=0, record=crop)
  recent.forget(track=0, count=1)  # of those that are left, the first has position 0

In: `analysis` appends while frames pass. Out: `stream` reads the records of a window, and forgets those before it.
"""

import collections
import itertools

import numpy as np


class Recent:
  """Records of several kinds, by their track and by the order in which they were appended to it."""

  def __init__(self):
    self._kept: dict[int, dict[str, collections.deque[np.ndarray]]] = {}

  def append(self, kind: str, track: int, record: np.ndarray) -> None:
    """Adds the next record of a track."""
    self._kept.setdefault(track, {}).setdefault(kind, collections.deque()).append(record)

  def read(self, kind: str, track: int, positions: np.ndarray | slice = slice(None)) -> np.ndarray:
    """The records at positions, int64 [N], of those that are left of a kind; all by default: [N, ...]."""
    kept = self._kept[track][kind]
    return np.stack([kept[position] for position in np.arange(len(kept))[positions].tolist()])

  def forget(self, track: int, count: int | None = None) -> None:
    """Drops the first records of each kind of a track; all by default."""
    if count is None:
      del self._kept[track]
      return
    for records in self._kept[track].values():
      for _ in itertools.repeat(None, count):
        records.popleft()

  def close(self) -> None:
    """Gives its room back."""
    self._kept.clear()
