"""What is drawn on a video: where, when, in which words and colour."""

import numpy as np
import pytest

from lipfake_jax.report.overlay import COLOURS, Trace, draw_marks, find_marks, list_marks, locate, trace_face
from tests.conftest import make_clip
from tests.inference.findings_test import find

STILL = Trace(np.array([0.0, 1.0]), np.array([[50 + 50j, 20], [50 + 50j, 20]]))


def test_a_face_is_where_its_crop_was_cut_turned_with_the_head():
  """A box of 20 pixels about (30, 40), turned by a quarter clockwise: its upper left corner is at the upper right."""
  boxes, angles = np.tile(np.float32([20, 30, 40, 50]), (2, 1)), np.full(2, 90, np.float32)
  trace = trace_face(make_clip(np.zeros((2, 8, 8, 3), np.uint8), 'a', boxes=boxes, angles=angles))
  np.testing.assert_allclose(locate(trace, 0), [40 + 30j, 40 + 50j, 20 + 50j, 20 + 30j], atol=1e-9)


def test_between_two_moments_a_face_moves_evenly():
  trace = Trace(np.array([1.0, 2.0]), np.array([[10, 4], [20 + 8j, 4]]))
  assert locate(trace, 1.25).mean() == 12.5 + 2j
  assert locate(trace, 3).mean() == 20 + 8j


def test_each_window_has_its_words_and_its_colour():
  """Limits are .4 and .8."""
  [first, second] = list_marks(find([[0.9, 0.6], [0.1]]), [[STILL, STILL], [STILL]])
  assert [(mark.text, mark.start_s, mark.end_s) for mark in first] == [
    ('person 1: 0.90', 0.0, 1.0),
    ('person 1: 0.60', 1.0, 2.0),
  ]
  assert [mark.colour for mark in (*first, *second)] == [COLOURS[name] for name in ('high', 'middle', 'low')]


@pytest.mark.parametrize(
  ('time_s', 'texts'), [(0.5, ['a', 'c']), (0.95, ['b', 'c']), (1.8, ['b']), (2.0, []), (-1, [])]
)
def test_a_moment_has_one_window_a_person(time_s, texts):
  """Of two that overlap the later; none where nothing was scored."""
  (mark,) = list_marks(find([[0.9]]), [[STILL]])[0]
  one = [mark._replace(text='a'), mark._replace(text='b', start_s=0.9, end_s=2.0)]
  assert [found.text for found in find_marks([one, [mark._replace(text='c')]], time_s)] == texts


def test_boxes_and_words_are_drawn_while_the_face_is_scored():
  people = list_marks(find([[0.9]]), [[STILL]])
  during, after = np.zeros((2, 100, 200, 3), np.uint8)
  draw_marks(during, 0.5, 'title', people)
  draw_marks(after, 1.5, 'title', people)
  assert tuple(during[60, 30]) == tuple(during[70, 40]) == COLOURS['high']
  assert not during[60, 50].any()
  assert during[19:30, 30:].any()  # its words, above it
  assert not after[20:].any()
  assert after[:12].any()


def test_words_of_a_face_at_the_border_stay_in_the_frame():
  far = Trace(np.array([0.0]), np.array([[500 - 90j, 20]]))
  frame = np.zeros((100, 200, 3), np.uint8)
  draw_marks(frame, 0.5, '', list_marks(find([[0.9]]), [[far]]))
  assert (frame == COLOURS['high']).all(axis=2)[:11, -20:].any()
