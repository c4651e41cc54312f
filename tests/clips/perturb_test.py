"""The perturbations against their published definitions, on pictures small enough to reckon by hand."""

import dataclasses
import itertools

import av
import cv2
import numpy as np
import pytest

from lipfake_jax.clips import extraction, perturb, results
from lipfake_jax.clips.video import Frame, from_rgb, read_frames
from lipfake_jax.core.clip_spec import PERTURBATIONS, ClipSpec
from lipfake_jax.core.errors import UserError
from tests.conftest import to_frame

FPS = 25.0


def flat(colour, height=300, width=512):
  return np.full((height, width, 3), colour, np.uint8)


def change(rgb, perturbation, index=0):
  """One frame through a perturbation."""
  [changed] = perturb.perturb(iter([from_rgb(rgb, index, index / FPS)]), perturbation, FPS)
  return changed.rgb


@pytest.fixture(scope='module')
def moving(portrait):
  """12 frames of a face that sways; brightness and colour as a video has them, colour at half size."""
  pictures = [np.roll(cv2.resize(portrait[:400], (160, 128)), 2 * i, axis=1) for i in range(12)]
  frames = [to_frame(picture, i) for i, picture in enumerate(pictures)]
  small = [
    [cv2.resize(plane, (80, 64), interpolation=cv2.INTER_AREA) for plane in frame.planes[1:]] for frame in frames
  ]
  return [dataclasses.replace(f, planes=(f.luma, *chroma)) for f, chroma in zip(frames, small, strict=True)]


def levels(*published):
  """(level, number that is published for it), measured on pixels below."""
  return pytest.mark.parametrize(('level', 'published'), list(enumerate(published, 1)))


@pytest.mark.parametrize('name', ['fog:1', 'noise', 'noise:0', 'noise:6', 'noise:03', 'reencode:2', ':1'])
def test_what_is_no_perturbation_is_refused(name):
  with pytest.raises(UserError, match=r'choose one of saturation:1-5, .*reencode:1-1'):
    ClipSpec(perturbation=name)


def test_pixels_survive_the_way_into_a_frame():
  colours = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
  assert np.abs(from_rgb(colours, 0, 0.0).rgb.astype(int) - colours).max() <= 2


@levels(0.4, 0.3, 0.2, 0.1, 0.0)
def test_saturation_keeps_a_share_of_the_colour(level, published):
  """(200, 50, 20) has a brightness of .299 * 200 + .587 * 50 + .114 * 20 = 91.4."""
  expected = 91.4 + published * (np.array((200, 50, 20)) - 91.4)
  np.testing.assert_allclose(change(flat((200, 50, 20)), f'saturation:{level}')[0, 0], expected, atol=2)


@levels(0.85, 0.725, 0.6, 0.475, 0.35)
def test_contrast_scales_towards_black(level, published):
  expected = published * np.array((200, 100, 20))
  np.testing.assert_allclose(change(flat((200, 100, 20)), f'contrast:{level}')[0, 0], expected, atol=2)


@levels(16, 32, 48, 64, 80)
def test_blocks_have_their_number(level, published):
  """On so wide a frame hardly two lie over each other, and the area tells their number."""
  covered = change(flat(0, 300, 8000), f'blocks:{level}')
  assert published - 2 <= (covered[..., 0] > 0).sum() / 64 <= published


@pytest.mark.parametrize(
  ('size', 'level', 'count'), [((300, 512), 1, 16), ((300, 512), 5, 80), ((520, 600), 2, 64), ((200, 200), 1, 16)]
)
def test_blocks_are_counted_for_each_256_pixels_of_the_shorter_side(size, level, count):
  covered = change(flat(0, *size), f'blocks:{level}')
  gray = (np.abs(covered.astype(int) - 128) <= 2).all(axis=2)
  assert (gray | (covered == 0).all(axis=2)).all()
  assert 0.85 * count * 64 < gray.sum() <= count * 64  # some lie over others
  assert gray[1:-1].any()


def test_blocks_lie_elsewhere_in_each_frame():
  first, again, second = (change(flat(0), 'blocks:3', index) for index in (0, 0, 1))
  np.testing.assert_array_equal(first, again)
  both = (first > 0) & (second > 0)
  assert both.sum() < 0.3 * (first > 0).sum()


