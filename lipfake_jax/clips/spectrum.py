"""Log-mel spectra: what is heard about a moment, in bands as wide as an ear tells them apart.

In: samples at 16 kHz. Out: a row of numbers a moment. Used by `features.sound`.
"""

import functools

import numpy as np

RATE = 16000  # samples per second
WINDOW, HOP, FFT = 400, 160, 512  # samples: 25 ms, 10 ms, 32 ms
BANDS, LOW_HZ, HIGH_HZ = 64, 60.0, 8000.0
FLOOR = 1e-6  # power of a band, of samples from -1 to 1; rounding to 16 bits alone gives 1e-8
SILENCE = float(np.log(FLOOR))  # of every band where there is no sound


def log_mel(samples: np.ndarray, centres: np.ndarray) -> np.ndarray:
  """The spectrum about some samples.

  Args:
    samples: int16 [N], at RATE.
    centres: int64 [M], positions of the windows' middles; beyond the samples is silence.

  Returns:
    float32 [M, BANDS]: natural logarithms of each band's power in a Hann window of WINDOW samples, at least SILENCE.
  """
  places = centres[:, None] + np.arange(WINDOW) - WINDOW // 2
  inside = (places >= 0) & (places < len(samples))
  pieces = np.zeros(places.shape, np.float32)
  pieces[inside] = samples[places[inside]] / np.float32(32768)
  power = np.abs(np.fft.rfft(pieces * np.hanning(WINDOW + 1)[:-1], FFT)) ** 2
  return np.log(np.maximum(power @ _mel_filters().T, FLOOR)).astype(np.float32)


@functools.cache
def _mel_filters() -> np.ndarray:
  """float64 [BANDS, FFT // 2 + 1]: triangles of height 1, their corners evenly apart in mel (O'Shaughnessy 1987)."""
  low, high = (2595 * np.log10(1 + hertz / 700) for hertz in (LOW_HZ, HIGH_HZ))
  corners = 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)
  bins = np.arange(FFT // 2 + 1) * RATE / FFT
  rising = (bins - corners[:-2, None]) / np.diff(corners)[:-1, None]
  falling = (corners[2:, None] - bins) / np.diff(corners)[1:, None]
  return np.maximum(np.minimum(rising, falling), 0)
