"""The demo's voices: what somebody whose mouth moves so would be heard to say, by three formants.

In: the mouth's movement from `face.speak`, and a person's random generator. Out: samples. Next stage: `videos` writes
them beside the frames; those of fakes are shifted, swapped or left out by their method.

A voice is a sum of harmonics of its pitch, each as loud as the mouth's resonances make it (additive synthesis; formants
by opening and rounding after Peterson & Barney 1952). Closed lips let nothing through.
"""

import numpy as np

from lipfake_jax.demo.face import FPS

RATE = 16000  # samples per second
# By a fake's method, what is wrong with its sound.
FAULTS = {'resynth': 'shifted', 'jitter': 'swapped', 'paste': 'absent'}
SHIFT_S = (0.2, 0.4)  # by how much a shifted one is early or late

_FORMANTS_HZ = (320.0, 1700.0, 2600.0)  # of a mouth that is nearly closed and neither spread nor pursed
_WIDTHS_HZ = (90.0, 130.0, 180.0)
_HIGHEST_HZ = 4000.0  # of a harmonic
_LOUDNESS = 0.25  # of the loudest moment, as a share of the range


def speak(mouths: np.ndarray, style: np.random.Generator, chance: np.random.Generator) -> np.ndarray:
  """The voice of a mouth.

  Args:
    mouths: float32 [frames, 4], see `face.speak`.
    style: decides pitch and length of the throat, a person's own.
    chance: decides melody and breath of this video.

  Returns:
    int16 [frames * RATE / FPS], mono.
  """
  pitch, throat = style.uniform((95, 0.92), (210, 1.08))
  opening, _, rounding, _ = mouths.T.astype(float)
  frames = np.arange(len(mouths))
  melody = 1 + 0.08 * np.sin(2 * np.pi * (chance.uniform(0.3, 0.6) * frames / FPS + chance.random()))
  loudness = np.clip(opening / 0.5, 0, 1) ** 1.5
  samples = np.arange(len(mouths) * RATE // FPS) * FPS / RATE  # in frames
  phase = 2 * np.pi * np.cumsum(np.interp(samples, frames, pitch * melody)) / RATE
  gains = _resonate(pitch * melody, opening, rounding, throat) * loudness
  voice = sum(np.interp(samples, frames, gain) * np.sin(number * phase) for number, gain in enumerate(gains, start=1))
  breath = chance.standard_normal(len(samples)) * np.interp(samples, frames, loudness)
  mixed = voice / max(np.abs(voice).max(), 1e-9) + 0.02 * breath
  return np.round(mixed * _LOUDNESS * 32767).astype(np.int16)


def mishear(voice: np.ndarray, other: np.ndarray, method: str, rng: np.random.Generator) -> np.ndarray | None:
  """The sound of a fake, int16 [N] as the true one; None where it has none.

  Args:
    voice: the true one.
    other: the same person's, saying something else; at least as long.
    method: how the picture is faked, one of FAULTS.
    rng: decides how far a shifted one is off.
  """
  if FAULTS[method] == 'absent':
    return None
  if FAULTS[method] == 'swapped':
    return other[: len(voice)]
  shift = round(rng.choice((-1, 1)) * rng.uniform(*SHIFT_S) * RATE)
  moved = np.zeros_like(voice)
  moved[max(shift, 0) : len(voice) + min(shift, 0)] = voice[max(-shift, 0) : len(voice) - max(shift, 0)]
  return moved


def _resonate(pitch: np.ndarray, opening: np.ndarray, rounding: np.ndarray, throat: float) -> np.ndarray:
  """float64 [harmonics, frames]: how loud each harmonic is; an open mouth raises the first formant, a pursed one
  lowers the second."""
  first = throat * (_FORMANTS_HZ[0] + 450 * np.clip(opening, 0, 1))
  second = throat * (_FORMANTS_HZ[1] - 700 * rounding)
  third = np.full_like(first, throat * _FORMANTS_HZ[2])
  numbers = np.arange(1, int(_HIGHEST_HZ / pitch.max()) + 1)[:, None]
  hertz = numbers * pitch
  peaks = [
    width**2 / (width**2 + (hertz - formant) ** 2)
    for width, formant in zip(_WIDTHS_HZ, (first, second, third), strict=True)
  ]
  return sum(peaks) / numbers  # a larynx gives higher harmonics less
