"""How far a figure would move with other people: intervals by bootstrap.

In: a figure as a function of the chosen videos, and the people in each video. Out: the 95 % interval of each figure.
Videos of one person are not independent, so whole persons are drawn (Efron and Tibshirani 1993, ch. 8 and 13). A swap
shows two, and depends on each other video of either: it is drawn as often as the one times the other (the pigeonhole
bootstrap: Owen 2007, 'The pigeonhole bootstrap', and Owen and Eckles 2012, 'Bootstrapping data arrays of arbitrary
order'; for pairs out of one population Davezies, D'Haultfoeuille and Guyonvarch 2021, 'Empirical process results for
exchangeable arrays'). That is never too narrow for many people, and where each person is swapped once or twice only it
is too wide, by up to the root of three. With few people percentiles lie too close together; the ends are moved out as
far as Student's t is wider than a normal distribution (the expanded percentile interval of Hesterberg 2015, 'What
Teachers Should Know About the Bootstrap').
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np
from scipy import stats

ROUNDS = 1000
LEVEL = 0.95
JOINT = '+'  # between the people of one video

Figures = Mapping[str, float | None]
Interval = tuple[float, float]


def bootstrap(
  figures: Callable[[np.ndarray], Figures], groups: Sequence[str], rounds: int = ROUNDS, seed: int = 0
) -> dict[str, Interval | None]:
  """Percentile intervals of figures under resampling of people.

  Args:
    figures: from positions of videos, int64 [M], repeats included, to figures; None where one is undefined.
    groups: who is in each video, [N]; several with JOINT between them.
    rounds: how often as many people as there are get drawn, with replacement.
    seed: of the draws.

  Returns:
    (low, high) of every figure that is defined for all videos; None where it is not, or where all videos show the same
    people. Rounds in which it is undefined (no fake was drawn, say), or no video was drawn, do not count.
  """
  everything = np.arange(len(groups))
  whole = figures(everything)
  if len(set(groups)) < 2:
    return dict.fromkeys(whole)
  drawn = [figures(np.repeat(everything, counts)) for counts in draw_counts(groups, rounds, seed) if counts.any()]
  tail = tail_share(count_people(groups))
  return {
    name: None if value is None else interval_of([draw[name] for draw in drawn], tail) for name, value in whole.items()
  }


def join_people(names: Iterable[str]) -> str:
  """The group of a video that shows these people; a JOINT in a name of theirs becomes a space."""
  return JOINT.join(sorted(name.replace(JOINT, ' ') for name in names))


def count_people(groups: Iterable[str]) -> int:
  """How many people are in videos of these groups."""
  return len(_people(groups))


def draw_counts(groups: Sequence[str], rounds: int = ROUNDS, seed: int = 0) -> Iterator[np.ndarray]:
  """How often each video is drawn, int64 [N], in each round; arguments as those of `bootstrap`."""
  people = _people(groups)
  number = {person: i for i, person in enumerate(people)}
  shown = [[number[person] for person in set(group.split(JOINT))] for group in groups]
  widest = max(map(len, shown))
  members = np.array([some + [len(people)] * (widest - len(some)) for some in shown])  # filled up with nobody
  rng = np.random.default_rng(seed)
  for _ in range(rounds):
    drawn = np.bincount(rng.integers(len(people), size=len(people)), minlength=len(people))
    yield np.append(drawn, 1)[members].prod(axis=1)


def _people(groups: Iterable[str]) -> list[str]:
  return sorted({person for group in groups for person in group.split(JOINT)})


def tail_share(n: int) -> float:
  """The share of draws beyond either end, for n people: less than half of 1 - LEVEL."""
  return float(stats.norm.cdf(-((n / (n - 1)) ** 0.5) * stats.t.ppf((1 + LEVEL) / 2, n - 1)))


def interval_of(values: Sequence[float | None], tail: float) -> Interval | None:
  """The ends beyond which this share of the values lies, those that are None left aside."""
  defined = [value for value in values if value is not None]
  if not defined:
    return None
  low, high = np.round(np.quantile(defined, (tail, 1 - tail)), 12) + 0.0  # a difference of nothing is 0, not -1e-17
  return float(low), float(high)


def unseen_rate(people: int) -> float:
  """The rate of errors that so many people without one leave room for: in 5 of 100 cases it spares them all. Where no
  one was an exception the bootstrap has no width, and this has (the rule of three, Hanley and Lippman-Hand 1983)."""
  return 1 - (1 - LEVEL) ** (1 / people)
