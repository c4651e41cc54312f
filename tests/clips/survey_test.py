"""A survey keeps the windows of all faces of a video, and says why there are none."""

import json

import numpy as np
import pytest

from lipfake_jax.clips import stretches, survey
from lipfake_jax.clips.clips import Rejection
from lipfake_jax.clips.video import VideoInfo, from_rgb
from lipfake_jax.core.clip_spec import ClipSpec
from tests.conftest import write_video

SPEC = ClipSpec(rule='contiguous', frames=6, size=16)


def take(video, folder, models, most=survey.DENSE, spec=SPEC):
  reason = survey.survey_video((video, folder), spec, models, most=most, stop=folder / 'stop', progress=None)
  facts, groups = survey.read_survey(folder)
  assert facts['reason'] == reason
  return facts, [clip for group in groups for clip in group]


def test_windows_reach_from_the_first_frame_of_a_face_to_the_last(face_video, tmp_path, models):
  """70 frames at 25 a second: 12 windows of 6."""
  facts, clips = take(face_video, tmp_path / 'a', models)
  assert (facts['frames'], facts['fps'], facts['width'], facts['height']) == (70, 25.0, 512, 400)
  assert facts['duration_s'] == pytest.approx(69 / 25, abs=1e-3)
  assert len(clips) == 12
  assert (clips[0].indices[0], clips[-1].indices[-1]) == (0, 69)
  [person] = facts['people']
  assert (person['from_s'], person['share']) == (0.0, 1.0)
  assert person['mouth_px'] == pytest.approx(72, abs=3)  # as the photograph's
  assert clips[0].frames.shape == (6, 16, 16, 3)


def test_few_windows_are_those_that_were_asked_for(face_video, tmp_path, models):
  _, clips = take(face_video, tmp_path / 'a', models, most=2)
  assert [clip.indices[0] for clip in clips] == [0, 64]


def test_a_long_video_is_looked_at_in_stretches_and_a_face_in_its_place_is_one_person(
  portrait, tmp_path, models, monkeypatch
):
  """Of 70 frames 10 in each of 3 stretches; a window holds 6, so each stretch has 2."""
  for name, seconds in {'LONG_S': 2.0, 'LOOKED_AT_S': 1.2, 'STRETCH_S': 0.4}.items():
    monkeypatch.setattr(stretches, name, seconds)
  sway = [np.roll(portrait[:400], round(6 * np.sin(0.4 * i)), axis=1) for i in range(70)]
  video = write_video(tmp_path / 'long.mp4', sway, g='10', keyint_min='10', sc_threshold='0')
  facts, clips = take(video, tmp_path / 'a', models, most=120)
  assert (len(facts['people']), facts['frames'], facts['duration_s']) == (1, 30, 2.8)
  assert facts['notes'] == ['3 stretches of 0.4 s were looked at, spread over 3 s: --dense looks at all']
  assert sorted(clip.indices[0] for clip in clips) == [0, 4, 30, 34, 60, 64]
  facts, clips = take(video, tmp_path / 'b', models)
  assert (facts['frames'], facts['notes'], len(clips)) == (70, [], 12)


def test_frames_that_are_made_ahead_give_the_same_windows(face_video, tmp_path, models):
  _, clips = take(face_video, tmp_path / 'a', models)
  survey.survey_video((face_video, tmp_path / 'b'), SPEC, models, survey.DENSE, tmp_path / 'stop', None, ahead=4)
  for name in (path.name for path in (tmp_path / 'a').glob('*.npz')):
    assert (tmp_path / 'a' / name).read_bytes() == (tmp_path / 'b' / name).read_bytes()
  assert (tmp_path / 'a' / survey.FACTS).read_text() == (tmp_path / 'b' / survey.FACTS).read_text()
  assert len(clips) == 12


def test_two_faces_have_windows_each(portrait, second_portrait, tmp_path, models):
  """Side by side, for 8 frames; a window holds 6."""
  both = np.hstack([second_portrait[:300, 60:400], portrait[100:400]])
  facts, clips = take(write_video(tmp_path / 'two.mp4', [both] * 8), tmp_path / 'a', models)
  assert len(facts['people']) == 2
  assert [clip.track for clip in clips] == [0, 0, 1, 1]


def test_a_video_without_windows_has_a_reason(blank_video, text_video, face_video, tmp_path, models):
  assert take(blank_video, tmp_path / 'a', models)[0]['reason'] == 'no_face'
  assert take(text_video, tmp_path / 'b', models)[0]['reason'] == 'unreadable'
  assert take(tmp_path / 'none.mp4', tmp_path / 'c', models)[0]['sha256'] is None
  long = ClipSpec(rule='contiguous', frames=80, size=16)
  assert take(face_video, tmp_path / 'd', models, spec=long)[0]['reason'] == 'too_short'


def test_after_a_stop_no_video_is_begun(face_video, tmp_path, models):
  (tmp_path / 'a').mkdir()
  (tmp_path / 'a' / 'stop').touch()
  facts, clips = take(face_video, tmp_path / 'a', models)
  assert (facts['reason'], clips) == ('interrupted', [])


def test_a_stop_ends_the_video_where_it_is(tmp_path):
  """The file is looked for at every 25th frame."""
  frames = (from_rgb(np.zeros((8, 8, 3), np.uint8), index, index / 25) for index in range(100))
  seen = []
  for frame in survey._watch(frames, VideoInfo(25.0, 8, 8, 'h264', 4.0), tmp_path / 'stop', '', None):
    seen.append(frame.index)
    if frame.index == 30:
      (tmp_path / 'stop').touch()
  assert seen == list(range(51))


def test_progress_tells_how_long_it_takes_yet(tmp_path, capsys, monkeypatch):
  """A clock that goes 2 s with each look: 50 of 100 frames took 4 s, so 4 s are left."""
  times = iter(range(0, 1000, 2))
  monkeypatch.setattr(survey.time, 'monotonic', lambda: next(times))
  frames = (from_rgb(np.zeros((8, 8, 3), np.uint8), index, index / 25) for index in range(100))
  list(survey._watch(frames, VideoInfo(25.0, 8, 8, 'h264', 4.0), tmp_path / 'stop', 'talk.mp4', survey.tell_terminal))
  assert 'talk.mp4: 50% looked at, 0:' in capsys.readouterr().err


@pytest.mark.parametrize(('left_s', 'words'), [(59.4, '0:59'), (119.7, '2:00'), (3600.0, '60:00')])
def test_a_minute_has_sixty_seconds(left_s, words, capsys):
  survey.tell_terminal('a', 0.5, left_s)
  assert capsys.readouterr().err.endswith(f'a: 50% looked at, {words} left')


def test_a_survey_whose_worker_died_has_its_reason(face_video, tmp_path):
  survey.save_rejection(tmp_path / 'a', face_video, Rejection('timeout', 'it took more than 5 s', ''))
  facts = json.loads((tmp_path / 'a' / survey.FACTS).read_text())
  assert (facts['reason'], facts['people'], len(facts['sha256'])) == ('timeout', [], 64)
