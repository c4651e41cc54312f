"""Fakes of how lips move, made from the landmarks of real clips alone, as `pseudo_fakes` makes them from pixels.

In: lips of a real clip, and of another person. Out: lips that move otherwise. Next stage: `pseudo_batches`, which blurs
real ones and fakes alike by `disturb`. Of the kinds of `pseudo_fakes` these are the ones that landmarks can show.
"""

from collections.abc import Callable

import numpy as np

PACES = (0.4, 0.6, 1.6, 2.5)  # frames of the clip in one of the fake's
HELD = (2, 3, 4)  # frames for which a picture stands, in a video of a lower rate
SMOOTHED = (3, 5, 7)  # frames
TREMBLING = (0.006, 0.02)  # deviation from frame to frame, in widths of the mouth
NOISE = 0.006  # largest deviation of what a landmark is measured by, in widths of the mouth

Kind = Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]


def make_pseudo_motion(lips: np.ndarray, other: np.ndarray, kind: str, rng: np.random.Generator) -> np.ndarray:
  """Makes a fake of a real clip's lips.

  Args:
    lips: float32 [T, K, 2], in widths of the mouth, T at least 4.
    other: float32 [M, K, 2], of another person.
    kind: one of KINDS.
    rng: of all draws.

  Returns:
    float32 [T, K, 2].
  """
  return KINDS[kind](lips, other, rng).astype(np.float32)


def disturb(lips: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
  """What real ones and fakes go through alike: noise of the measurement, and another size of the motion.

  Args:
    lips: float32 [T, K, 2].
    strength: 0 to 1, how likely each is.
    rng: of all draws.
  """
  noisy, sized = rng.random(2) < strength
  mean = lips.mean(0)
  size = rng.uniform(0.85, 1.15) if sized else 1.0
  noise = rng.uniform(0, NOISE) * rng.standard_normal(lips.shape) if noisy else 0.0
  return (mean + size * (lips - mean) + noise).astype(np.float32)


def _moment(lips, other, rng):
  """From some frame on, the mouth of another moment."""
  count = len(lips)
  cut = int(rng.integers(count // 4, count - count // 4))
  moved = np.roll(lips, int(rng.integers(1, count)), axis=0)
  return np.concatenate([lips[:cut], moved[cut:]])


def _frozen(lips, other, rng):
  """For a quarter of the time or more the lips stand still."""
  count = len(lips)
  length = int(rng.integers(max(2, count // 4), count // 2 + 1))
  first = int(rng.integers(count - length + 1))
  still = lips.copy()
  still[first : first + length] = lips[first]
  return still


def _speed(lips, other, rng):
  """Another pace, there and back as often as it takes."""
  return _at(lips, rng.integers(len(lips)) + rng.choice(PACES) * np.arange(len(lips)))


def _reenactment(lips, other, rng):
  """The same motion, weaker or stronger."""
  factor = rng.choice((rng.uniform(0.3, 0.7), rng.uniform(1.4, 2.2)))
  mean = lips.mean(0)
  return mean + factor * (lips - mean)


def _resynthesis(lips, other, rng):
  """Frame by frame anew: it trembles, or is smoothed, or is made at a lower rate."""
  how = rng.integers(3)
  if how == 0:
    tremble = rng.uniform(*TREMBLING) * rng.standard_normal((len(lips), 1, 2))
    spread = 1 + rng.uniform(*TREMBLING) * rng.standard_normal((len(lips), 1, 1))
    middle = lips.mean(1, keepdims=True)
    return middle + spread * (lips - middle) + tremble
  if how == 1:
    width = int(rng.choice(SMOOTHED))
    padded = np.pad(lips, ((width // 2, width // 2), (0, 0), (0, 0)), 'edge')
    return np.lib.stride_tricks.sliding_window_view(padded, width, axis=0).mean(-1)
  held = int(rng.choice(HELD))
  return lips[np.arange(len(lips)) // held * held]


def _identity(lips, other, rng):
  """The motion of another person upon this one's mouth."""
  return lips.mean(0) + _at(other, np.linspace(0, len(other) - 1, len(lips))) - other.mean(0)


def _at(lips: np.ndarray, times: np.ndarray) -> np.ndarray:
  """Lips [T, K, 2] at other times [N], in frames, between which they move straight; beyond the end they turn back."""
  last = len(lips) - 1
  turned = last - np.abs(last - times % (2 * last))
  before = np.minimum(turned.astype(int), last - 1)
  share = (turned - before)[:, None, None]
  return (1 - share) * lips[before] + share * lips[before + 1]


KINDS: dict[str, Kind] = {
  'moment': _moment,
  'frozen': _frozen,
  'speed': _speed,
  'reenactment': _reenactment,
  'resynthesis': _resynthesis,
  'identity': _identity,
}
