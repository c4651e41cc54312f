import av
import numpy as np
import pytest

from lipfake_jax.clips.video import VideoError, probe, read_frames
from tests.conftest import write_video


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


def test_text_is_no_video(text_video):
  with pytest.raises(VideoError, match='it is no video, or a damaged one'):
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


COLOURS = halves((200, 30, 30), (30, 60, 200), size=(96, 128))


def check_colours(frame, atol=8):
  np.testing.assert_allclose(frame.rgb[48, 16], (200, 30, 30), atol=atol)
  np.testing.assert_allclose(frame.rgb[48, 112], (30, 60, 200), atol=atol)


@pytest.mark.parametrize(
  ('name', 'codec', 'pix_fmt'),
  [
    ('a.mp4', 'libx264', 'yuv422p'), ('a.mp4', 'libx264', 'yuv444p'), ('a.mkv', 'libx264', 'yuv420p10le'),
    ('a.avi', 'mjpeg', 'yuvj420p'), ('a.webm', 'libvpx-vp9', 'yuv420p'), ('a.mov', 'prores_ks', 'yuv422p10le'),
    ('a.mkv', 'ffv1', 'bgr0'), ('a.mov', 'png', 'rgba'), ('a.mpg', 'mpeg1video', 'yuv420p'),
  ],
)  # fmt: skip
def test_colours_are_right_in_every_kind_of_pixel(tmp_path, name, codec, pix_fmt):
  frames = list(read_frames(write_video(tmp_path / name, [COLOURS] * 4, codec=codec, pix_fmt=pix_fmt)))
  assert len(frames) == 4
  check_colours(frames[2])


def test_gray_video_is_gray(tmp_path):
  gray = halves((40, 40, 40), (220, 220, 220))
  frame = next(read_frames(write_video(tmp_path / 'g.mkv', [gray] * 3, codec='ffv1', pix_fmt='gray')))
  np.testing.assert_allclose(frame.rgb[24, [8, 56]], [[40] * 3, [220] * 3], atol=4)


def test_gif_with_its_palette_and_transparency(tmp_path):
  frames = list(read_frames(write_video(tmp_path / 'g.gif', [COLOURS] * 4, codec='gif', pix_fmt='rgb8', fps=10)))
  assert len(frames) == 4
  check_colours(frames[1], atol=35)  # eight levels of red and green, four of blue
  np.testing.assert_allclose(np.diff([f.time_s for f in frames]), 0.1, atol=0.011)


def test_the_colour_matrix_is_the_one_that_the_file_names(tmp_path):
  """FFmpeg's own conversion, which reads the file's tags, is the reference."""
  for matrix in ('bt709', 'smpte170m', 'bt2020nc'):
    path = write_video(
      tmp_path / f'{matrix}.mp4', [COLOURS] * 2, pix_fmt='yuv444p', **{'x264-params': f'colormatrix={matrix}'}
    )
    with av.open(str(path)) as container:
      expected = next(container.decode(video=0)).to_ndarray(format='rgb24')
    assert np.abs(next(read_frames(path)).rgb.astype(int) - expected).mean() < 1


def test_times_of_a_variable_frame_rate(tmp_path):
  times = [0, 0.04, 0.08, 0.5, 0.52, 1.3]
  frames = list(read_frames(write_video(tmp_path / 'v.mkv', [COLOURS] * 6, times=times)))
  np.testing.assert_allclose([f.time_s for f in frames], times, atol=0.002)


def test_oblong_pixels_are_made_square(tmp_path):
  """Stored 96 wide with pixels twice as wide as high: 192 wide to look at."""
  narrow = halves((200, 30, 30), (30, 60, 200), size=(96, 96))
  frame = next(read_frames(write_video(tmp_path / 'sar.mp4', [narrow] * 2, aspect='2/1')))
  assert frame.rgb.shape == (96, 192, 3)
  np.testing.assert_allclose(frame.rgb[48, 80], (200, 30, 30), atol=10)


def test_interlaced_frames_are_mended(tmp_path):
  """A bar that moves 8 pixels from one field to the next: as stored its edge is a comb, deinterlaced it is not."""

  def bar(position):
    image = np.full((96, 128, 3), 20, np.uint8)
    image[:, position : position + 30] = 230
    return image

  woven = []
  for i in range(0, 8, 2):
    image = bar(8 * i)
    image[1::2] = bar(8 * i + 8)[1::2]
    woven.append(image)
  path = write_video(tmp_path / 'i.mpg', woven, codec='mpeg2video', flags='+ildct+ilme', b='4000000', top='1')
  with av.open(str(path)) as container:
    stored = list(container.decode(video=0))
  assert stored[1].interlaced_frame
  frames = list(read_frames(path))
  assert [f.index for f in frames] == list(range(4))

  def combing(luma):
    return np.abs(np.diff(luma[20:76].astype(int), axis=0)).mean()

  assert combing(stored[2].to_ndarray(format='gray')) > 10
  assert combing(frames[2].luma) < 3


