"""What is heard in a file, and when."""

import numpy as np
import pytest

from lipfake_jax.clips.sound import read_sound
from lipfake_jax.clips.video import read_frames
from tests.clips.talk import RATE, burst, find_bursts, write_talk

GRAY = [np.full((32, 32, 3), 128, np.uint8)] * 25  # a second
EXACT, CODED = 1e-4, 2e-3  # seconds: a sample or two; what a lossy codec smears a tone's beginning by


@pytest.mark.parametrize(
  ('name', 'codec', 'delay_s', 'error_s'),
  [
    ('a.mp4', 'aac', 0.0, CODED),  # an edit list cuts off the encoder's first 1,024 samples
    ('a.avi', 'pcm_s16le', 0.0, EXACT),
    ('a.mkv', 'pcm_s16le', 0.0, EXACT),  # timestamps in whole milliseconds
    ('late.mkv', 'pcm_s16le', 7.0, EXACT),  # all timestamps are 7 s later
    ('a.ts', 'mp2', 0.0, 0.035),  # a broadcast's begin at 1.4 s; MP2's delay of 30 ms is in no header
  ],
)
def test_a_sound_is_heard_when_its_picture_is_seen(tmp_path, name, codec, delay_s, error_s):
  path = write_talk(tmp_path / name, GRAY, [(0.0, burst(0.6))], codec, delay_s=delay_s)
  sound, frames = read_sound(path), list(read_frames(path))
  assert find_bursts(sound.samples) == [pytest.approx(0.6 + frames[0].time_s, abs=error_s)]
  assert sound.samples.dtype == np.int16
  assert sound.name_state(1.0) == 'heard'


def test_a_stream_that_begins_late_has_silence_before_it(tmp_path):
  path = write_talk(tmp_path / 'a.mkv', GRAY, [(0.4, burst(0.2, 0.6))], 'pcm_s16le')
  sound = read_sound(path)
  assert (sound.begins_s, sound.ends_s) == (pytest.approx(0.4), pytest.approx(1.0))
  assert find_bursts(sound.samples) == [pytest.approx(0.6, abs=EXACT)]


def test_after_a_gap_the_sound_is_where_its_timestamps_say(tmp_path):
  pieces = [(0.0, burst(0.1, 0.3)), (0.6, burst(0.2, 0.4))]
  sound = read_sound(write_talk(tmp_path / 'a.mkv', GRAY, pieces, 'pcm_s16le'))
  assert find_bursts(sound.samples) == [pytest.approx(0.1, abs=EXACT), pytest.approx(0.8, abs=EXACT)]


@pytest.mark.parametrize(
  ('pieces', 'state'),
  [
    ([(0.0, np.full(RATE, 30, np.int16))], 'silent'),  # a hiss of -61 dB
    ([(0.0, burst(0.1, 0.4))], 'short'),  # of 1 s
    ([(0.6, burst(0.1, 0.4))], 'short'),
    ([(0.0, burst(0.1, 0.6))], 'heard'),
  ],
)
def test_kinds_of_sound_have_names(tmp_path, pieces, state):
  assert read_sound(write_talk(tmp_path / 'a.mkv', GRAY, pieces, 'pcm_s16le')).name_state(1.0) == state


def test_a_file_without_sound_is_no_error(blank_video, text_video, tmp_path):
  for path in (blank_video, text_video, tmp_path / 'none.mp4'):
    assert read_sound(path).name_state(1.0) == 'absent'