def test_noise_has_its_variance_in_each_of_y_cb_and_cr():
  """Of 8-bit codes: a deviation of 255 * sqrt(.002) = 11.4, in all three alike."""
  rgb = change(flat(128), 'noise:2').reshape(-1, 3).astype(float)
  y = rgb @ (0.299, 0.587, 0.114)
  codes = np.stack([y * 219, (rgb[:, 2] - y) / 1.772 * 224, (rgb[:, 0] - y) / 1.402 * 224]) / 255
  np.testing.assert_allclose(codes.std(axis=1), 11.40, rtol=0.02)
  assert np.abs(np.corrcoef(codes) - np.eye(3)).max() < 0.02


@levels(0.001, 0.002, 0.005, 0.01, 0.05)
def test_noise_is_clipped_in_rgb_so_that_black_turns_gray(level, published):
  """Red's deviation is s = 255 sqrt(variance) sqrt((255 / 219)^2 + (1.402 * 255 / 224)^2). Clipped at 0, its mean is
  s / sqrt(2 pi); what is clipped at 255 takes .5 of the 44.9 at level 5."""
  red = change(flat(0), f'noise:{level}')[..., 0].astype(float)
  deviation = 255 * published**0.5 * np.hypot(255 / 219, 1.402 * 255 / 224)
  assert red.mean() == pytest.approx(deviation / (2 * np.pi) ** 0.5, rel=0.03)


def test_noise_is_another_in_each_frame_and_the_same_each_time():
  first, again, second = (change(flat(128), 'noise:3', index).astype(float) for index in (0, 0, 1))
  np.testing.assert_array_equal(first, again)
  assert abs(np.corrcoef(first[..., 1].ravel(), second[..., 1].ravel())[0, 1]) < 0.02


def test_blur_is_a_gaussian_of_a_sixth_of_its_kernel():
  point = flat(0, 31, 31)
  point[15, 15] = 255
  weights = np.exp(-(np.arange(-3, 4) ** 2) / 2 / (7 / 6) ** 2)
  weights /= weights.sum()
  blurred = change(point, 'blur:1')[..., 0].astype(float)
  np.testing.assert_allclose(blurred[12:19, 12:19], 255 * np.outer(weights, weights), atol=2)
  assert blurred[11, 11] == 0


@levels(7, 9, 13, 17, 21)
def test_blur_has_its_kernel(level, published):
  """Across an edge the picture rises by a Gaussian of the kernel's width, cut off at three deviations, where its own
  deviation is .987 of the whole one's."""
  edge = flat(0, 40, 120)
  edge[:, 60:] = 255
  steps = np.diff(change(edge, f'blur:{level}')[20, :, 0].astype(float))
  places = np.arange(len(steps)) - 59
  assert np.ptp(np.flatnonzero(steps)) + 1 == pytest.approx(published, abs=2)  # its outermost weights may round to 0
  assert (places**2 @ steps / steps.sum()) ** 0.5 == pytest.approx(0.987 * published / 6, rel=0.02)


@levels(2, 3, 4, 5, 6)
def test_pixelation_samples_down_and_up_linearly(level, published):
  """Of columns that are alike in sets of the factor each set has one sample; between two samples a line is drawn."""
  values = np.array([0, 200, 40, 160, 90, 250, 10, 120])
  columns = values.repeat(published).astype(np.uint8)
  picture = np.broadcast_to(columns[:, None], (published * 4, len(columns), 3))
  expected = np.interp((np.arange(len(columns)) + 0.5) / published - 0.5, np.arange(len(values)), values)
  np.testing.assert_allclose(change(picture, f'pixelation:{level}')[published, :, 0], expected, atol=2)


@pytest.mark.parametrize('name', [name for name in PERTURBATIONS if name != 'reencode'])
def test_each_level_changes_more_than_the_one_below_and_keeps_numbers_and_times(name, moving):
  errors = []
  for level in range(1, 6):
    changed = list(perturb.perturb(iter(moving), f'{name}:{level}', FPS))
    assert [(f.index, f.time_s, f.rgb.shape) for f in changed] == [(f.index, f.time_s, f.rgb.shape) for f in moving]
    pairs = zip(changed, moving, strict=True)
    errors.append(np.mean([(a.rgb.astype(float) - b.rgb) ** 2 for a, b in pairs]))
  assert errors[0] > 1
  assert (np.diff(errors) > 0).all()


