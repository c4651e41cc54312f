"""What was seen of one face of a video: a number or two of each frame that shows it.

In: `analysis` makes one of each face while a video passes. Out: `clips` chooses a track and its frames.
"""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Track:
  """One face in the T frames that show it.

  Attributes:
    number: of the face in its video.
    indices, times, segments: int64 [T], float64 [T], int64 [T] of these frames.
    activity: float64 [T], pixels per frame; an estimate where `measured` is False.
    measured: bool [T].
    lips_activity: float64 [T], estimated on the lips, for figures on the video.
    placements: complex128 [T, 2], of the crop.
    mouth_widths: float64 [T], pixels of the frame.
    flow_sides: float64 [T], side in pixels of the frame of the square that the activity is measured on.
    looks: at its mouth, a few a second, float32 [L, 3], see `evidence.Look`.
  """

  number: int
  indices: np.ndarray
  times: np.ndarray
  segments: np.ndarray
  activity: np.ndarray
  measured: np.ndarray
  lips_activity: np.ndarray
  placements: np.ndarray
  mouth_widths: np.ndarray
  flow_sides: np.ndarray
  looks: np.ndarray

  def __len__(self) -> int:
    return len(self.indices)

  @property
  def follows(self) -> np.ndarray:
    """bool [T]: whether each frame is the video's next after the one before it, in one segment."""
    adjoin = (np.diff(self.segments) == 0) & (np.diff(self.indices) == 1)
    return np.concatenate([[False], adjoin])

  @property
  def rate(self) -> float:
    """Frames per second, by the median time from one to the next; infinite of a single frame."""
    steps = np.diff(self.times)
    return 1 / max(float(np.median(steps)), 1e-9) if len(steps) else float('inf')
