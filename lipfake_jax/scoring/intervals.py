"""How far a figure would move with other people: intervals by bootstrap.

In: a figure as a function of the chosen videos, and the person of each video. Out: the 95 % interval of each figure.
Videos of one person are not independent, so whole persons are drawn (Efron and Tibshirani 1993, ch. 8 and 13). With few
of them percentiles lie too close together; the ends are moved out as far as Student's t is wider than a normal
distribution (the expanded percentile interval of Hesterberg 2015, 'What Teachers Should Know About the Bootstrap').
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from scipy import stats

ROUNDS = 1000
LEVEL = 0.95

Figures = Mapping[str, float | None]
Interval = tuple[float, float]


def bootstrap(
  figures: Callable[[np.ndarray], Figures], groups: Sequence[str], rounds: int = ROUNDS, seed: int = 0
) -> dict[str, Interval | None]:
  """Percentile intervals of figures under resampling of groups.

  Args:
    figures: from positions of videos, int64 [M], repeats included, to figures; None where one is undefined.
    groups: the person of each video, [N].
    rounds: how often as many groups as there are get drawn, with replacement.
    seed: of the draws.

  Returns:
    (low, high) of every figure that is defined for all videos; None where it is not, or with fewer than two groups.
    Rounds in which it is undefined (no fake was drawn, say) do not count.
  """
  whole = figures(np.arange(len(groups)))
  if len(set(groups)) < 2:
    return dict.fromkeys(whole)
  drawn, tail = [figures(positions) for positions in _draws(groups, rounds, seed)], _tail(len(set(groups)))
  return {
    name: None if value is None else _interval([draw[name] for draw in drawn], tail) for name, value in whole.items()
  }


def _draws(groups: Sequence[str], rounds: int, seed: int) -> Iterator[np.ndarray]:
  _, member_of = np.unique(np.asarray(groups), return_inverse=True)
  members = [np.flatnonzero(member_of == group) for group in range(member_of.max() + 1)]
  rng = np.random.default_rng(seed)
  for _ in range(rounds):
    yield np.concatenate([members[group] for group in rng.integers(len(members), size=len(members))])


def _tail(n: int) -> float:
  """The share of draws beyond either end, for n groups: less than half of 1 - LEVEL."""
  return float(stats.norm.cdf(-((n / (n - 1)) ** 0.5) * stats.t.ppf((1 + LEVEL) / 2, n - 1)))


def _interval(values: Sequence[float | None], tail: float) -> Interval | None:
  defined = [value for value in values if value is not None]
  if not defined:
    return None
  low, high = np.round(np.quantile(defined, (tail, 1 - tail)), 12) + 0.0  # a difference of nothing is 0, not -1e-17
  return float(low), float(high)
