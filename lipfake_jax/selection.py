"""Which frames of a video make its clip. Pure NumPy on arrays of one number a frame.

In: activity and usability of every frame. Out: frame positions in time order. Next stage: `clips` puts them together.
"""

import numpy as np

RULES = ('uniform', 'top_k', 'even')
BELOW = ('fill', 'drop')


def select_frames(
  usable: np.ndarray, activity: np.ndarray, n: int, rule: str, threshold: float = 1.0, below: str = 'fill'
) -> np.ndarray:
  """Chooses n frames of a video.

  Args:
    usable: bool [T], the frames that may be chosen (a face was found).
    activity: float32 [T], pixels per frame; ignored by 'uniform'.
    n: how many frames, >= 1.
    rule: 'uniform' takes frames spaced evenly over the usable ones. The others look at the active frames, those
      with activity > threshold: 'top_k' takes the n most active (the paper's text), 'even' n spaced evenly among
      them (its released code).
    threshold: theta of PAPER section 3.3, pixels per frame.
    below: what happens with fewer than n active frames: 'fill' adds the next most active ones, 'drop' gives up.

  Returns:
    int64 [n], ascending; or empty where the rule can't be met.

  Raises:
    ValueError: an unknown rule.
  """
  if rule not in RULES or below not in BELOW:
    raise ValueError(f'rule {rule!r}, below {below!r}: known are {RULES} and {BELOW}')
  candidates = np.flatnonzero(usable)
  if len(candidates) < n:
    return np.zeros(0, np.int64)
  if rule == 'uniform':
    return candidates[_evenly(len(candidates), n)]
  active = candidates[activity[candidates] > threshold]
  if len(active) < n and below == 'drop':
    return np.zeros(0, np.int64)
  if rule == 'even' and len(active) >= n:
    return active[_evenly(len(active), n)]
  # A stable sort: of equally active frames the earliest is taken.
  most_active = candidates[np.argsort(-activity[candidates], kind='stable')[:n]]
  return np.sort(most_active)


def _evenly(total: int, n: int) -> np.ndarray:
  """int64 [n]: positions from first to last of `total`, n <= total, all different."""
  return np.linspace(0, total - 1, n).round().astype(np.int64)
