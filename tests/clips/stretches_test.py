"""Long videos are looked at in stretches; where that can't be, all is looked at and said so."""

import numpy as np
import pytest

from lipfake_jax.clips import stretches
from lipfake_jax.clips.container import VideoError
from lipfake_jax.clips.stretches import Plan, find_starts, plan_stretches, read_stretches
from lipfake_jax.clips.video import VideoInfo, probe, read_frames
from lipfake_jax.core.clip_spec import ClipSpec
from tests.conftest import write_video

SPEC = ClipSpec(rule='contiguous', frames=6, size=16)
PLACES = (0.0, 3.0, 6.0)  # seconds


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
  """200 frames, 8 s, each of a gray of its own, with a key frame in every tenth, in several containers."""
  folder = tmp_path_factory.mktemp('long')
  frames = [np.full((32, 32, 3), index, np.uint8) for index in range(200)]
  for name in ('a.mp4', 'a.mkv', 'a.avi', 'a.ts', 'a.webm'):
    codec = {'a.webm': 'libvpx', 'a.avi': 'mpeg4'}.get(name, 'libx264')
    write_video(folder / name, frames, codec, g='10', keyint_min='10', sc_threshold='0')
  write_video(folder / 'one_key_frame.mp4', frames, g='1000', sc_threshold='0')
  write_video(folder / 'no_index.h264', frames, g='10', sc_threshold='0')
  cut = (folder / 'a.mkv').read_bytes()
  (folder / 'cut_off.mkv').write_bytes(cut[: len(cut) // 2])
  return folder


@pytest.fixture
def short_limits(monkeypatch):
  """What lasts more than 4 s is long, and 2 s of it are looked at, in half seconds."""
  for name, seconds in {'LONG_S': 4.0, 'LOOKED_AT_S': 2.0, 'STRETCH_S': 0.5}.items():
    monkeypatch.setattr(stretches, name, seconds)


@pytest.mark.parametrize('name', ['a.mp4', 'a.mkv', 'a.webm'])
def test_a_stretch_begins_with_the_key_frame_before_its_place(folder, name):
  """Key frames are .4 s apart: 2.8 s is the last one before 3 s."""
  starts = find_starts(folder / name, PLACES, 1.0)
  assert [start.time_s for start in starts] == pytest.approx([0.0, 2.8, 6.0])


def test_a_broadcast_without_an_index_is_sought_in_by_its_bytes(folder):
  """Where it lands is about there: within a stretch."""
  starts = find_starts(folder / 'a.ts', PLACES, 1.0)
  assert [start.time_s for start in starts] == pytest.approx(PLACES, abs=1.0)


@pytest.mark.parametrize('name', ['a.mp4', 'a.mkv', 'a.avi', 'a.webm'])
def test_frames_of_stretches_are_those_that_the_whole_file_has(folder, name):
  whole = {frame.index: frame for frame in read_frames(folder / name)}
  found = list(read_stretches(folder / name, Plan(tuple(find_starts(folder / name, PLACES, 0.4)), 0.4)))
  assert len(found) == 30
  assert [frame.index for frame in found if frame.leaps] == [found[10].index, found[20].index]
  assert len(set(np.diff([frame.index for frame in found])) - {1}) == 2  # no two stretches adjoin
  for frame in found:
    [same] = [other for other in whole.values() if abs(other.time_s - frame.time_s) < 0.01]
    np.testing.assert_array_equal(frame.luma, same.luma)


def test_stretches_do_not_overlap(folder):
  """Key frames at 0, .4, .8 and 2.8 s; a stretch is 1 s."""
  starts = find_starts(folder / 'a.mp4', (0.0, 0.5, 1.0, 3.0), 1.0)
  assert [start.time_s for start in starts] == pytest.approx([0.0, 2.8])


@pytest.mark.parametrize('name', ['cut_off.mkv', 'no_index.h264', 'one_key_frame.mp4'])
def test_places_that_are_not_reached_are_no_plan(folder, name):
  assert find_starts(folder / name, (*PLACES, 7.5), 1.0) == []


def test_a_plan_says_what_is_left_out(folder, short_limits):
  plan = plan_stretches(folder / 'a.mp4', probe(folder / 'a.mp4'), SPEC)
  assert len(plan.starts) == 4
  assert plan.notes == ('4 stretches of 0.5 s were looked at, spread over 8 s: --dense looks at all',)


def test_a_window_fits_into_a_stretch(folder, short_limits):
  """20 frames at 25 a second are .8 s, and a quarter more."""
  spec = ClipSpec(rule='contiguous', frames=20, size=16)
  assert plan_stretches(folder / 'a.mp4', probe(folder / 'a.mp4'), spec).length_s == 1.0
  assert stretches.window_s(VideoInfo(10.0, 8, 8, 'h264', 9.0), ClipSpec(frames=60)) == 6.0


def test_short_videos_are_looked_at_whole(folder):
  assert plan_stretches(folder / 'a.mp4', probe(folder / 'a.mp4'), SPEC) == Plan()


@pytest.mark.parametrize(('name', 'seconds'), [('one_key_frame.mp4', 8.0), ('cut_off.mkv', 8.0), ('a.mp4', 14400.0)])
def test_a_file_that_can_not_be_sought_in_is_looked_at_whole_and_says_so(folder, short_limits, name, seconds):
  """The last one claims to last four hours."""
  plan = plan_stretches(folder / name, VideoInfo(25.0, 32, 32, 'h264', seconds), SPEC)
  assert plan.starts == ()
  assert plan.notes == ('it can not be sought in, or has too few key frames: all of it was looked at',)


def test_what_a_model_measures_on_a_whole_face_is_not_cut(folder, short_limits):
  assert plan_stretches(folder / 'a.mp4', probe(folder / 'a.mp4'), ClipSpec(size=16, frames=6, motion=True)) == Plan()


def test_stretches_of_which_none_decodes_are_no_video(folder):
  with pytest.raises(VideoError, match='no frame'):
    list(read_stretches(folder / 'a.mp4', Plan((stretches.Start(10**9, 10**5),), 1.0)))
