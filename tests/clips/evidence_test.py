"""What a verdict rests on: a talking portrait, filmed in every way that leaves too little to go by, or just enough."""

import dataclasses

import cv2
import numpy as np
import pytest

from lipfake_jax.clips import evidence
from lipfake_jax.clips.clips import Rejection, extract_clips
from lipfake_jax.clips.evidence import look_at, near_side
from lipfake_jax.clips.landmarks import find_turned, mesh_upright
from lipfake_jax.clips.tracks import KeyFace, _to_fixed
from lipfake_jax.core.clip_spec import ClipSpec
from lipfake_jax.core.vocabulary import REASONS
from lipfake_jax.demo import videos
from tests.clips.regions_test import head
from tests.conftest import to_frame, write_video

SPEC = ClipSpec(frames=12, faces='all')
N_FRAMES = 24


@pytest.fixture(scope='module')
def talking():
  """One second of a demo portrait that talks, RGB uint8 [256, 256, 3] each."""
  spec = videos.DemoSpec(identities=3, test_only_identities=0, videos_per_identity=2, seconds=3)
  video = next(video for video in videos.list_videos(spec) if video.method == 'original')
  return [frame for frame, _ in zip(videos.render_frames(spec, video), range(N_FRAMES), strict=False)]


@pytest.fixture(scope='module')
def mouths(talking, models):
  """Where its mouth is in each frame, and how wide: float [T, 3], x, y and width in pixels."""
  found = []
  for image in talking:
    frame = to_frame(image)
    points, _ = mesh_upright(models, frame, models.find(frame)[0])
    found.append([*points[[61, 291]].mean(axis=0), np.hypot(*(points[291] - points[61]))])
  return np.array(found)


def cover(paint):
  """A way to film: `paint` draws on an image, given the middle of its mouth (x, y) and its width."""

  def film(images, mouths):
    images = [image.copy() for image in images]
    for image, (x, y, width) in zip(images, mouths, strict=True):
      paint(image, (round(x), round(y)), round(width))
    return images

  return film


def draw_mask(image, mouth, width):
  """From ear to ear and from the nose to below the chin."""
  (x, y), w = mouth, width
  outline = [(x - 1.5 * w, y - 0.6 * w), (x, y - 0.9 * w), (x + 1.5 * w, y - 0.6 * w), (x + w, y + w), (x - w, y + w)]
  cv2.fillPoly(image, [np.array(outline, np.int32)], (150, 190, 215))


def draw_skin(image, mouth, width):
  """A patch of the cheek's own colour, soft as one that a retoucher leaves."""
  (x, y), cheek = mouth, image[mouth[1] - width, mouth[0] - width].astype(np.float32)
  rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
  share = np.clip(2.2 - 2 * np.hypot((columns - x) / width, (rows - y) / width / 0.8), 0, 1)[..., None]
  image[:] = image * (1 - share) + cheek * share


def draw_microphone(image, mouth, width):
  cv2.circle(image, mouth, round(0.85 * width), (45, 45, 48), -1, cv2.LINE_AA)


def draw_bar(image, mouth, width):
  (x, y), half, low = mouth, round(0.9 * width), round(0.55 * width)
  image[y - low : y + low, x - half : x + half] = 0


def draw_blur(image, mouth, width):
  (x, y), half = mouth, round(width)
  area = image[y - half : y + half, x - half : x + half]
  area[:] = cv2.GaussianBlur(area, (0, 0), width / 3)


def draw_chin_rest(image, mouth, width):
  """Something before the chin that leaves the mouth free."""
  x, top = mouth[0], mouth[1] + round(0.75 * width)
  image[top : top + width // 2, x - width : x + width] = (60, 60, 160)


def as_it_is(images, mouths):
  return images


def turned(quarter_turns):
  return lambda images, mouths: [np.rot90(image, quarter_turns) for image in images]


def far_away(mouth):
  """In the distance: a mouth of so many pixels, in a frame of the old size."""

  def film(images, mouths):
    side = round(256 * mouth / mouths[:, 2].mean())
    small = [cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA) for image in images]
    border = 256 - side
    return [np.pad(image, ((0, border), (0, border), (0, 0)), 'edge') for image in small]

  return film


def frozen(images, mouths):
  return [images[0]] * len(images)


@pytest.mark.parametrize(
  ('film', 'fps', 'reason'),
  [
    pytest.param(as_it_is, 25, None, id='as it is'),
    pytest.param(turned(1), 25, None, id='turned by 90'),
    pytest.param(turned(2), 25, None, id='turned by 180'),
    pytest.param(turned(3), 25, None, id='turned by 270'),
    pytest.param(cover(draw_chin_rest), 25, None, id='hand below the chin'),
    pytest.param(cover(draw_mask), 25, 'mouth_hidden', id='mask'),
    pytest.param(cover(draw_skin), 25, 'mouth_hidden', id='skin'),
    pytest.param(cover(draw_microphone), 25, 'mouth_hidden', id='microphone'),
    pytest.param(cover(draw_bar), 25, 'mouth_hidden', id='bar'),
    pytest.param(cover(draw_blur), 25, 'mouth_hidden', id='blur'),
    pytest.param(far_away(24), 25, None, id='a small mouth'),
    pytest.param(far_away(10), 25, 'mouth_too_small', id='a tiny mouth'),
    pytest.param(frozen, 25, 'still', id='frozen'),
    pytest.param(as_it_is, 1, 'rate_too_low', id='1 fps'),
    pytest.param(as_it_is, 8, None, id='8 fps'),
    pytest.param(as_it_is, 1000, None, id='1000 fps'),
  ],
)
def test_a_verdict_needs_evidence(tmp_path, models, talking, mouths, film, fps, reason):
  path = write_video(tmp_path / 'v.mp4', film(talking, mouths), fps=fps, crf='18')
  found = extract_clips(path, SPEC, models)
  if reason:
    assert isinstance(found, Rejection)
    assert found.reason == reason
    assert reason in REASONS
  else:
    assert [clip.rate for clip in found] == [pytest.approx(fps, rel=0.01)]


