import numpy as np
import pytest

from lipfake_jax.selection import select_frames

ACTIVITY = np.array([0, 3, 1.5, 0.2, 5, 1.1, 0.9, 2, 0.8, 1.2], np.float32)
ALL = np.ones(10, bool)


def select(n, rule, usable=ALL, **options):
  return select_frames(usable, ACTIVITY, n, rule, **options).tolist()


def test_top_k_takes_the_most_active_in_time_order():
  assert select(4, 'top_k') == [1, 2, 4, 7]  # activity 5, 3, 2, 1.5


def test_even_takes_every_so_many_of_the_active():
  # Active over 1.0: 1 2 4 5 7 9; three of them, evenly: first, third (2.5 rounds to even), last.
  assert select(3, 'even') == [1, 4, 9]
  assert select(6, 'even') == [1, 2, 4, 5, 7, 9]


def test_uniform_ignores_activity():
  assert select(4, 'uniform') == [0, 3, 6, 9]


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


def test_unusable_frames_are_never_chosen():
  usable = ALL.copy()
  usable[[1, 4, 9]] = False
  assert select(3, 'top_k', usable) == [2, 5, 7]
  assert select(7, 'uniform', usable) == [0, 2, 3, 5, 6, 7, 8]
  assert select(8, 'uniform', usable) == []


def test_of_equally_active_frames_the_earliest_are_taken():
  flat = np.full(6, 2, np.float32)
  assert select_frames(np.ones(6, bool), flat, 3, 'top_k').tolist() == [0, 1, 2]


def test_long_videos_do_not_wrap_around():
  """Positions over 255 must survive: evenly spaced over 1000 frames, not modulo 256."""
  chosen = select_frames(np.ones(1000, bool), np.ones(1000, np.float32), 60, 'uniform')
  assert chosen[0] == 0
  assert chosen[-1] == 999
  assert set(np.diff(chosen)) <= {16, 17}


def test_unknown_names():
  with pytest.raises(ValueError, match='top_k'):
    select(3, 'best')