def test_no_perturbation_passes_frames_on(moving):
  frames = iter(moving)
  assert perturb.perturb(frames, '', FPS) is frames


@pytest.mark.parametrize(
  ('name', 'crf'),
  [('h264:1', 30), ('h264:2', 32), ('h264:3', 35), ('h264:4', 38), ('h264:5', 40), ('reencode:1', 23)],
)
def test_h264_gives_the_frames_of_a_file_encoded_so(moving, tmp_path, name, crf):
  """Written to a file of this constant rate factor, as ffmpeg would, and read again: the same pixels."""
  path = tmp_path / 'v.mp4'
  with av.open(str(path), 'w') as container:
    stream = container.add_stream('libx264', rate=25, options={'crf': str(crf), 'threads': '1'})
    stream.height, stream.width, stream.pix_fmt = 128, 160, 'yuv420p'
    for frame in moving:
      planes = np.concatenate([plane.ravel() for plane in frame.planes]).reshape(-1, 160)
      container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format='yuv420p')))
    container.mux(stream.encode(None))
  ours = perturb.perturb(iter(moving), name, FPS)
  for one, other in zip(ours, read_frames(path), strict=True):
    for plane, expected in zip(one.planes, other.planes, strict=True):
      np.testing.assert_array_equal(plane, expected)


def test_h264_takes_odd_sizes_that_change_uneven_times_and_colour_at_full_size(portrait):
  sizes = [(97, 131)] * 4 + [(64, 80)] * 3
  times = [0.0, 0.04, 0.041, 0.5, 0.5000001, 2.0, 2.1]
  frames = [
    Frame(i + 3, time_s, (frame := to_frame(cv2.resize(portrait, size[::-1]))).planes, frame.to_rgb)
    for i, (size, time_s) in enumerate(zip(sizes, times, strict=True))
  ]
  changed = list(perturb.perturb(iter(frames), 'h264:1', FPS))
  assert [(f.index, f.time_s, f.luma.shape) for f in changed] == [(f.index, f.time_s, f.luma.shape) for f in frames]
  for one, other in zip(changed, frames, strict=True):
    assert np.abs(one.rgb.astype(int) - other.rgb).mean() < 8


def test_h264_holds_few_frames_of_a_long_video(moving):
  taken = itertools.count()
  endless = (dataclasses.replace(moving[i % 12], index=i, time_s=i / FPS) for i in taken)
  changed = perturb.perturb(endless, 'h264:5', FPS)
  assert [next(changed).index for _ in range(5)] == [0, 1, 2, 3, 4]
  assert next(taken) < 5 + 60  # x264 looks 40 frames ahead


def test_perturbed_clips_and_faces_lie_apart_in_the_cache(blank_video, tmp_path):
  """And a spec without a perturbation is stored as if there were none to choose."""
  [(_, clips, faces)] = extraction.plan_jobs([blank_video], ClipSpec(), tmp_path)
  assert 'perturbation' not in ClipSpec().fields()
  changed = extraction.plan_jobs([blank_video], ClipSpec(perturbation='blur:1'), tmp_path)
  more = extraction.plan_jobs([blank_video], ClipSpec(perturbation='blur:2'), tmp_path)
  assert len({clips, changed[0][1], more[0][1]}) == len({faces, changed[0][2], more[0][2]}) == 3


def test_clips_are_cut_from_perturbed_frames(face_video, models, tmp_path):
  def extract(perturbation):
    spec = ClipSpec(frames=10, rule='uniform', perturbation=perturbation)
    [job] = extraction.plan_jobs([face_video], spec, tmp_path)
    assert extraction.run_job(job, spec, models) is None
    [clip] = results.load_result(job[1], 'v')
    return clip

  plain, dark = extract(''), extract('contrast:5')
  assert dark.frames.mean() == pytest.approx(0.35 * plain.frames.mean(), rel=0.05)
  np.testing.assert_allclose(dark.boxes, plain.boxes, atol=6)
