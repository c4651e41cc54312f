"""What a score does when a part of the clip is hidden: exact, for any model (Zeiler and Fergus 2014, sec. 2.1).

In: a clip of pixels or of landmarks. Out: `Parts` that can be hidden, and by how much the score falls without each.
Next stages: `explain` shows it, `evaluation.faithfulness` tests it.
"""

import dataclasses
from collections.abc import Callable

import cv2
import numpy as np

from lipfake_jax.clips.regions import ALIGNED_DEPTH, ALIGNED_SIDE, MOUTH_DEPTH
from lipfake_jax.inference.run import score_arrays

GRID = 6  # cells a side of the crop
AT_ONCE = 16  # variants of a clip that are scored together
SOFT = 0.25  # of a cell's side: the blur of its rim, since a sharp one would look like a pasted patch
SMOOTH = 0.08  # of the crop's side: standard deviation of the 'blur' fill

Score = Callable[[np.ndarray], np.ndarray]  # clips [B, ...] -> float32 logits [B] or [B, M]


@dataclasses.dataclass(frozen=True)
class Parts:
  """A clip in N parts.

  Attributes:
    hide: from which of them are hidden, bool [N], to the clip without those.
    guess: float [N], high where one would point without the model: a control.
  """

  hide: Callable[[np.ndarray], np.ndarray]
  guess: np.ndarray

  def __len__(self) -> int:
    return len(self.guess)


def mean_logits(score: Score, clips: list[np.ndarray]) -> np.ndarray:
  """The logit of each clip, float64 [N]: the mean of its scores where it has several."""
  return score_arrays(score, clips, AT_ONCE).reshape(len(clips), -1).mean(1, dtype=np.float64)


def occlude(score: Score, parts: Parts) -> np.ndarray:
  """By how much the logit falls when one part is hidden, of each: float64 [N]. Positive speaks for a fake."""
  flags = np.concatenate([np.zeros((1, len(parts)), bool), np.eye(len(parts), dtype=bool)])
  whole, *without = mean_logits(score, [parts.hide(row) for row in flags])
  return whole - np.array(without)


def mark_highest(values: np.ndarray, count: int) -> np.ndarray:
  """bool [N]: the parts of the highest values; of equal ones the first."""
  flags = np.zeros(len(values), bool)
  flags[np.argsort(-values, kind='stable')[:count]] = True
  return flags


def split_cells(clip: np.ndarray, region: str, fill: str) -> Parts:
  """Crops, uint8 [T, S, S, C], in GRID x GRID cells by rows, each the same in all frames.

  Args:
    clip: the crops.
    region: what they show; the guess is the mouth.
    fill: one of FILLS.
  """
  plain, filled = clip.astype(np.float32), FILLS[fill](clip)

  def hide(flags: np.ndarray) -> np.ndarray:
    mask = _soften(flags, clip.shape[1])[None, ..., None]
    return np.rint(plain + mask * (filled - plain)).astype(np.uint8)

  centres = (np.arange(GRID) + 0.5) / GRID
  x, y = centres - 0.5, centres - find_mouth(region)
  return Parts(hide, -np.hypot(*np.meshgrid(x, y)).ravel())


def find_mouth(region: str) -> float:
  """How far down the crop of a region its mouth is, as a share of the side; it is in the middle from left to right."""
  return 0.5 + (MOUTH_DEPTH - ALIGNED_DEPTH[region]) / ALIGNED_SIDE[region] if region != 'lips' else 0.5


def split_frames(clip: np.ndarray) -> Parts:
  """A clip [T, ...] in its frames; a hidden one shows the nearest that is not, the earlier of two.

  With all of them hidden the middle one stands still. The guess is the middle.
  """
  moments = np.arange(len(clip))

  def hide(flags: np.ndarray) -> np.ndarray:
    kept = moments[~flags] if not flags.all() else moments[len(clip) // 2 :][:1]
    return clip[kept[np.abs(kept - moments[:, None]).argmin(1)]]

  return Parts(hide, -np.abs(moments - len(clip) // 2).astype(float))


def split_landmarks(lips: np.ndarray) -> Parts:
  """Landmarks, float32 [T, K, 2]; a hidden one stands still at its mean. The guess is how far each moves."""
  mean = lips.mean(0, keepdims=True)
  return Parts(lambda flags: np.where(flags[None, :, None], mean, lips), (lips - mean).std(0).sum(-1))


def _soften(flags: np.ndarray, side: int) -> np.ndarray:
  """bool [G * G] -> float32 [S, S], 1 where a cell is hidden, with soft rims."""
  cells = flags.reshape(GRID, GRID).astype(np.float32)
  mask = cv2.resize(cells, (side, side), interpolation=cv2.INTER_NEAREST)
  return cv2.GaussianBlur(mask, (0, 0), SOFT * side / GRID, borderType=cv2.BORDER_REPLICATE)


def _blur(clip: np.ndarray) -> np.ndarray:
  """Each crop without its detail."""
  return np.stack([cv2.GaussianBlur(crop, (0, 0), SMOOTH * len(crop)) for crop in clip]).astype(np.float32)


def _mean(clip: np.ndarray) -> np.ndarray:
  """The clip's mean colour."""
  return np.broadcast_to(clip.mean((0, 1, 2), dtype=np.float32), clip.shape)


FILLS = {'blur': _blur, 'mean': _mean}
