import numpy as np
import pytest

from lipfake_jax.clips.spectrum import BANDS, HIGH_HZ, LOW_HZ, SILENCE, _mel_filters, log_mel


def test_a_tone_is_loud_in_the_band_of_its_pitch():
  """1 kHz of half the range: its line has 0.5 / 2 times the window's sum of 200, squared; 1 kHz is 1000 mel."""
  tone = np.round(16384 * np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)).astype(np.int16)
  rows = log_mel(tone, np.array([8000, -400]))
  assert rows.shape == (2, BANDS)
  assert rows.dtype == np.float32
  mel = [2595 * np.log10(1 + hertz / 700) for hertz in (LOW_HZ, HIGH_HZ)]
  assert rows[0].argmax() == round((1000 - mel[0]) / (mel[1] - mel[0]) * (BANDS + 1)) - 1
  assert rows[0].max() == pytest.approx(
    np.log(50.0**2), abs=0.7
  )  # the band's triangle takes up to half, a line spreads
  assert (rows[1] == SILENCE).all()  # before the first sample
  assert rows[0].min() < rows[0].max() - 15


def test_every_band_hears_something_and_none_is_lost_between():
  filters = _mel_filters()
  assert (filters.max(axis=1) > 0).all()
  between = (np.arange(257) * 31.25 > 150) & (np.arange(257) * 31.25 < 7600)
  np.testing.assert_allclose(filters.sum(axis=0)[between], 1, atol=1e-9)  # neighbours' triangles add up
