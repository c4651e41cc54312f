"""Do lips close when a sound is heard that no mouth makes without closing? After Agarwal et al. 2020.

In: when such sounds are heard, and how far lips are open in frames about them. Out: by how much the sound is late, and
at that offset the opening at each sound, the share of closed ones, and what other times of the same video would give.
Constants are those of real videos of the training and validation parts, see docs/sound.md.

The offset comes first, since a sound track that is shifted as a whole is no fake, and would look like one.
"""

import dataclasses
from collections.abc import Callable

import numpy as np

CLOSED = 0.03  # opening of the inner edges, in widths of the mouth, below which lips are closed
OPEN = 0.2  # likewise, above which it does not matter how far
NEAR_S = 0.04  # before and after a moment, within which lips may close: a frame's time
STEP_S = 0.01  # of moments, and of the offsets that are tried
LAGS_S = STEP_S * np.arange(-40, 41)
SEEN_S = 0.2  # of them, within which an event needs frames; those beyond are judged by the events that have some
LEAD_S = 0.02  # by how much a mouth closes before the middle of the phone that a recogniser hears, the median of reals
APART_S = 0.1  # from an event to the times that are no event's
LEAST = 5  # events, below which a share says nothing
ROUNDS, LEVEL = 1000, 0.95
Z = 1.96  # of a normal distribution, for LEVEL

Interval = tuple[float, float]


@dataclasses.dataclass(frozen=True)
class Closures:
  """Of the E sounds that want closed lips.

  Attributes:
    offset_s: by how much the sound comes later than the mouth.
    offset_interval_s: of 95 %, by resampling of the events.
    heard_s, lips_s: float64 [E], when each is heard, and when lips are asked to be closed.
    openings: float64 [E], the least within NEAR_S of that.
    share: of closed ones.
    share_interval: of 95 % (Wilson 1927).
    elsewhere: the mean share at other times of the same video.
    chance: how often as many other times, drawn at random, show as many closed lips at the lag that suits them best;
      from 0 to 1.
  """

  offset_s: float
  offset_interval_s: Interval
  heard_s: np.ndarray
  lips_s: np.ndarray
  openings: np.ndarray
  share: float
  share_interval: Interval
  elsewhere: float
  chance: float


def measure_closures(
  heard_s: np.ndarray, times: np.ndarray, openings: np.ndarray, rounds: int = ROUNDS, seed: int = 0
) -> Closures:
  """Compares what is heard and seen.

  Args:
    heard_s: float [E], the middles of the sounds, at least one; each is seen, see `find_seen`.
    times, openings: float [L], of frames about them.
    rounds: of resampling, for the interval of the offset and for `chance`.
    seed: of them.
  """
  least = _trace_least(times, openings)
  at_lags = least(_at_lags(heard_s))
  rng = np.random.default_rng(seed)
  drawn = rng.multinomial(len(heard_s), np.full(len(heard_s), 1 / len(heard_s)), rounds)
  offset_s, *offsets = _find_offsets(at_lags, np.concatenate([np.ones((1, len(heard_s))), drawn]))
  lips_s = heard_s - LEAD_S - offset_s
  heard_s, lips_s = (moments[np.isfinite(least(lips_s))] for moments in (heard_s, lips_s))
  closed = least(lips_s) < CLOSED
  others = _draw_elsewhere(least, lips_s, times, rounds, rng)
  as_closed = sum(_close_at_best(least, moments) >= closed.mean() for moments in others)
  return Closures(
    offset_s=offset_s,
    offset_interval_s=_interval(offsets),
    heard_s=heard_s,
    lips_s=lips_s,
    openings=least(lips_s),
    share=float(closed.mean()),
    share_interval=wilson(int(closed.sum()), len(closed)),
    elsewhere=float((least(others) < CLOSED).mean()),
    chance=(1 + as_closed) / (1 + rounds),
  )


def find_seen(heard_s: np.ndarray, times: np.ndarray) -> np.ndarray:
  """bool [E]: which events have a frame near at every lag up to SEEN_S; float [E] and float [L], in seconds."""
  if not len(times):
    return np.zeros(len(heard_s), bool)
  least = _trace_least(times, np.zeros(len(times)))
  return np.isfinite(least(_at_lags(heard_s)[:, np.abs(LAGS_S) <= SEEN_S])).all(axis=1)


def find_least(moments: np.ndarray, times: np.ndarray, openings: np.ndarray) -> np.ndarray:
  """The least opening of the frames within NEAR_S of each moment, float64 [...]; infinite where there is none."""
  return _trace_least(times, openings)(moments)


def wilson(hits: int, count: int) -> Interval:
  """The interval of 95 % of a share (Wilson 1927, 'Probable inference')."""
  share, spread = hits / count, Z**2 / count
  middle, half = share + spread / 2, Z * np.sqrt(share * (1 - share) / count + spread / (4 * count))
  return float(max((middle - half) / (1 + spread), 0)), float(min((middle + half) / (1 + spread), 1))


def _trace_least(times: np.ndarray, openings: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
  """From moments, float [...], to the least opening of the frames within NEAR_S, infinite where there is none."""
  begins_s = times.min() - NEAR_S
  trace = np.full(int((np.ptp(times) + 2 * NEAR_S) / STEP_S) + 2, np.inf)
  for time_s, opening in zip(times - begins_s, openings, strict=True):
    near = slice(round((time_s - NEAR_S) / STEP_S), round((time_s + NEAR_S) / STEP_S) + 1)
    trace[near] = np.minimum(trace[near], opening)
  trace[-1] = np.inf  # of all moments beyond

  def read(moments: np.ndarray) -> np.ndarray:
    places = np.round((moments - begins_s) / STEP_S).astype(int)
    return trace[np.where((places < 0) | (places >= len(trace)), len(trace) - 1, places)]

  return read


def _at_lags(heard_s: np.ndarray) -> np.ndarray:
  """float64 [E, lags]: when lips would close, in seconds."""
  return heard_s[:, None] - LEAD_S - LAGS_S


def _find_offsets(openings: np.ndarray, counts: np.ndarray) -> list[float]:
  """The lags of the least mean opening, the middle of several; of events [E, lags], each counted so often, [R, E]."""
  known = np.isfinite(openings)
  sums = counts @ np.where(known, np.minimum(openings, OPEN), 0)
  events = counts @ known
  means = np.where(events, sums / np.maximum(events, 1), OPEN)
  best = means <= means.min(axis=1, keepdims=True) + 1e-9
  return [float(LAGS_S[row].mean()) for row in best]


def _interval(values: list[float]) -> Interval:
  low, high = np.quantile(values, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
  return float(low), float(high)


def _draw_elsewhere(
  least: Callable[[np.ndarray], np.ndarray],
  lips_s: np.ndarray,
  times: np.ndarray,
  rounds: int,
  rng: np.random.Generator,
) -> np.ndarray:
  """float64 [rounds, E]: as many times that are none of the events', or any times where all are near one."""
  moments = np.arange(times.min(), times.max(), STEP_S)
  moments = moments[np.isfinite(least(moments))]
  far = np.abs(moments[:, None] - lips_s).min(axis=1) > APART_S
  return rng.choice(moments[far] if far.any() else moments, (rounds, len(lips_s)))


def _close_at_best(least: Callable[[np.ndarray], np.ndarray], moments: np.ndarray) -> float:
  """The share of closed lips at moments, [E], at the lag of the least mean opening."""
  openings = least(moments[:, None] - LAGS_S)
  return float((openings[:, np.minimum(openings, OPEN).mean(axis=0).argmin()] < CLOSED).mean())
