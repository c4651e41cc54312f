"""Faces over time: who is followed, where tracks and segments end, and how placements are smoothed."""

import dataclasses

import numpy as np
import pytest

from lipfake_jax.clips import face_records, tracks
from lipfake_jax.clips.tracks import KeyFace, find_faces, place_faces
from lipfake_jax.clips.video import read_frames
from tests.conftest import to_frame, write_video


def frames_of(images):
  return [to_frame(image, index) for index, image in enumerate(images)]


def look(images, models, stride=1):
  """{track: indices of the key frames that show it}, and the same for segments."""
  by_track: dict[int, list[int]] = {}
  by_segment: dict[int, list[int]] = {}
  for frame, seen in find_faces(frames_of(images), models, stride):
    for face in seen or []:
      by_track.setdefault(face.track, []).append(frame.index)
      by_segment.setdefault(face.segment, []).append(frame.index)
  return by_track, by_segment


@pytest.fixture(scope='module')
def hopper(portrait):
  return portrait[80:400, 100:420]


@pytest.fixture(scope='module')
def astronaut(second_portrait):
  return second_portrait[20:340, 60:380]


GRAY = np.full((320, 320, 3), 128, np.uint8)


@pytest.mark.parametrize(('stride', 'keys'), [(1, range(12)), (3, (0, 3, 6, 9, 11)), (4, (0, 4, 8, 11))])
def test_every_stride_th_frame_and_the_last_are_key_frames(models, hopper, stride, keys):
  seen = list(find_faces(frames_of([hopper] * 12), models, stride))
  assert [frame.index for frame, _ in seen] == list(range(12))
  assert [frame.index for frame, found in seen if found is not None] == list(keys)
  assert all(len(found) == 1 for _, found in seen if found is not None)


@pytest.mark.parametrize(('other', 'tracks_found'), [(False, 1), (True, 2)])
def test_after_a_leap_a_face_in_its_place_is_the_same_unless_the_picture_is_another(
  models, hopper, astronaut, other, tracks_found
):
  """A minute is left out; both frames at the leap are key frames, and a new segment begins."""
  after = astronaut if other else np.roll(hopper, 4, axis=1)
  frames = [to_frame(image, index) for index, image in enumerate([hopper] * 5 + [after] * 5)]
  leap = dataclasses.replace(frames[5], leaps=True)
  late = [dataclasses.replace(frame, index=frame.index + 1500, time_s=frame.time_s + 60) for frame in frames[6:]]
  seen = list(find_faces([*frames[:5], dataclasses.replace(leap, index=1505, time_s=60.2), *late], models, 3))
  assert [frame.index for frame, found in seen if found is not None] == [0, 3, 4, 1505, 1508, 1509]
  assert len({face.track for _, found in seen for face in found or ()}) == tracks_found
  assert len({face.segment for _, found in seen for face in found or ()}) == 2


def test_two_people_are_two_tracks(models, hopper, astronaut):
  by_track, _ = look([np.hstack([hopper, astronaut])] * 6, models)
  assert [frames for frames in by_track.values()] == [list(range(6))] * 2


def test_someone_who_comes_later_is_found_within_a_second(models, hopper, astronaut):
  alone, both = np.hstack([hopper, GRAY]), np.hstack([hopper, astronaut])
  fade = [cv for cv in (alone * (1 - a) + both * a for a in np.linspace(0, 1, 12))]  # no cut: slowly
  by_track, _ = look([alone] * 3 + [f.astype(np.uint8) for f in fade] + [both] * 40, models, stride=2)
  assert len(by_track) == 2
  assert by_track[0][0] == 0
  assert 3 < by_track[1][0] <= 15 + 26


def test_a_cut_ends_a_track(models, hopper, astronaut):
  """Also where the next shot's face is in the same place; both frames at the cut are key frames."""
  by_track, _ = look([hopper] * 14 + [astronaut] * 14, models, stride=5)
  assert by_track == {0: [0, 5, 10, 13], 1: [14, 19, 24, 27]}


def test_a_jump_within_a_take_is_a_cut(models, hopper):
  """The same scene, the camera's picture moved by 30 pixels from one frame to the next."""
  moved = np.roll(hopper, 30, axis=1)
  by_track, _ = look([hopper] * 15 + [moved] * 10, models, stride=4)
  assert list(by_track) == [0, 1]
  assert by_track[0][-1] == 14


def test_a_flickering_light_is_no_cut(models, hopper):
  bright = [np.clip(hopper.astype(int) + 12 * (i % 2), 0, 255).astype(np.uint8) for i in range(24)]
  by_track, _ = look(bright, models, stride=3)
  assert list(by_track) == [0]


def hide(image):
  """A gray patch over the face, the rest as it was."""
  hidden = image.copy()
  hidden[60:300, 60:270] = 128
  return hidden


@pytest.mark.parametrize(('away', 'n_tracks'), [(10, 1), (45, 2)])
def test_a_face_that_comes_back_soon_keeps_its_track(models, hopper, away, n_tracks):
  """Less than a second away: one track, two segments. The patch fades in and out, so that nothing is a cut."""
  fade = [(hopper * (1 - a) + hide(hopper) * a).astype(np.uint8) for a in np.linspace(0, 1, 8)]
  images = [hopper] * 5 + fade + [hide(hopper)] * away + fade[::-1] + [hopper] * 5
  by_track, by_segment = look(images, models)
  assert len(by_track) == n_tracks
  assert len(by_segment) == 2


