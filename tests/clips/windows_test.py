"""Windows leave nothing of a face out, and are few where a video is long."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from lipfake_jax.clips import selection, windows
from lipfake_jax.clips.face_track import Track
from lipfake_jax.core.clip_spec import ClipSpec

CONTIGUOUS = ClipSpec(rule='contiguous', frames=4, rate=10.0, size=8)


def make_track(times, segments=None) -> Track:
  """A track with an activity that rises from frame to frame."""
  times = np.asarray(times, float)
  n = len(times)
  return Track(
    number=0, indices=np.arange(n), times=times, segments=np.zeros(n, int) if segments is None else np.array(segments),
    activity=np.arange(n, dtype=float), measured=np.ones(n, bool), lips_activity=np.ones(n),
    placements=np.ones((n, 2), complex), mouth_widths=np.ones(n), flow_sides=np.ones(n),
    looks=np.ones((1, 3), np.float32),
  )  # fmt: skip


def positions(monkeypatch, track, spec, most=windows.MOST):
  """The frames of each window, in place of its clip."""
  monkeypatch.setattr(windows, 'cut_clip', lambda analysis, track, where, left_out, spec, key: where.tolist())
  return list(windows.cut_windows(SimpleNamespace(spool=None), track, spec, most))


@pytest.mark.parametrize(
  ('length', 'n', 'most', 'starts'),
  [
    (12, 4, 9, [0, 4, 8]),  # they adjoin
    (10, 4, 9, [0, 3, 6]),  # they overlap as little as it takes
    (4, 4, 9, [0]),
    (3, 4, 9, []),
    (100, 4, 3, [0, 48, 96]),  # thinned out, from end to end
    (100, 4, 1, [0]),
  ],
)
def test_windows_are_spread_over_all_moments(length, n, most, starts):
  assert windows.spread(length, n, most).tolist() == starts


@pytest.mark.parametrize(('most', 'starts'), [(9, [0, 2, 4, 6]), (2, [0, 6])])
def test_windows_can_begin_every_so_many_moments(most, starts):
  """Of 11 moments; a window of 4 that began at the eighth would not end."""
  assert windows.spread(11, 4, most, step=2).tolist() == starts


def test_contiguous_windows_show_each_moment_of_a_face(monkeypatch):
  found = positions(monkeypatch, make_track(np.arange(10) / 10), CONTIGUOUS)
  assert found == [[0, 1, 2, 3], [3, 4, 5, 6], [6, 7, 8, 9]]


def test_they_keep_the_rate_of_the_spec_at_any_rate_of_the_video(monkeypatch):
  """Of 20 frames a second each second one."""
  found = positions(monkeypatch, make_track(np.arange(16) / 20), CONTIGUOUS)
  assert found == [[0, 2, 4, 6], [8, 10, 12, 14]]


def test_no_window_reaches_across_a_gap_or_a_pause(monkeypatch):
  """A face that is lost after 5 frames, back for 3, too few, and for 4 more with a pause of half a second."""
  times = [0, 0.1, 0.2, 0.3, 0.4, 1.0, 1.1, 1.2, 2.0, 2.1, 2.6, 2.7]
  found = positions(monkeypatch, make_track(times, [0] * 5 + [1] * 3 + [2] * 4), CONTIGUOUS)
  assert found == [[0, 1, 2, 3], [1, 2, 3, 4]]


def test_long_segments_get_most_of_few_windows(monkeypatch):
  times = np.concatenate([np.arange(80) / 10, 10 + np.arange(8) / 10])
  found = positions(monkeypatch, make_track(times, [0] * 80 + [1] * 8), CONTIGUOUS, most=8)
  assert [window[0] < 80 for window in found] == [True] * 7 + [False]


def test_other_rules_choose_within_each_few_seconds(monkeypatch):
  """4 s of 10 frames a second are 40 frames, of which the two most active, the last ones, are taken."""
  spec = ClipSpec(rule='top_k', frames=2, size=8, screen=False)
  assert positions(monkeypatch, make_track(np.arange(80) / 10), spec) == [[38, 39], [78, 79]]


def test_a_window_lasts_as_long_as_its_frames_take(monkeypatch):
  """60 frames at 10 a second are 6 s."""
  spec = ClipSpec(rule='uniform', frames=60, size=8)
  assert positions(monkeypatch, make_track(np.arange(60) / 10), spec) == [list(range(60))]
  assert positions(monkeypatch, make_track(np.arange(59) / 10), spec) == []


def test_windows_of_other_rules_reach_across_no_leap(monkeypatch):
  """Two stretches of 3 s, a minute apart, and a third of a frame: windows last 4 s, or as long as a stretch."""
  times = np.concatenate([np.arange(30), 600 + np.arange(30), [1200]]) / 10
  spec = ClipSpec(rule='top_k', frames=2, size=8, screen=False)
  found = positions(monkeypatch, make_track(times, [0] * 30 + [1] * 30 + [2]), spec)
  assert found == [[28, 29], [58, 59]]


def test_a_feature_of_a_whole_face_has_one_window(monkeypatch):
  spec = dataclasses.replace(ClipSpec(rule='uniform', frames=2, size=8), motion=True)
  assert len(positions(monkeypatch, make_track(np.arange(500) / 10), spec)) == 1


def follow(track, spec, segment=0, began_s=0.0):
  """The windows that are found while a track grows frame by frame, each with how many frames it took; and the rest."""
  found = []
  for length in (*range(1, len(track) + 1), None):
    known = track if length is None else make_track(track.times[:length], track.segments[:length])
    while True:
      where, began_s = windows.find_next(known, segment, began_s, spec, closed=length is None)
      if not len(where):
        break
      found.append((where.tolist(), length))
  return found


def test_while_a_face_is_watched_windows_adjoin():
  """Each as soon as its last frame is there; the last two frames fill none."""
  assert follow(make_track(np.arange(10) / 10), CONTIGUOUS) == [([0, 1, 2, 3], 4), ([4, 5, 6, 7], 8)]


def test_they_show_the_moments_of_a_file_s_windows():
  """At 12 frames a second, where moments lie between frames: those of `cut_windows`, as far as both go."""
  track = make_track(np.arange(20) / 12)
  nearest, _ = selection.sample_moments(track.times, np.arange(20), CONTIGUOUS.rate)
  assert [where for where, _ in follow(track, CONTIGUOUS)] == nearest[:16].reshape(4, 4).tolist()


def test_a_moment_after_the_last_frame_waits_for_the_next_or_for_the_end():
  """The fourth moment, 0.3 s: after frame 3 it is not known yet whether that is the nearest."""
  assert follow(make_track([0, 0.1, 0.2, 0.26]), CONTIGUOUS) == [([0, 1, 2, 3], None)]
  assert follow(make_track([0, 0.1, 0.2, 0.26, 0.31]), CONTIGUOUS) == [([0, 1, 2, 4], 5)]


def test_after_a_pause_the_next_window_begins_where_there_are_frames():
  times = [0, 0.1, 0.2, 0.3, 0.4, 1.0, 1.1, 1.2, 1.3]
  assert [where for where, _ in follow(make_track(times), CONTIGUOUS)] == [[0, 1, 2, 3], [5, 5, 6, 7]]


def test_a_span_of_another_rule_is_four_seconds_or_what_is_left_at_the_end():
  track, spec = make_track(np.arange(60) / 10), ClipSpec(rule='top_k', frames=15, size=8)
  assert windows.find_span(track, 0.0, spec, closed=False).tolist() == list(range(40))
  assert windows.find_span(track, 3.95, spec, closed=False).tolist() == []
  assert windows.find_span(track, 3.95, spec, closed=True).tolist() == list(range(40, 60))
  assert windows.find_span(track, 4.95, spec, closed=True).tolist() == []  # 10 frames of 15
