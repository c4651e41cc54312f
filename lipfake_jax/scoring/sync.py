"""How far a sound is out of time with a mouth, and how surely: from the embeddings of moments.

In: embeddings of what is seen and of what is heard, a row a frame, of one or several stretches of a face. Out: a
`Sync`. Rules are those of SyncNet (Chung and Zisserman 2016): each look is held against the sound of moments before and
after it; the lag of the least mean distance is the offset, and how far that lies below the median over all lags is how
much speaks for it.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

REACH = 15  # frames before and after, as in SyncNet: .6 s at 25 frames per second


@dataclasses.dataclass(frozen=True)
class Sync:
  """What is known of a face and the sound beside it.

  Attributes:
    offset_ms: how much later than the mouth the sound comes.
    confidence: median less least of the mean distances over all lags; about 0 where no lag fits better than any other.
    distance: the least of them, 0 (the same direction) to 2.
    curve: float64 [2 R + 1], the mean distance at each lag, from the earliest sound to the latest.
  """

  offset_ms: float
  confidence: float
  distance: float
  curve: np.ndarray


def compare_moments(looks: np.ndarray, sounds: np.ndarray, reach: int = REACH) -> np.ndarray:
  """The distance of each look to the sound at each lag.

  Args:
    looks, sounds: float [P, E] of length 1, of the same P moments in a row.
    reach: R, the largest lag, in moments.

  Returns:
    float64 [2 R + 1, P], 1 less the cosine of look p and sound p + lag; NaN where that lies outside.
  """
  cosines = np.asarray(looks, np.float64) @ np.asarray(sounds, np.float64).T
  moments = np.arange(len(cosines))
  heard = moments + np.arange(-reach, reach + 1)[:, None]
  inside = (heard >= 0) & (heard < len(cosines))
  return np.where(inside, 1 - cosines[moments, np.where(inside, heard, 0)], np.nan)


def find_sync(distances: Sequence[np.ndarray], rate: float) -> Sync:
  """One offset for all stretches of a face.

  Args:
    distances: of `compare_moments`, at least one; each stretch is longer than the reach.
    rate: moments per second.
  """
  curve = np.nanmean(np.concatenate(distances, axis=1), axis=1)
  least = int(np.argmin(curve))
  lag = least - len(curve) // 2
  return Sync(1000 * lag / rate, float(np.median(curve) - curve[least]), float(curve[least]), curve)


def describe_curve(sync: Sync) -> dict[str, float]:
  """What of a distance curve may tell a changed sound from a video's own: of each, more speaks for a change.

  Returns:
    'doubt': minus the confidence. 'lateness': how far the offset is from 0, in seconds. 'spread': the share of lags
    whose distance is nearer to the least than to the median, from 0 to 1: a stretched sound fits a bit at many.
  """
  near = sync.curve < sync.distance + sync.confidence / 2
  return {'doubt': -sync.confidence, 'lateness': abs(sync.offset_ms) / 1000, 'spread': float(near.mean())}


def follow_distance(distances: np.ndarray, offset_ms: float, rate: float) -> np.ndarray:
  """The distance over time at an offset, float64 [P]; NaN where there is no sound for a look."""
  return distances[len(distances) // 2 + round(offset_ms * rate / 1000)]


def rank_agreement(confidence: float, reals: Sequence[float]) -> float:
  """The share of real videos that agree with their sound no better than this, it counted in: 0 to 1, small is unlike.

  Where the video is one more of the same kind, it is at most x with a probability of x (a conformal p-value: Vovk et
  al. 2005). With n reals it is never under 1 / (n + 1).

  Args:
    confidence: of a video.
    reals: of real videos that nothing was trained on.
  """
  return (1 + int((np.asarray(reals) <= confidence).sum())) / (1 + len(reals))
