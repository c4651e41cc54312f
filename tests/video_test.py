import av
import numpy as np
import pytest
from conftest import write_video

from lipfake_jax.video import VideoError, probe, read_frames


def halves(left, right, size=(48, 64)):
  """A picture of two colours, side by side."""
  image = np.empty((*size, 3), np.uint8)
  image[:, : size[1] // 2], image[:, size[1] // 2 :] = left, right
  return image


def test_frames_come_in_order_with_times_and_colours(tmp_path):
  path = write_video(tmp_path / 'v.mp4', [halves((200, 30, 30), (20 * i, 20 * i, 20 * i)) for i in range(10)], fps=20)
  frames = list(read_frames(path))
  assert [f.index for f in frames] == list(range(10))
  np.testing.assert_allclose([f.time_s for f in frames], np.arange(10) / 20, atol=1e-6)
  assert frames[0].rgb.shape == (48, 64, 3)
  # H.264 in yuv420p keeps flat colours to a few levels.
  np.testing.assert_allclose(frames[0].rgb[24, 8], (200, 30, 30), atol=8)
  np.testing.assert_allclose([f.rgb[24, 56].mean() for f in frames], 20 * np.arange(10), atol=8)


def test_probe_reads_the_header(tmp_path):
  info = probe(write_video(tmp_path / 'v.avi', [halves((0, 0, 0), (255, 255, 255))] * 30, codec='mpeg4', fps=30))
  assert (info.width, info.height, info.fps, info.codec) == (64, 48, 30.0, 'mpeg4')
  assert info.duration_s == pytest.approx(1.0, abs=0.05)


def test_a_display_rotation_is_undone(tmp_path):
  """A phone films sideways and says so in the display matrix: what comes out is upright."""
  upright = halves((255, 0, 0), (0, 0, 255), size=(64, 64)).transpose(1, 0, 2)  # red above, blue below
  stored = np.rot90(upright)  # turned counter-clockwise, so the player must turn it clockwise: rotation -90
  plain = write_video(tmp_path / 'plain.mp4', [stored] * 3)
  turned = tmp_path / 'turned.mp4'
  turned.write_bytes(_with_rotation(plain.read_bytes()))
  frame = next(read_frames(turned)).rgb
  assert frame[8, 32, 0] > 200 > 60 > frame[8, 32, 2]
  assert frame[56, 32, 2] > 200 > 60 > frame[56, 32, 0]


def _with_rotation(mp4: bytes) -> bytes:
  """Writes the matrix of a clockwise quarter turn into the track header: a b u / c d v / x y w in fixed point."""
  identity = b''.join(v.to_bytes(4, 'big') for v in (0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000))
  clockwise = b''.join(
    v.to_bytes(4, 'big', signed=True) for v in (0, 0x10000, 0, -0x10000, 0, 0, 64 << 16, 0, 0x40000000)
  )
  start = mp4.index(identity, mp4.index(b'tkhd'))
  return mp4[:start] + clockwise + mp4[start + len(identity) :]


def test_text_is_no_video(text_video):
  with pytest.raises(VideoError, match='Invalid data'):
    list(read_frames(text_video))


def test_sound_alone_is_no_video(tmp_path):
  path = tmp_path / 'sound.wav'
  with av.open(str(path), 'w') as container:
    stream = container.add_stream('pcm_s16le', rate=8000, layout='mono')
    frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format='s16', layout='mono')
    frame.sample_rate = 8000
    container.mux(stream.encode(frame))
  with pytest.raises(VideoError, match='no video stream'):
    list(read_frames(path))


def test_damage_in_the_middle_costs_only_what_it_hits(tmp_path):
  noise = np.random.default_rng(0).integers(0, 255, (40, 48, 64, 3), np.uint8)
  path = write_video(tmp_path / 'v.avi', list(noise), codec='mpeg4', g='1')
  data = bytearray(path.read_bytes())
  middle = len(data) // 2
  data[middle : middle + 200] = bytes(200)
  path.write_bytes(data)
  assert 30 <= len(list(read_frames(path))) <= 40


def test_a_file_cut_short_gives_its_beginning(tmp_path):
  noise = np.random.default_rng(0).integers(0, 255, (40, 48, 64, 3), np.uint8)
  path = write_video(tmp_path / 'v.avi', list(noise), codec='mpeg4', g='1')
  path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
  assert 10 <= len(list(read_frames(path))) <= 30


def test_comments_in_another_encoding_do_no_harm(tmp_path):
  path = write_video(tmp_path / 'v.mkv', [halves((0, 0, 0), (255, 255, 255))] * 5)
  data = path.read_bytes()
  assert b'Lavf' in data  # the name of the program that wrote it
  path.write_bytes(data.replace(b'Lavf', b'L\xe9vf'))
  assert len(list(read_frames(path))) == 5
