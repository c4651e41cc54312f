"""Speech and phones; the recogniser itself is measured on real videos, by benchmarks/sound.py."""

import importlib.util

import numpy as np
import pytest

from lipfake_jax.clips.phones import Phone, Speech, check_recogniser, find_utterances, hear_speech
from lipfake_jax.core.errors import UserError

needs_recogniser = pytest.mark.skipif(
  importlib.util.find_spec('pocketsphinx') is None, reason='pocketsphinx, of the extra `sound`, is not installed'
)


def voice(*spans: tuple[float, float], seconds: float = 60.0) -> np.ndarray:
  """bool [N]: somebody speaks in these, in pieces of 30 ms."""
  at = 0.03 * np.arange(round(seconds / 0.03))
  return np.any([(at >= begin - 1e-9) & (at < end - 1e-9) for begin, end in spans], axis=0)


def test_short_pauses_interrupt_no_utterance_and_long_ones_do():
  assert find_utterances(voice((3.0, 6.0), (6.15, 9.0), (12.0, 15.0))) == [
    (pytest.approx(3.0), pytest.approx(9.0)),
    (pytest.approx(12.0), pytest.approx(15.0)),
  ]


def test_a_long_utterance_is_cut_into_equal_parts():
  assert np.allclose(find_utterances(voice((0, 30))), [(0, 10), (10, 20), (20, 30)])


def test_a_click_is_no_speech():
  assert find_utterances(voice((3.0, 3.3))) == []


def test_only_so_much_speech_is_listened_to():
  found = find_utterances(voice((0, 600), seconds=700))
  assert sum(end - begin for begin, end in found) == pytest.approx(300)
  assert found[-1][1] == pytest.approx(300)


def test_the_recogniser_is_as_sure_as_its_words_over_time():
  assert Speech(3.0, (Phone('B', 0.0, 0.1, 1.0), Phone('AA', 0.1, 0.4, 0.2))).sureness == pytest.approx(0.4)
  assert Speech(0.0, ()).sureness == 0.0


def test_without_the_recogniser_the_message_names_the_extra(monkeypatch):
  monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
  with pytest.raises(UserError, match=r"pip install 'lipfake_jax\[sound\]'"):
    check_recogniser()


@needs_recogniser
def test_in_noise_and_silence_nobody_speaks():
  noise = np.random.default_rng(0).normal(0, 20, 32000)
  for samples in (np.zeros(32000), noise, np.zeros(100)):
    assert hear_speech(samples.astype(np.int16)).phones == ()


@needs_recogniser
def test_music_has_fewer_phones_than_speech():
  """Three chords of a second each: WebRTC's detector takes them for a voice."""
  t = np.arange(48000) / 16000
  chords = [(220, 277, 330), (196, 247, 294), (175, 220, 262)]
  tones = sum(
    np.where(t.astype(int) == second, np.exp(-2 * (t % 1)) * np.sin(2 * np.pi * hertz * part * t) / part, 0)
    for second, chord in enumerate(chords)
    for hertz in chord
    for part in (1, 2, 3, 4)
  )
  speech = hear_speech(np.round(8000 * tones / np.abs(tones).max()).astype(np.int16))
  assert speech.seconds > 2
  assert len(speech.phones) < 4 * speech.seconds
