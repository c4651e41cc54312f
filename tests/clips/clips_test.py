import dataclasses
import functools
import subprocess
import sys

import cv2
import numpy as np
import pytest

from lipfake_jax.clips import face_records, tracks
from lipfake_jax.clips.analysis import analyse_video
from lipfake_jax.clips.clips import Clip, Rejection, extract_clips
from lipfake_jax.clips.feature import ChosenFrames
from lipfake_jax.clips.features import FEATURES, codec_motion, features_of
from lipfake_jax.clips.flow import flow_activity, to_gray
from lipfake_jax.clips.regions import LIP_CORNERS, LIP_POINTS
from lipfake_jax.clips.video import read_frames
from lipfake_jax.core.clip_spec import SPECS, ClipSpec
from lipfake_jax.core.errors import UserError
from tests.clips.regions_test import head
from tests.conftest import to_frame, write_video


@pytest.fixture(scope='module')
def faces_of(tmp_path_factory):
  """Where the faces of a video are kept, which are looked for once: they depend on the video and the stride alone."""
  folder = tmp_path_factory.mktemp('faces')
  return lambda path, spec: folder / f'{path.parent.name} {path.name} {spec.landmark_stride}.bin'


@pytest.fixture
def extract(models, faces_of):
  """The only clip of a video."""

  def extract_one(path, spec=SPECS['flow_lips_60x64']) -> Clip:
    found = extract_clips(path, spec, models, faces_cache=faces_of(path, spec))
    assert isinstance(found, list), found
    [clip] = found
    return clip

  return extract_one


@pytest.fixture
def tracks_of(models, faces_of):
  return lambda path, spec: analyse_video(path, spec, models, faces_of(path, spec)).tracks


