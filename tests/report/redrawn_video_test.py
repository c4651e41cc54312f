"""A video drawn on: the same moments, the same sound, the same way up."""

from fractions import Fraction

import av
import numpy as np
import pytest

from lipfake_jax.clips.container import VideoError
from lipfake_jax.report.redrawn_video import redraw_video
from tests.clips.container_test import with_matrix
from tests.conftest import write_video

GRAY = np.full((48, 64, 3), 100, np.uint8)
BEEP_S, RATE = 0.5, 16_000


def add_red(rgb, time_s):
  """As much of it as there are hundredths of a second."""
  rgb[:] = (100 * time_s, 0, 0)


def read(path, kind='video'):
  with av.open(str(path)) as container:
    return list(container.decode(next(stream for stream in container.streams if stream.type == kind)))


def test_frames_keep_their_times_however_uneven_and_each_is_drawn_on(tmp_path):
  """To within what H.264 changes of a colour."""
  times = [0.0, 0.04, 0.5, 0.517, 1.2]
  video = write_video(tmp_path / 'a.mp4', [GRAY] * 5, times=times)
  redraw_video(video, tmp_path / 'out' / 'b.mp4', add_red)
  frames = read(tmp_path / 'out' / 'b.mp4')
  assert [round(frame.time, 3) for frame in frames] == times
  reds = [frame.reformat(format='rgb24', src_colorspace='ITU709').to_ndarray()[..., 0].mean() for frame in frames]
  np.testing.assert_allclose(reds, [0, 4, 50, 51.7, 120], atol=4)


def test_a_turned_video_is_upright_and_odd_sides_lose_a_row(tmp_path):
  video = write_video(tmp_path / 'a.mp4', [np.full((47, 63, 3), 100, np.uint8)] * 2, pix_fmt='yuv444p')
  video.write_bytes(with_matrix(video.read_bytes(), (0, 1, -1, 0)))
  redraw_video(video, tmp_path / 'b.mp4', add_red)
  assert {(frame.width, frame.height) for frame in read(tmp_path / 'b.mp4')} == {(46, 62)}


def test_oblong_pixels_become_square(tmp_path):
  video = write_video(tmp_path / 'a.mp4', [GRAY] * 2, aspect='2/1')
  redraw_video(video, tmp_path / 'b.mp4', add_red)
  assert {(frame.width, frame.height) for frame in read(tmp_path / 'b.mp4')} == {(128, 48)}


@pytest.mark.parametrize(('name', 'codec', 'start_s'), [('a.mp4', 'aac', 0), ('a.mkv', 'pcm_s16le', 5)])
def test_the_sound_is_kept_at_its_moments(tmp_path, name, codec, start_s):
  """A beep at half a second, also where the file's clock begins at five: to within a packet of AAC, 21 ms."""
  path = tmp_path / name
  with av.open(str(path), 'w') as container:
    picture, sound = container.add_stream('libx264', rate=25), container.add_stream(codec, rate=RATE, layout='mono')
    picture.height, picture.width, picture.pix_fmt = 48, 64, 'yuv420p'
    for number in range(25):
      frame = av.VideoFrame.from_ndarray(GRAY)
      frame.pts, frame.time_base = number + 25 * start_s, Fraction(1, 25)
      container.mux(picture.encode(frame))
    wave = np.where(np.arange(RATE) < BEEP_S * RATE, 0, np.sin(0.3 * np.arange(RATE))).astype(np.float32)[None]
    form = sound.codec_context.format.name
    samples = wave if form == 'fltp' else (32000 * wave).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(samples, format=form, layout='mono')
    frame.sample_rate, frame.pts, frame.time_base = RATE, RATE * start_s, Fraction(1, RATE)
    container.mux([*sound.encode(frame), *sound.encode(None), *picture.encode(None)])
  redraw_video(path, tmp_path / 'b.mp4', add_red)
  pieces = read(tmp_path / 'b.mp4', 'audio')
  heard = np.abs(np.concatenate([piece.to_ndarray()[0] for piece in pieces]))
  assert pieces[0].time + np.argmax(heard > 0.3) / pieces[0].sample_rate == pytest.approx(BEEP_S, abs=0.021)
  assert read(tmp_path / 'b.mp4')[0].time == 0


def test_what_is_no_video_leaves_no_file(tmp_path, text_video):
  with pytest.raises(VideoError):
    redraw_video(text_video, tmp_path / 'b.mp4', add_red)
  assert not list(tmp_path.iterdir())
