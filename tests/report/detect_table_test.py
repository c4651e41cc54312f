"""Findings on a terminal."""

from lipfake_jax.report.detect_table import PLAIN, WIDEST, describe_lines, draw_bar
from tests.inference.findings_test import find


def test_a_bar_has_a_character_a_window():
  assert draw_bar([0.0, 0.12, 0.13, 0.5, 0.99, 1.0]) == '▁▁▂▅██'
  assert draw_bar([0.0, 0.5, 1.0], PLAIN) == '047'


def test_of_many_windows_each_character_is_the_highest_of_several():
  scores = [0.0] * 600
  scores[599] = 1.0
  assert draw_bar(scores) == '▁' * (WIDEST - 1) + '█'


def test_one_person_is_one_line():
  assert list(describe_lines(find([[0.9, 0.9]]), 8)) == ['a.mp4     fake           0.900  ██']


def test_a_face_that_can_not_be_judged_has_its_reason_and_no_bar():
  assert list(describe_lines(find([[]]), 8)) == [
    'a.mp4     none               -',
    '  none: profile (the face is seen from the side)',
  ]


def test_people_have_lines_and_reasons_are_told():
  lines = list(describe_lines(find([[0.6], [0.1]]), 12))
  assert lines[0] == 'a.mp4         inconclusive   0.600'
  assert lines[1:3] == ['  person 1    inconclusive   0.600  ▅', '  person 2    real           0.100  ▁']
  assert lines[3].startswith('  inconclusive: between_limits (')
