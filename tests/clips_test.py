import dataclasses

import numpy as np
import pytest
from conftest import write_video

from lipfake_jax.clips import SPECS, Clip, ClipSpec, Rejection, analyse_video, extract_clip
from lipfake_jax.errors import UserError
from lipfake_jax.flow import flow_activity, to_gray
from lipfake_jax.landmarks import has_face, open_face_mesh
from lipfake_jax.video import read_frames


@pytest.mark.parametrize('name', SPECS)
def test_every_strategy_yields_its_clip(face_video, name):
  spec = SPECS[name]
  clip = extract_clip(face_video, spec, 'a/face.mp4')
  assert isinstance(clip, Clip)
  assert clip.key == 'a/face.mp4'
  assert clip.frames.shape == (spec.frames, spec.size, spec.size, 3)
  assert clip.frames.dtype == np.uint8
  assert (np.diff(clip.indices) > 0).all()
  np.testing.assert_allclose(clip.times, clip.indices / 25, atol=1e-5)
  assert clip.fps == 25


def test_crops_show_the_mouth_of_their_frames(face_video, portrait):
  clip = extract_clip(face_video, SPECS['flow_lips_60x64'])
  # The portrait's mouth is 72 pixels wide, around (268, 276), and sways by 6: boxes are 1.5 mouths wide.
  np.testing.assert_allclose(clip.boxes[:, 2] - clip.boxes[:, 0], 108, atol=8)
  np.testing.assert_allclose(clip.boxes[:, [0, 2]].mean(1), 268 + 6 * np.sin(0.4 * clip.indices), atol=3)
  np.testing.assert_allclose(clip.boxes[:, [1, 3]].mean(1), 276, atol=6)
  frames = {frame.index: frame.rgb for frame in read_frames(face_video)}
  for row in (0, 30, 59):
    x, y = clip.boxes[row, :2].astype(int) + 54
    patch, crop = frames[clip.indices[row]][y - 10 : y + 10, x - 10 : x + 10], clip.frames[row][26:38, 26:38]
    np.testing.assert_allclose(crop.mean((0, 1)), patch.mean((0, 1)), atol=6)


def test_face_crops_hold_a_whole_face(face_video):
  clip = extract_clip(face_video, dataclasses.replace(SPECS['uniform_face_60x64'], size=160))
  with open_face_mesh(static=True) as detect:
    points = detect(clip.frames[10])
  assert has_face(points)
  np.testing.assert_allclose(points.mean(0), 80, atol=12)


def test_activity_is_measured_on_the_image_that_the_spec_names(face_video):
  """The whole picture sways by 1-2 pixels a frame; crops that follow the mouth hardly move."""
  activity = {on: analyse_video(face_video, ClipSpec(flow_on=on)).activity for on in ('lips', 'face', 'frame')}
  assert activity['frame'].mean() > 0.8
  assert activity['lips'].mean() < 0.5 * activity['frame'].mean()
  assert activity['face'].mean() < 0.5 * activity['frame'].mean()
  assert all(values[0] == 0 for values in activity.values())  # nothing to compare the first frame with


def test_activity_compares_each_frame_with_the_one_before(face_video):
  activity = analyse_video(face_video, ClipSpec(flow_on='frame')).activity
  gray = [to_gray(frame.rgb) for frame in read_frames(face_video)]
  for i in (1, 2, 40, 69):
    assert activity[i] == pytest.approx(flow_activity(gray[i - 1], gray[i]), rel=1e-5)


def test_flow_selection_takes_the_most_active_frames(face_video):
  spec = ClipSpec(frames=20, flow_on='frame')
  activity = analyse_video(face_video, spec).activity
  clip = extract_clip(face_video, spec)
  assert sorted(clip.indices) == sorted(np.argsort(-activity, kind='stable')[:20])
  np.testing.assert_array_equal(clip.activity, activity[clip.indices])


def rejected(path, spec=SPECS['flow_lips_60x64']):
  result = extract_clip(path, spec)
  assert isinstance(result, Rejection)
  assert result.key == path.name
  return result.reason, result.detail


def test_rejections_name_their_reason(tmp_path, portrait, face_video, blank_video, text_video):
  assert rejected(text_video)[0] == 'unreadable'
  assert rejected(blank_video) == ('no_face', 'no face in any of its 70 frames')
  short = write_video(tmp_path / 'short.mp4', [portrait[:400]] * 20)
  assert rejected(short) == ('too_short', '20 of its 20 frames show a face, 60 are needed')
  reason, detail = rejected(face_video, ClipSpec(below='drop', threshold=50))
  assert (reason, detail) == ('too_few_active', '0 frames over 50 px per frame, 60 are needed')


def test_missing_and_empty_files_are_rejections(tmp_path):
  assert rejected(tmp_path / 'none.mp4')[0] == 'unreadable'
  (tmp_path / 'empty.mp4').touch()
  assert rejected(tmp_path / 'empty.mp4')[0] == 'unreadable'


def test_frames_without_a_face_are_passed_over(tmp_path, portrait):
  gray = np.full_like(portrait[:400], 128)
  path = write_video(tmp_path / 'gap.mp4', [portrait[:400]] * 40 + [gray] * 10 + [portrait[:400]] * 30)
  clip = extract_clip(path, SPECS['uniform_lips_30x32'])
  assert not set(clip.indices) & set(range(41, 50))  # the tracker may hold on for one frame
  assert clip.indices[-1] == 79


def test_a_bad_spec_names_the_choices():
  with pytest.raises(UserError, match='uniform, top_k, even'):
    ClipSpec(rule='best')
