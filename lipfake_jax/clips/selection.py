"""Which frames of a track make its clip. Pure NumPy on arrays of one number a frame.

In: activity and time of every frame with the face. Out: positions in these arrays, in time order. Next stage: `clips`
puts the clip together.
"""

import numpy as np

from lipfake_jax.core.clip_spec import BELOW, RULES

# How far an estimate of the activity is trusted before it is measured in full. On 20 real videos the n = 60 most active
# were among the first 1.32 n by estimate in 19, 1.57 n in one; it was wrong by a factor of 2 in 2 frames of 3,130.
CANDIDATES = 1.5
DOUBT = 2.0


def select_frames(activity: np.ndarray, n: int, rule: str, threshold: float = 1.0, below: str = 'fill') -> np.ndarray:
  """Chooses n frames of T.

  Args:
    activity: float [T], pixels per frame; ignored by 'uniform'.
    n: how many frames, >= 1.
    rule: 'uniform' takes frames spaced evenly over all. The others look at the active frames, those with
      activity > threshold: 'top_k' takes the n most active (the paper's text), 'even' n spaced evenly among them (its
      released code). For 'contiguous' see `select_windows`.
    threshold: theta of PAPER section 3.3, pixels per frame.
    below: what happens with fewer than n active frames: 'fill' adds the next most active ones, 'drop' gives up.

  Returns:
    int64 [n], ascending; or empty where the rule can't be met.

  Raises:
    ValueError: an unknown rule.
  """
  if rule not in RULES[:3] or below not in BELOW:
    raise ValueError(f'rule {rule!r}, below {below!r}: known are {RULES[:3]} and {BELOW}')
  if len(activity) < n:
    return np.zeros(0, np.int64)
  if rule == 'uniform':
    return _evenly(len(activity), n)
  active = np.flatnonzero(activity > threshold)
  if len(active) < n and below == 'drop':
    return np.zeros(0, np.int64)
  if rule == 'even' and len(active) >= n:
    return active[_evenly(len(active), n)]
  return np.sort(_most_active(activity, n))


def select_windows(
  times: np.ndarray, segments: np.ndarray, activity: np.ndarray, n: int, rate: float, count: int
) -> list[np.ndarray]:
  """Chooses windows of consecutive moments at a fixed rate, the most active ones first.

  A moment is shown by the frame nearest to it, at most 1 / rate away: a video of fewer frames per second repeats some,
  one of more leaves some out. Windows do not overlap and stay within a segment.

  Args:
    times: float [T], seconds, ascending.
    segments: int [T]; windows do not reach from one to another.
    activity: float [T]; windows are ranked by its mean.
    n: frames in a window.
    rate: moments per second.
    count: windows wanted.

  Returns:
    At most `count` arrays, int64 [n], by falling activity; earlier first where equal.
  """
  candidates = []
  for segment in np.unique(segments):
    members = np.flatnonzero(segments == segment)
    nearest, late = sample_moments(times, members, rate)
    misses, sums = (np.concatenate([[0], np.cumsum(values)]) for values in (late, activity[nearest]))
    for start in np.flatnonzero(misses[n:] == misses[:-n]) if len(nearest) >= n else ():
      moment = times[members[0]] + start / rate
      candidates.append((-(sums[start + n] - sums[start]) / n, moment, nearest[start : start + n]))
  chosen: list[tuple] = []
  for _, start, window in sorted(candidates, key=lambda c: c[:2]):
    if len(chosen) == count:
      break
    if all(abs(start - other) >= n / rate - 1e-6 for other, _ in chosen):
      chosen.append((start, window))
  return [window for _, window in chosen]


def sample_moments(
  times: np.ndarray, members: np.ndarray, rate: float, began_s: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
  """Moments at a fixed rate, from the first of some frames to the last, each shown by the frame nearest to it.

  Args:
    times: float [T], seconds, ascending.
    members: int64 [M], positions in it.
    rate: moments per second.
    began_s: the first moment, if not that of the first frame.

  Returns:
    int64 [N], the position in `times` of each moment's frame; bool [N], whether it is more than 1 / rate away.
  """
  moments = np.arange(times[members[0]] if began_s is None else began_s, times[members[-1]] + 0.5 / rate, 1 / rate)
  nearest = members[_nearest(times[members], moments)]
  return nearest, np.abs(times[nearest] - moments) > 1 / rate + 1e-6


def find_doubtful(estimate: np.ndarray, n: int, rule: str, threshold: float, below: str) -> np.ndarray:
  """bool [T]: the frames whose activity must be known in full for `select_frames` to choose as if it knew all."""
  doubtful = np.zeros(len(estimate), bool)
  if rule in ('top_k', 'even'):
    doubtful[_most_active(estimate, int(np.ceil(CANDIDATES * n)))] = True
  if rule == 'even' or (rule == 'top_k' and below == 'drop'):
    doubtful |= (estimate > threshold / DOUBT) & (estimate <= threshold * DOUBT)
  return doubtful


def _most_active(activity: np.ndarray, n: int) -> np.ndarray:
  # A stable sort: of equally active frames the earliest is taken.
  return np.argsort(-activity, kind='stable')[:n]


def _evenly(total: int, n: int) -> np.ndarray:
  """int64 [n]: positions from first to last of `total`, n <= total, all different."""
  return np.linspace(0, total - 1, n).round().astype(np.int64)


def _nearest(values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
  """int64: for each wanted number the position of the nearest of the ascending values; the earlier of two."""
  after = np.clip(np.searchsorted(values, wanted), 1, max(len(values) - 1, 1))
  if len(values) == 1:
    return np.zeros(len(wanted), np.int64)
  return np.where(wanted - values[after - 1] <= values[after] - wanted, after - 1, after)
