"""The faces found in a video, on disk: what takes longest to find, and does not depend on crops and rules.

One record a face and key frame, in the order of the video; a key frame without a face has a record with segment -1.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from lipfake_jax.clips.landmarks import N_LANDMARKS
from lipfake_jax.clips.tracks import FrameFaces, KeyFace
from lipfake_jax.clips.whole_file import write_whole

NOBODY = -1
RECORD = np.dtype(
  [('frame', '<i4'), ('segment', '<i4'), ('track', '<i4'), ('fixed', '<i2', (N_LANDMARKS, 2))]
)  # 1,884 bytes


def record(seen: Iterable[FrameFaces], path: Path) -> Iterator[FrameFaces]:
  """Passes frames through and writes the faces in them; the file appears when the last frame has passed."""
  with write_whole(path) as file:
    for frame, faces in seen:
      for row in _rows(frame.index, faces):
        file.write(row.tobytes())
      yield frame, faces


def read(path: Path) -> dict[int, list[KeyFace]]:
  """The faces of each key frame, by the frame's index; their landmarks stay on disk until they are used."""
  if not path.stat().st_size:
    return {}
  rows = np.memmap(path, RECORD, mode='r')
  found: dict[int, list[KeyFace]] = {}
  for frame, segment, track, fixed in zip(
    rows['frame'].tolist(), rows['segment'].tolist(), rows['track'].tolist(), rows['fixed'], strict=True
  ):
    faces = found.setdefault(frame, [])
    if segment != NOBODY:
      faces.append(KeyFace(segment, track, fixed))
  return found


def _rows(index: int, faces: list[KeyFace] | None) -> Iterator[np.ndarray]:
  if faces is None:
    return
  nobody = KeyFace(NOBODY, NOBODY, np.zeros((N_LANDMARKS, 2), np.int16))
  for face in faces or [nobody]:
    yield np.array((index, face.segment, face.track, face.fixed), RECORD)