def write_interlaced(path, side, frames):
  pictures = [np.full((side, side, 3), 20 + 3 * i, np.uint8) for i in range(frames)]
  return write_video(path, pictures, codec='mpeg2video', flags='+ildct+ilme', b='4000000', top='1')


@pytest.mark.parametrize(('sides', 'read'), [((96, 96), (10, 11)), ((96, 128), (9, 11)), ((128, 96, 128), (9, 10, 12))])
def test_frames_after_a_change_of_size_in_a_broadcast_are_read(tmp_path, sides, read):
  """Interlaced transport streams of 10, 11 and 12 frames one after the other. At a change of size FFmpeg's decoder
  drops the one frame that it still holds; all that it gives are read."""
  pieces = [write_interlaced(tmp_path / f'{i}.ts', side, 10 + i) for i, side in enumerate(sides)]
  path = tmp_path / 'whole.ts'
  path.write_bytes(b''.join(piece.read_bytes() for piece in pieces))
  with av.open(str(path)) as container:
    assert next(container.decode(video=0)).interlaced_frame
  frames = list(read_frames(path))
  assert [f.luma.shape[0] for f in frames] == [side for side, n in zip(sides, read, strict=True) for _ in range(n)]
  # Each piece gets brighter by 3 levels a frame: none is repeated, or out of place.
  np.testing.assert_allclose([f.rgb.mean() for f in frames], [20 + 3 * i for n in read for i in range(n)], atol=4)
  times = np.array([f.time_s for f in frames])
  assert times[0] == 0
  assert (np.diff(times) > 0).all()


@pytest.mark.parametrize('name', ['v.ts', 'v.mkv', 'v.nut'])
@pytest.mark.parametrize('start_s', [0, 40_000])
def test_times_begin_with_the_file(tmp_path, name, start_s):
  """A recorder's clock may stand anywhere: in 32 bits, seconds since yesterday tell no frame from the next."""
  times = start_s + np.arange(6) / 25
  frames = list(read_frames(write_video(tmp_path / name, [COLOURS] * 6, codec='libx264', times=times)))
  np.testing.assert_allclose([f.time_s for f in frames], np.arange(6) / 25, atol=0.002)


def test_a_key_frame_every_twelve_seconds(tmp_path):
  ramp = [np.full((48, 64, 3), 20 + i // 2, np.uint8) for i in range(310)]
  frames = list(read_frames(write_video(tmp_path / 'g.mp4', ramp, g='300', sc_threshold='0')))
  assert len(frames) == 310
  np.testing.assert_allclose([f.rgb.mean() for f in frames], [20 + i // 2 for i in range(310)], atol=4)


def test_frames_beyond_4096_pixels_are_halved(tmp_path):
  tall = np.zeros((4320, 64, 3), np.uint8)
  tall[:2160] = 255
  frame = next(read_frames(write_video(tmp_path / 't.mp4', [tall] * 2)))
  assert frame.rgb.shape == (2160, 32, 3)
  assert frame.luma[1000:1070].mean() > 200 > 60 > frame.luma[1090:].mean()


def test_frames_with_more_pixels_than_a_video_has_are_refused(tmp_path):
  """7 KB that unpack to 64 million pixels a frame."""
  path = write_video(tmp_path / 'v.mov', [np.zeros((8000, 8000, 3), np.uint8)], codec='png', pix_fmt='rgb24')
  with pytest.raises(VideoError, match='8000x8000 pixels, more than 40,000,000: scale the video down'):
    list(read_frames(path))


def test_times_always_rise(tmp_path):
  """An AVI has no times of its own for frames whose packets were lost or repeated; none may stand still."""
  path = write_video(tmp_path / 'v.avi', [COLOURS] * 20, codec='mpeg4', g='1')
  data = bytearray(path.read_bytes())
  data[len(data) // 3 : len(data) // 3 + 300] = bytes(300)
  path.write_bytes(data)
  assert (np.diff([f.time_s for f in read_frames(path)]) > 0).all()