@pytest.mark.parametrize('name', SPECS)
def test_every_strategy_yields_its_clips(face_video, models, faces_of, name):
  spec = dataclasses.replace(SPECS[name], frames=min(SPECS[name].frames, 60))  # the video has 70
  faces = faces_of(face_video, spec)
  if spec.below == 'drop':  # hardly a frame of this video is active
    assert extract_clips(face_video, spec, models, faces_cache=faces).reason == 'too_few_active'
    spec = dataclasses.replace(spec, threshold=0.0)
  clip, *others = extract_clips(face_video, spec, models, 'a/face.mp4', faces)
  assert len(others) < spec.clips
  assert bool(others) == (min(spec.clips, 70 // spec.frames) > 1)  # as many as 70 frames hold
  assert clip.key == 'a/face.mp4'
  assert clip.frames.shape == (spec.frames, spec.size, spec.size, 3)
  assert clip.frames.dtype == np.uint8
  assert [*clip.features] == [feature.name for feature in features_of(spec)]
  for name, values in clip.features.items():
    assert (values.dtype, values.shape) == (FEATURES[name].dtype, FEATURES[name].shape(spec))
  assert (np.diff(clip.indices) > 0).all()
  np.testing.assert_allclose(clip.times, clip.indices / 25, atol=1e-5)
  np.testing.assert_allclose(clip.gaps, np.diff(clip.times, prepend=clip.times[:1]), atol=1e-5)
  assert clip.gaps[0] == 0


def test_a_clip_knows_its_video(face_video, extract):
  clip = extract(face_video)
  assert (clip.fps, clip.codec, clip.width, clip.height) == (25, 'h264', 512, 400)
  assert clip.duration == pytest.approx(69 / 25)  # of 70 frames
  assert clip.face_share == 1
  assert clip.mouth_width == pytest.approx(72, abs=3)  # measured by eye in the photograph
  gray = [to_gray(frame) for frame in clip.frames]
  assert clip.sharpness == pytest.approx(np.mean([cv2.Laplacian(g, cv2.CV_64F).var() for g in gray]))
  assert 0 < clip.mean_activity < 1


def test_motion_is_measured_where_it_is_asked_for(face_video, extract, monkeypatch):
  """Of the first 50 frames alone, here; all that follows them is kept as ever."""
  monkeypatch.setitem(FEATURES, 'motion', dataclasses.replace(codec_motion.FEATURE, first=50))
  plain, clip = (extract(face_video, SPECS[name]) for name in ('flow_lips_60x64', 'flow_lips_motion_60x64'))
  np.testing.assert_array_equal(clip.frames, plain.frames)
  np.testing.assert_array_equal(clip.features['lips'], plain.features['lips'])
  assert 'motion' not in plain.features
  motion = clip.features['motion']
  np.testing.assert_allclose([motion[:3].sum(), motion[17:20].sum()], 1, atol=1e-5)
  assert motion[17:34].std() > 0.1  # the lips' square lies in the image
  monkeypatch.setitem(FEATURES, 'motion', codec_motion.FEATURE)
  assert (extract(face_video, SPECS['flow_lips_motion_60x64']).features['motion'] != motion).any()


@pytest.mark.parametrize('name', ['flow_lips_60x64', 'flow_lips_box_60x64'])
def test_crops_show_the_mouth_of_their_frames(face_video, extract, name):
  clip = extract(face_video, SPECS[name])
  # The portrait's mouth is 72 pixels wide, around (268, 276), and sways by 6. Its eyes are 88 apart.
  np.testing.assert_allclose(
    clip.boxes[:, 2] - clip.boxes[:, 0], {'flow_lips_60x64': 1.2 * 88}.get(name, 1.5 * 72), atol=8
  )
  middles = (clip.boxes[:, :2] + clip.boxes[:, 2:]) / 2
  np.testing.assert_allclose(middles[:, 0], 268 + 6 * np.sin(0.4 * clip.indices), atol=3)
  np.testing.assert_allclose(middles[:, 1], 276, atol=6)
  frames = {frame.index: frame.rgb for frame in read_frames(face_video)}
  for row in (0, 30, 59):
    x, y = middles[row].astype(int)
    patch, crop = frames[clip.indices[row]][y - 10 : y + 10, x - 10 : x + 10], clip.frames[row][26:38, 26:38]
    np.testing.assert_allclose(crop.mean((0, 1)), patch.mean((0, 1)), atol=6)


def test_aligned_crops_are_upright_where_the_head_is_not(tmp_path, portrait, extract):
  """The head tilts to and fro by 20 degrees: the crops' mouths stay level, by their landmarks' own measure."""
  images = []
  for i in range(70):
    matrix = cv2.getRotationMatrix2D((268, 250), 20 * np.sin(0.1 * i), 1)
    images.append(cv2.warpAffine(portrait, matrix, (512, 400)))
  path = write_video(tmp_path / 'tilt.mp4', images)
  clip = extract(path, ClipSpec(rule='uniform'))
  tilt = -20 * np.sin(0.1 * clip.indices)  # OpenCV's angles are counter-clockwise
  error = clip.angles - tilt
  np.testing.assert_allclose(error - np.median(error), 0, atol=2.5)  # the photograph's own tilt is not known
  spread = clip.frames.astype(float).std(axis=0).mean()
  assert spread < 0.5 * extract(path, ClipSpec(rule='uniform', alignment='box')).frames.astype(float).std(axis=0).mean()


def test_face_crops_hold_a_whole_face(face_video, extract, models):
  clip = extract(face_video, dataclasses.replace(SPECS['uniform_face_60x64'], size=160))
  [placement] = models.find(to_frame(clip.frames[10]))
  points, confidence = models.mesh(to_frame(clip.frames[10]), placement)
  assert confidence > 0.9
  np.testing.assert_allclose(points.mean(0), 80, atol=12)


def test_activity_is_measured_on_the_image_that_the_spec_names(face_video, tracks_of):
  """The whole picture sways by 1-2 pixels a frame; crops that follow the head hardly move."""
  activity = {on: tracks_of(face_video, ClipSpec(flow_on=on))[0].activity for on in ('lips', 'face', 'frame')}
  assert activity['frame'].mean() > 0.8
  assert activity['lips'].mean() < 0.5 * activity['frame'].mean()
  assert activity['face'].mean() < 0.5 * activity['frame'].mean()
  assert all(values[0] == 0 for values in activity.values())  # nothing to compare the first frame with


@pytest.mark.slow
def test_activity_compares_each_frame_with_the_one_before(face_video, tracks_of):
  [track] = tracks_of(face_video, ClipSpec(flow_on='frame'))
  luma = [frame.luma for frame in read_frames(face_video)]
  for i in (1, 2, 40, 69):
    assert track.activity[i] == pytest.approx(flow_activity(luma[i - 1], luma[i]), rel=1e-5)


def test_a_cut_is_no_activity(tmp_path, portrait, second_portrait, models):
  """Two shots that sway, of two people: on the whole frame too, the first frame after the cut has none before it."""
  shots = [image[:400, :512] for image in (portrait, second_portrait)]
  images = [np.roll(shot, round(3 * np.sin(0.5 * i)), axis=1) for shot in shots for i in range(15)]
  path = write_video(tmp_path / 'cut.mp4', images, crf='16')
  spec = ClipSpec(frames=10, flow_on='frame', faces='all')
  before, after = extract_clips(path, spec, models)
  assert set(before.indices) < set(range(1, 15))
  assert set(after.indices) < set(range(16, 30))
  assert max(before.activity.max(), after.activity.max()) < 3  # pixels per frame; the pictures move by up to 2


@pytest.mark.slow
def test_flow_selection_takes_the_most_active_frames(face_video, extract, tracks_of):
  spec = ClipSpec(frames=20, flow_on='frame')
  [track] = tracks_of(face_video, spec)
  clip = extract(face_video, spec)
  assert sorted(clip.indices) == sorted(np.argsort(-track.activity, kind='stable')[:20])
  np.testing.assert_allclose(clip.activity, track.activity[clip.indices], rtol=1e-6)


def test_activity_of_chosen_frames_is_that_of_their_crops(face_video, extract):
  """Measured in full on the very crops: frames that follow each other in the clip and in the video."""
  clip = extract(face_video)
  gray = [to_gray(frame) for frame in clip.frames]
  follows = [i for i in range(1, 60) if clip.indices[i] == clip.indices[i - 1] + 1]
  assert len(follows) > 30
  for i in follows:
    assert clip.activity[i] == pytest.approx(flow_activity(gray[i - 1], gray[i]), rel=1e-5)


def lips_of(tmp_path, heads, **spec):
  """The lips of a clip of all frames; heads: the landmarks seen in each, None between two looks."""
  gray = np.full((240, 320, 3), 128, np.uint8)
  path = write_video(tmp_path / 'v.mp4', [gray] * len(heads))
  seen = (
    (to_frame(gray, i), None if face is None else [tracks.KeyFace(0, 0, tracks._to_fixed(face))])
    for i, face in enumerate(heads)
  )
  for _ in face_records.record(seen, tmp_path / 'v.bin'):
    pass
  spec = ClipSpec(frames=len(heads), rule='uniform', **spec)
  analysis = analyse_video(path, spec, None, tmp_path / 'v.bin')  # no clip: there is no mouth to be seen
  [track] = analysis.tracks
  read = functools.partial(analysis.spool.read, 'lips', track.number)
  lips = FEATURES['lips'].measure(ChosenFrames(track, np.arange(len(heads)), read), spec)
  assert (lips.dtype, lips.shape) == (np.float32, (len(heads), 64, 2))
  return lips


@pytest.mark.parametrize('alignment', ['aligned', 'box'])
def test_lips_keep_still_upon_a_moving_head(tmp_path, alignment):
  """It sways, turns and comes near; landmarks are kept in eighths of a pixel, of mouths from 48 to 80 pixels wide."""
  heads = [head(80 + 20 * np.sin(i), 25 * np.sin(2 * i), 160 + 60j + 30 * np.exp(1j * i)) for i in range(12)]
  lips = lips_of(tmp_path, heads, alignment=alignment)
  assert np.abs(lips - lips[0]).max() < 0.006
  # The mouth is .8 eye distances wide: 1 in its own widths, .957 - .95 above its place in the mean face.
  np.testing.assert_allclose(lips[:, LIP_CORNERS], [[(-0.5, -0.00875), (0.5, -0.00875)]] * 12, atol=0.004)


def test_lips_move_with_an_opening_mouth(tmp_path):
  """By .2 eye distances, a quarter of its width, and back, on a head that turns; seen in every third frame."""
  opening = [0, 0.1, 0.2, 0.1, 0]
  keys = [head(100, 5 * i, 160 + 60j, opening=o) for i, o in enumerate(opening)]
  heads = [keys[i // 3] if i % 3 == 0 else None for i in range(13)]
  lips = lips_of(tmp_path, heads)
  down = np.interp(np.arange(13) / 3, np.arange(5), np.array(opening) / 0.8)
  lower = LIP_POINTS.index(17)
  np.testing.assert_allclose(lips[:, lower, 1] - lips[0, lower, 1], down, atol=0.004)
  still = np.delete(lips, lower, axis=1)
  assert np.abs(still - still[0]).max() < 0.004


def test_lips_of_a_photograph_keep_still(face_video, extract):
  """Whatever the crop: it sways by up to 2 pixels a frame, a 36th of its mouth's width."""
  for name in ('flow_lips_60x64', 'flow_lips_box_60x64'):
    lips = extract(face_video, SPECS[name]).features['lips']
    assert lips.std(axis=0).max() < 0.03
    width = lips[:, LIP_CORNERS[1]] - lips[:, LIP_CORNERS[0]]
    assert np.median(np.hypot(*width.T)) == pytest.approx(1, abs=1e-5)
    assert np.abs(width[:, 1]).max() < 0.1  # upright


@pytest.fixture(scope='module')
def talking(tmp_path_factory):
  """A demo video of 8 s: a portrait that talks and moves its head, 256x256."""
  from lipfake_jax.demo import videos

  spec = videos.DemoSpec(identities=3, test_only_identities=0, videos_per_identity=2, seconds=8)
  [video] = [v for v in videos.list_videos(spec) if v.method == 'original'][:1]
  frames = list(videos.render_frames(spec, video))
  return write_video(tmp_path_factory.mktemp('talking') / 'v.mp4', frames, crf='20')


def test_strides_and_screening_hardly_matter(talking, extract, tracks_of):
  """What is skipped by default, against landmarks in every frame and the flow of every frame."""
  exact, quick = ClipSpec(landmark_stride=1, screen=False), ClipSpec()
  [one], [other] = tracks_of(talking, exact), tracks_of(talking, quick)
  np.testing.assert_array_equal(one.indices, other.indices)
  corners = np.array([1 + 1j, 1 - 1j, -1 + 1j, -1 - 1j])
  shift = np.abs(
    (one.placements[:, :1] + one.placements[:, 1:] * corners)
    - (other.placements[:, :1] + other.placements[:, 1:] * corners)
  ).max(axis=1)
  assert np.percentile(shift, 95) < 0.02 * np.median(one.mouth_widths)
  same = set(extract(talking, exact).indices) & set(extract(talking, quick).indices)
  assert len(same) >= 0.95 * 60


@pytest.mark.parametrize('rule', ['top_k', 'even'])
@pytest.mark.parametrize('threshold', [0.2, 0.6, 1.0])
def test_screening_chooses_as_if_every_flow_were_measured(talking, extract, rule, threshold):
  """From nearly all frames active to a few."""
  spec = ClipSpec(rule=rule, threshold=threshold)
  screened, full = extract(talking, spec), extract(talking, dataclasses.replace(spec, screen=False))
  assert len(set(screened.indices) & set(full.indices)) >= 58


@pytest.mark.slow
def test_normalised_activity_means_the_same_at_any_size_and_rate(tmp_path, talking, extract):
  """The video at half the size, and with every second frame: raw activity changes, normalised activity hardly."""
  frames = [frame.rgb for frame, _ in zip(read_frames(talking), range(90), strict=False)]
  whole = write_video(tmp_path / 'whole.mp4', frames, crf='16')
  small = [cv2.resize(f, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for f in frames]
  paths = [
    write_video(tmp_path / 'small.mp4', small, crf='16'),
    write_video(tmp_path / 'slow.mp4', frames[::2], fps=12, crf='16'),
  ]
  for path, raw_ratio in zip(paths, (0.5, 1.5), strict=True):
    ratio = {}
    for normalise in (False, True):
      # On whole frames the pixels are the video's own; a crop's are not, whatever the video's size.
      spec = ClipSpec(rule='uniform', flow_on='frame', normalise=normalise, frames=40)
      ratio[normalise] = extract(path, spec).activity.mean() / extract(whole, spec).activity.mean()
    assert ratio[True] == pytest.approx(1, abs=0.3)
    assert abs(ratio[False] - 1) > abs(ratio[True] - 1)
    assert ratio[False] == pytest.approx(raw_ratio, rel=0.4)


def test_a_crop_s_activity_is_normalised_by_the_mouth_in_it(face_video, extract):
  """At 25 frames per second what remains is the mouth's width in the crop: measured pixels times 64 over that."""
  raw, normal = (extract(face_video, ClipSpec(rule='uniform', normalise=n)) for n in (False, True))
  in_crop = raw.mouth_width * 64 / (raw.boxes[:, 2] - raw.boxes[:, 0])
  moved = raw.activity > 0.01
  np.testing.assert_allclose(normal.activity[moved] / raw.activity[moved], 64 / in_crop[moved], rtol=0.03)


@pytest.mark.parametrize('alignment', ['aligned', 'box'])
def test_the_measured_crop_and_the_clip_s_may_differ(face_video, extract, alignment):
  """Lips are measured in both; what the clip itself shows does not change that."""
  spec = ClipSpec(rule='uniform', normalise=True, alignment=alignment, flow_on='lips')
  lips, lower = extract(face_video, spec), extract(face_video, dataclasses.replace(spec, region='lower_face'))
  np.testing.assert_allclose(lips.activity, lower.activity, rtol=1e-5)
  assert (lower.boxes[:, 2] - lower.boxes[:, 0] > 1.1 * (lips.boxes[:, 2] - lips.boxes[:, 0])).all()


def test_contiguous_windows_go_by_time(tmp_path, talking, models):
  """The same video at 50 frames a second, each shown twice: the same moments, every other frame of it."""
  frames = [frame.rgb for frame in read_frames(talking)]
  double = write_video(tmp_path / 'd.mp4', [f for f in frames for _ in (0, 1)], fps=50, crf='16')
  spec = dataclasses.replace(SPECS['contiguous_lips_60x64'], clips=3)
  found = extract_clips(double, spec, models, 'v')
  assert [clip.key for clip in found] == ['v', 'v#2', 'v#3']
  for clip in found:
    np.testing.assert_array_equal(np.diff(clip.indices), 2)
    np.testing.assert_allclose(clip.gaps[1:], 1 / 25, atol=1e-3)
  taken = [i for clip in found for i in clip.indices]
  assert len(set(taken)) == 180
  assert found[0].activity.mean() >= found[1].activity.mean() * 0.9  # ranked by an estimate


@pytest.fixture(scope='module')
def couple(tmp_path_factory, portrait, talking):
  """A large face on the left that keeps still, a smaller one on the right that talks; 70 frames."""
  still = portrait[60:380, 80:400]
  images = []
  for frame, _ in zip(read_frames(talking), range(70), strict=False):
    right = np.zeros((320, 240, 3), np.uint8)
    right[40:280] = cv2.resize(frame.rgb, (240, 240), interpolation=cv2.INTER_AREA)
    images.append(np.hstack([still, right]))
  return write_video(tmp_path_factory.mktemp('couple') / 'c.mp4', images, crf='16')


def test_of_two_people_the_policy_decides(couple, models):
  found = {
    faces: extract_clips(couple, ClipSpec(faces=faces), models, 'c')
    for faces in ('largest', 'most_active_mouth', 'all')
  }
  middle = {faces: clips[0].boxes[:, [0, 2]].mean() for faces, clips in found.items() if faces != 'all'}
  assert middle['largest'] < 320 < middle['most_active_mouth']
  assert [clip.key for clip in found['all']] == ['c', 'c#2']
  assert len({clip.track for clip in found['all']}) == 2


def rejected(models, path, spec=SPECS['flow_lips_60x64']):
  result = extract_clips(path, spec, models)
  assert isinstance(result, Rejection)
  assert result.key == path.name
  return result.reason, result.detail


def test_rejections_name_their_reason(tmp_path, models, portrait, face_video, blank_video, text_video):
  assert rejected(models, text_video)[0] == 'unreadable'
  assert rejected(models, blank_video) == ('no_face', 'no face in any of its 70 frames')
  short = write_video(tmp_path / 'short.mp4', [portrait[:400]] * 20)
  assert rejected(models, short) == ('too_short', '20 of its 20 frames show a face, 60 are needed')
  strict = ClipSpec(below='drop', threshold=50)
  assert rejected(models, face_video, strict) == ('too_few_active', '0 frames over 50 px per frame, 60 are needed')
  reason, detail = rejected(models, short, SPECS['contiguous_lips_60x64'])
  assert (reason, detail.split(',')[0]) == ('too_short', 'no face is in view for 2.4 s without a break')


def test_missing_and_empty_files_are_rejections(tmp_path, models):
  assert rejected(models, tmp_path / 'none.mp4')[0] == 'unreadable'
  (tmp_path / 'empty.mp4').touch()
  assert rejected(models, tmp_path / 'empty.mp4')[0] == 'unreadable'


@pytest.mark.parametrize('size', [(16, 16), (2, 2), (720, 16)])
def test_frames_of_any_size(tmp_path, models, size):
  path = write_video(tmp_path / 'tiny.mkv', [np.full((*size, 3), 90, np.uint8)] * 5, codec='ffv1', pix_fmt='bgr0')
  assert rejected(models, path) == ('no_face', 'no face in any of its 5 frames')


def test_one_frame_is_too_short(tmp_path, models, portrait):
  path = write_video(tmp_path / 'one.mp4', [portrait[:400]])
  assert rejected(models, path) == ('too_short', '1 of its 1 frames show a face, 60 are needed')


def test_a_face_before_and_after_a_cut_is_not_one_track(tmp_path, models, portrait):
  gray = np.full_like(portrait[:400], 128)
  path = write_video(tmp_path / 'gap.mp4', [portrait[:400]] * 40 + [gray] * 10 + [portrait[:400]] * 30)
  assert rejected(models, path)[1] == '40 of its 80 frames show one face without a break (2 tracks), 60 are needed'
  [clip] = extract_clips(path, ClipSpec(frames=30), models)
  assert set(clip.indices) <= set(range(40))


def test_a_bad_spec_names_the_choices():
  with pytest.raises(UserError, match='uniform, top_k, even, contiguous'):
    ClipSpec(rule='best')
  with pytest.raises(UserError, match='landmark_stride=0'):
    ClipSpec(landmark_stride=0)
  with pytest.raises(UserError, match="rule='contiguous' only"):
    ClipSpec(clips=2)


LONG = """
import resource, sys
from pathlib import Path
from lipfake_jax.core.clip_spec import ClipSpec
from lipfake_jax.clips.clips import extract_clips
from lipfake_jax.clips.landmarks import open_face_models
with open_face_models() as models:
  for path in sys.argv[1:]:
    assert isinstance(extract_clips(Path(path), ClipSpec(), models), list)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_length_of_a_video(tmp_path, portrait):
  """10 s against 7 minutes of one video: 10,000 crops are 123 MB, landmarks 19 MB, of which little may be seen."""
  small = cv2.resize(portrait[:400], (160, 125), interpolation=cv2.INTER_AREA)[:124]
  frames = [np.roll(small, i % 5, axis=1) for i in range(10)]
  paths = [
    write_video(tmp_path / f'{count}.mp4', (frames[i % 10] for i in range(count)), preset='ultrafast', size=(124, 160))
    for count in (250, 10_000)
  ]
  done = subprocess.run([sys.executable, '-c', LONG, *map(str, paths)], capture_output=True, text=True, check=False)
  assert done.returncode == 0, done.stderr
  short_kib, long_kib = map(int, done.stdout.split())
  assert long_kib - short_kib < 60 * 1024  # of which 32 MB of crops are meant to stay in memory