def place_middle(landmarks):
  """One region: the mean of all points, half a side of 10."""
  middle = landmarks.mean(axis=0)
  return np.array([[complex(*middle), 10]])


def trace_middle(landmarks):
  """In place of lips."""
  return landmarks.mean(axis=0) @ [1, 1j] * np.ones(1)


def key_face(x, y, segment=0, track=0):
  return KeyFace(segment, track, np.round(np.tile([[x, y]], (468, 1)) * tracks.FIXED_POINT).astype(np.int16))


def followed(seen, half_window_s):
  """Frame index -> its faces, as placed by `place_faces`."""
  black = np.zeros((8, 8, 3), np.uint8)
  stream = ((to_frame(black, index), found) for index, found in enumerate(seen))
  return {f.index: faces for f, faces in place_faces(stream, place_middle, trace_middle, half_window_s)}


def centres(seen, half_window_s):
  """Frame index -> centres of its faces."""
  return {i: [face.placements[0, 0] for face in faces] for i, faces in followed(seen, half_window_s).items()}


def test_between_key_frames_placements_are_interpolated():
  seen = [[key_face(0, 100)], None, None, None, [key_face(8, 104)]]
  assert centres(seen, 0) == {i: [2 * i + 1j * (100 + i)] for i in range(5)}


def test_a_segment_ends_with_its_last_key_frame():
  seen = [
    [key_face(0, 0)],
    None,
    [key_face(4, 0)],
    None,
    [],
    None,
    [key_face(90, 0, segment=1)],
    None,
    [key_face(90, 0, 1)],
  ]
  placed = centres(seen, 0.2)
  assert [len(placed[i]) for i in range(9)] == [1, 1, 1, 0, 0, 0, 1, 1, 1]
  assert placed[6][0] == 90  # nothing of the other segment is mixed in


def test_smoothing_takes_out_jitter_and_keeps_steady_motion():
  jitter = [[key_face(100 + (-1) ** i, 50)] for i in range(40)]
  moving = [[key_face(2 * i, 50)] for i in range(40)]
  assert max(abs(centres(jitter, 0.3)[i][0] - (100 + 50j)) for i in range(8, 32)) < 0.05
  for i in range(8, 32):
    assert centres(moving, 0.3)[i][0] == pytest.approx(2 * i + 50j, abs=0.01)


def test_lips_are_interpolated_and_not_smoothed():
  seen = [[key_face(100 + 8 * (i % 2), 50)] if j == 0 else None for i in range(12) for j in range(4)]
  faces = followed([*seen, [key_face(100, 50)]], 0.3)
  way = [8, 6, 4, 2, 0, 2, 4, 6, 8]
  np.testing.assert_allclose([faces[i][0].lips[0] for i in range(20, 29)], 100 + 50j + np.array(way))
  assert abs(faces[24][0].placements[0, 0] - (104 + 50j)) < 1


def test_smoothing_looks_ahead_as_far_as_back():
  """A step is centred on its place, not after it."""
  step = [[key_face(100 * (i >= 20), 0)] for i in range(40)]
  placed = centres(step, 0.3)
  assert placed[19][0].real + placed[20][0].real == pytest.approx(100, abs=0.1)
  assert placed[12][0].real == pytest.approx(0, abs=0.1)
  assert placed[27][0].real == pytest.approx(100, abs=0.1)


def test_frames_wait_no_longer_than_the_window():
  """Memory: a frame leaves once the window ahead of it is known."""
  black = np.zeros((8, 8, 3), np.uint8)
  taken = 0

  def stream():
    nonlocal taken
    for index in range(200):
      taken = index
      yield to_frame(black, index), [key_face(index, 0)]

  for frame, _ in place_faces(stream(), place_middle, trace_middle, 0.3):
    assert taken - frame.index <= 0.3 * 25 + 1


def test_stored_faces_are_the_same(tmp_path, models, hopper):
  path = write_video(tmp_path / 'v.mp4', [np.roll(hopper, i // 3, axis=1) for i in range(20)] + [GRAY] * 10)
  store = tmp_path / 'faces' / 'v.bin'
  first = list(face_records.record(find_faces(read_frames(path), models, 3), store))
  again = list(tracks.replay_faces(read_frames(path), face_records.read(store)))
  assert len(first) == len(again) == 30
  for (_, one), (_, other) in zip(first, again, strict=True):
    assert (one is None) == (other is None)
    for a, b in zip(one or [], other or [], strict=True):
      assert (a.segment, a.track) == (b.segment, b.track)
      np.testing.assert_array_equal(a.landmarks, b.landmarks)


def test_faces_that_were_not_finished_are_not_kept(tmp_path, models, hopper):
  store = tmp_path / 'v.bin'
  stream = face_records.record(find_faces(frames_of([hopper] * 5), models, 1), store)
  next(stream)
  stream.close()
  assert list(tmp_path.iterdir()) == []