@pytest.mark.parametrize('quarter_turns', [1, 2, 3])
def test_a_turned_video_gives_the_crops_of_the_upright_one(tmp_path, models, talking, quarter_turns):
  """To within 8 gray levels in the mean: coded anew, and found anew."""
  upright, other = (
    extract_clips(write_video(tmp_path / f'{turns}.mp4', turned(turns)(talking, None), crf='12'), SPEC, models)
    for turns in (0, quarter_turns)
  )
  common, here, there = np.intersect1d(upright[0].indices, other[0].indices, return_indices=True)
  assert len(common) > SPEC.frames / 2
  pairs = zip(upright[0].frames[here], other[0].frames[there], strict=True)
  assert np.mean([cv2.absdiff(one, two).mean() for one, two in pairs]) < 8


def test_a_face_that_no_detector_sees_upright_is_found_by_turning_the_frame(models, portrait):
  """Placements come back in the frame's own pixels, whichever turn they were found at."""
  height, width = portrait.shape[:2]
  middle = models.find(to_frame(portrait))[0][0]
  standing = models._replace(find=lambda frame: models.find(frame) if np.array_equal(frame.luma, upright) else [])
  upright = to_frame(portrait).luma
  for turns, expected in (
    (1, complex(middle.imag, width - middle.real)),
    (2, complex(width, height) - middle),
    (3, complex(height - middle.imag, middle.real)),
  ):
    frame = to_frame(np.rot90(portrait, turns))
    [placement] = find_turned(standing, frame)
    assert placement[0] == pytest.approx(expected)
    assert models.mesh(frame, placement)[1] > 0.99


@pytest.mark.parametrize(('hidden', 'reasons'), [(None, []), (draw_mask, ['mouth_hidden'])])
def test_each_person_gets_a_clip_or_a_reason(tmp_path, models, talking, mouths, hidden, reasons):
  others = cover(hidden)(talking, mouths) if hidden else talking
  pairs = [np.hstack([one, cv2.flip(other, 1)]) for one, other in zip(talking, others, strict=True)]
  found = extract_clips(write_video(tmp_path / 'v.mp4', pairs, crf='18'), SPEC, models)
  assert len(found) == 2 - len(reasons)
  assert len({clip.track for clip in found}) == len(found)
  assert [reason for reason, _ in found[0].left_out] == reasons


def test_the_largest_face_with_evidence_gives_the_clip(tmp_path, models, talking, mouths):
  """As the largest alone would: a dataset of it does not hold masks."""
  masked = cover(draw_mask)(talking, mouths)
  small = [cv2.resize(image, (192, 192), interpolation=cv2.INTER_AREA) for image in talking]
  pairs = [np.hstack([m, np.pad(s, ((0, 64), (0, 0), (0, 0)), 'edge')]) for m, s in zip(masked, small, strict=True)]
  path = write_video(tmp_path / 'v.mp4', pairs, crf='18')
  [clip] = extract_clips(path, dataclasses.replace(SPEC, faces='largest'), models)
  assert clip.boxes[:, 0].min() > 256


def test_looks_are_a_few_a_second():
  """Of 3 s at 25 frames per second with a look at the landmarks in each: every .25 s, which 7 frames are over."""
  image, face = np.full((240, 320, 3), 128, np.uint8), head(80, 0, 160 + 60j)
  looks: dict[int, list] = {}
  frames = [to_frame(image, i) for i in range(75)]
  seen = [(frame, [KeyFace(0, 3, _to_fixed(face))]) for frame in frames]
  assert [frame for frame, _ in evidence.watch(iter(seen), looks)] == frames
  assert len(looks[3]) == 11
  assert max(looks[3]) == (0, 0, pytest.approx(looks[3][0].near_side))  # a plain gray shows nothing


def test_a_look_does_not_depend_on_size_turn_or_exposure(models, portrait):
  points, _ = mesh_upright(models, to_frame(portrait), models.find(to_frame(portrait))[0])
  edge, relief, side = look_at(to_frame(portrait), points)
  assert edge > 0.3
  assert relief > 0.1
  assert side > 0.9
  half = cv2.resize(portrait, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
  hanging = np.stack([portrait.shape[1] - points[:, 0], portrait.shape[0] - points[:, 1]], axis=1)
  dark = (portrait * 0.6).astype(np.uint8)
  for image, where in ((half, points / 2), (np.rot90(portrait, 2), hanging), (dark, points)):
    other = look_at(to_frame(image), where)
    assert other.edge == pytest.approx(edge, rel=0.15)  # sampled in other places
    assert other.relief == pytest.approx(relief, rel=0.15)
    assert other.near_side == pytest.approx(side, rel=1e-4)


@pytest.mark.parametrize(('nose', 'expected'), [(0.0, 1.0), (0.5, 1 / 3), (1.0, 0.0), (1.5, -0.2)])
def test_near_side(nose, expected):
  """Temples at -1 and 1, the nose's tip between or beyond them: (1 - nose) / (1 + nose)."""
  points = np.zeros((468, 2), np.float32)
  points[234], points[454], points[33], points[263], points[1] = (-1, 0), (1, 0), (-0.7, 0), (0.7, 0), (nose, 0.5)
  assert near_side(points) == pytest.approx(expected)
