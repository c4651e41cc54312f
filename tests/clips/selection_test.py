import numpy as np
import pytest

from lipfake_jax.clips.selection import find_doubtful, select_frames, select_windows

ACTIVITY = np.array([0, 3, 1.5, 0.2, 5, 1.1, 0.9, 2, 0.8, 1.2], np.float32)


def select(n, rule, **options):
  return select_frames(ACTIVITY, n, rule, **options).tolist()


def test_top_k_takes_the_most_active_in_time_order():
  assert select(4, 'top_k') == [1, 2, 4, 7]  # activity 5, 3, 2, 1.5


def test_even_takes_every_so_many_of_the_active():
  # Active over 1.0: 1 2 4 5 7 9; three of them, evenly: first, third (2.5 rounds to even), last.
  assert select(3, 'even') == [1, 4, 9]
  assert select(6, 'even') == [1, 2, 4, 5, 7, 9]


def test_uniform_ignores_activity():
  assert select(4, 'uniform') == [0, 3, 6, 9]
  assert select(11, 'uniform') == []


@pytest.mark.parametrize('rule', ['top_k', 'even'])
def test_below_n_active_frames_fill_adds_the_next_most_active(rule):
  assert select(8, rule) == [1, 2, 4, 5, 6, 7, 8, 9]  # the six active ones, then .9 and .8


@pytest.mark.parametrize('rule', ['top_k', 'even'])
def test_below_n_active_frames_drop_gives_up(rule):
  assert select(7, rule, below='drop') == []
  assert select(6, rule, below='drop') == [1, 2, 4, 5, 7, 9]


def test_threshold_is_strict():
  assert select(2, 'even', threshold=3.0, below='drop') == []  # only 5 is over 3
  assert select(2, 'even', threshold=2.9, below='drop') == [1, 4]


def test_of_equally_active_frames_the_earliest_are_taken():
  flat = np.full(6, 2, np.float32)
  assert select_frames(flat, 3, 'top_k').tolist() == [0, 1, 2]


def test_long_videos_do_not_wrap_around():
  """Positions over 255 must survive: evenly spaced over 1000 frames, not modulo 256."""
  chosen = select_frames(np.ones(1000, np.float32), 60, 'uniform')
  assert chosen[0] == 0
  assert chosen[-1] == 999
  assert set(np.diff(chosen)) <= {16, 17}


def test_unknown_names():
  with pytest.raises(ValueError, match='top_k'):
    select(3, 'best')


def windows(fps, seconds, n, rate=25.0, count=1, activity=None, segments=None):
  """Windows of a video at a steady frame rate."""
  times = np.arange(round(fps * seconds)) / fps
  activity = np.ones(len(times)) if activity is None else activity
  segments = np.zeros(len(times), int) if segments is None else segments
  return [w.tolist() for w in select_windows(times, segments, activity, n, rate, count)]


def test_a_window_is_a_run_of_frames_at_the_same_rate():
  assert windows(25, 4, 10) == [list(range(10))]  # equally active everywhere: the first


def test_the_most_active_window_wins():
  activity = np.zeros(100)
  activity[40:50] = 1
  assert windows(25, 4, 10, activity=activity) == [list(range(40, 50))]


def test_windows_are_resampled_by_time():
  """60 frames per second at 25: every 2.4th frame, the nearest to each 1/25 s."""
  assert windows(60, 2, 6) == [[0, 2, 5, 7, 10, 12]]
  # 20 per second: moments 0, .04, .08, .12, .16, .20 are nearest to frames at 0, .05, .1, .1, .15, .2 s.
  assert windows(20, 2, 6) == [[0, 1, 2, 2, 3, 4]]


def test_a_frame_too_far_from_its_moment_breaks_a_window():
  assert windows(10, 4, 10) != []  # .05 s between frame and moment is more than allowed only beyond .04
  assert windows(8, 4, 10) == []  # frames .125 s apart leave moments .06 s away


def test_windows_do_not_overlap():
  activity = np.zeros(100)
  activity[[10, 60]] = 2, 1
  found = windows(25, 4, 20, count=3, activity=activity)
  assert len(found) == 3
  assert 10 in found[0]
  assert 60 in found[1]
  assert len({i for window in found for i in window}) == 60
  assert len(windows(25, 4, 20, count=9)) == 5  # no more fit into 100 frames


def test_windows_stay_within_a_segment():
  segments = np.repeat([0, 1, 2], [30, 8, 62])
  assert all(len({int(segments[i]) for i in w}) == 1 for w in windows(25, 4, 20, count=9, segments=segments))
  assert len(windows(25, 4, 20, count=9, segments=segments)) == 1 + 3


def doubtful(estimate, n, rule, threshold=1.0, below='fill'):
  return np.flatnonzero(find_doubtful(np.array(estimate), n, rule, threshold, below)).tolist()


def test_doubtful_frames_are_those_that_could_be_chosen():
  estimate = [9, 8, 7, 6, 5, 4, 0.6, 0.4, 1.9, 2.1]
  assert doubtful(estimate, 2, 'top_k') == [0, 1, 2]  # half as many again as are wanted
  assert doubtful(estimate, 2, 'even') == [0, 1, 2, 6, 8]  # and those about the threshold, by a factor of two
  assert doubtful(estimate, 2, 'top_k', below='drop') == [0, 1, 2, 6, 8]
  assert doubtful(estimate, 2, 'uniform') == []
