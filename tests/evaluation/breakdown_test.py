"""Figures of groups, by hand, and which of them come first."""

import pytest

from lipfake_jax.evaluation.breakdown import break_down
from lipfake_jax.report.page import write_report
from tests.evaluation.evaluation_cases import make_measured
from tests.report.evaluations import make_evaluation


def rows_of(kind, labels, p_fake, **columns):
  _, scores, _ = make_measured(labels, p_fake, **columns)
  return {row['group']: row for row in break_down(scores, 0.5).get(kind, [])}


def test_a_method_is_judged_beside_all_reals():
  methods = ['original'] * 3 + ['swap'] * 2 + ['wav2lip'] * 2
  rows = rows_of('method', [0, 0, 0, 1, 1, 1, 1], [0.1, 0.2, 0.6, 0.7, 0.9, 0.05, 0.8], method=methods)
  assert list(rows) == ['wav2lip', 'swap']  # 'original' is no method of making fakes
  assert (rows['wav2lip']['recall'], rows['wav2lip']['specificity']) == (0.5, pytest.approx(2 / 3))
  assert (rows['wav2lip']['n_real'], rows['wav2lip']['n_fake']) == (3, 2)
  assert rows['wav2lip']['auc'] == 0.5  # .8 is above three reals, .05 above none
  assert rows['swap']['score'] == pytest.approx(5 / 6)


def test_one_class_is_judged_by_its_rate():
  folders = ['youtube', 'youtube', 'fakes', 'fakes']
  rows = rows_of('folder', [0, 0, 1, 1], [0.1, 0.9, 0.9, 0.8], folder=folders, identity=['a', 'b', 'c', 'd'])
  assert {name: (row['score'], row['auc']) for name, row in rows.items()} == {
    'youtube': (0.5, None),
    'fakes': (1, None),
  }


def test_sure_failures_come_before_those_of_a_video_or_two():
  """Of 40 people half are misjudged; two are both, of whom .95 ** 2 of such pairs are none, and one is alone."""
  folders = ['many'] * 40 + ['two'] * 2 + ['one'] + ['good'] * 40
  p_fake = [0.1, 0.9] * 20 + [0.9] * 3 + [0.1] * 40
  rows = rows_of('folder', [0] * 83, p_fake, folder=folders, identity=[f'p{i}' for i in range(83)])
  assert list(rows) == ['many', 'two', 'good', 'one']
  low, high = rows['many']['interval']
  assert (low, high) == pytest.approx((0.34, 0.66), abs=0.03)  # 1.96 * sqrt(.25 / 40) = .155
  assert (rows['two']['score'], rows['two']['interval']) == (0, (0, pytest.approx(1 - 0.05 ** (1 / 2))))
  assert (rows['good']['score'], rows['good']['interval']) == (1, (pytest.approx(0.05 ** (1 / 40)), 1))
  assert (rows['one']['score'], rows['one']['interval']) == (0, None)


def test_an_interval_is_over_people_and_that_of_a_person_over_videos():
  """Ten videos a person: in the folder they tell of two people alone, but of each person ten are told."""
  labels, names = [0] * 40, ['ann'] * 10 + ['bob'] * 10 + ['cem'] * 20
  p_fake = ([0.9] * 10 + [0.1] * 10) + [0.9, 0.1] * 10
  folder = ['x'] * 20 + ['y'] * 20
  folders, people = (rows_of(kind, labels, p_fake, folder=folder, identity=names) for kind in ('folder', 'identity'))
  assert folders['x']['interval'] == (0, 1)
  assert folders['y']['interval'] is None  # one person
  low, high = people['cem']['interval']
  assert (low, high) == pytest.approx((0.27, 0.73), abs=0.06)  # t of 19: 2.09 * sqrt(.25 / 20) = .23
  assert people['ann']['interval'] == (0, pytest.approx(1 - 0.05 ** (1 / 10)))
  assert list(people) == ['ann', 'cem', 'bob']


def test_quarters_of_a_quantity():
  rows = rows_of('mouth_width', [0, 1] * 4, [0.9, 0.1, 0.9, 0.9, 0.1, 0.9, 0.1, 0.9], mouth_width=[*range(10, 90, 10)])
  assert list(rows) == ['10 to 20', '30 to 40', '50 to 60', '70 to 80']
  assert [row['score'] for row in rows.values()] == [0, 0.5, 1, 1]
  assert sum(row['n'] for row in rows.values()) == 8


def test_a_class_of_one_person_leaves_the_interval_open():
  """How often reals of others are misjudged, one person can not tell."""
  folders, names = ['x'] * 4 + ['y'] * 4, ['ann', 'ann', 'bob', 'cem', 'ann', 'bob', 'bob', 'cem']
  rows = rows_of('folder', [0, 0, 1, 1] * 2, [0.1, 0.9, 0.9, 0.2] * 2, folder=folders, identity=names)
  assert [(name, row['score'], row['interval'] is None) for name, row in rows.items()] == [
    ('y', 0.5, False),
    ('x', 0.5, True),
  ]


def test_what_does_not_differ_is_left_out():
  _, scores, _ = make_measured([0, 1] * 4, [0.2] * 8)
  assert set(break_down(scores, 0.5)) == {'identity'}


def test_quarters_of_two_values_are_halves():
  rows = rows_of('sharpness', [0, 1] * 4, [0.2] * 8, sharpness=[1.0] * 4 + [2.0] * 4)
  assert {name: row['n'] for name, row in rows.items()} == {'1': 4, '2': 4}


@pytest.mark.parametrize(
  ('values', 'counts'),
  [
    ([1.0, 2.0, 3.0], [1, 1, 1]),
    ([1.0, 2.0], [1, 1]),
    ([1.0, 1.0, 2.0, 2.0, 2.0], [2, 3]),
    ([1.0, 5.0, 5.0, 5.0, 9.0], [1, 4]),
    ([1.0, 1.0, 1.0, 1.0, 9.0], []),
    ([7.0], []),
  ],
)
def test_quarters_of_few_values_hold_every_video_and_none_is_empty(values, counts):
  n = len(values)
  rows = rows_of('mouth_width', [0] * n, [0.2] * n, mouth_width=values, identity=[f'p{i}' for i in range(n)])
  assert sorted(row['n'] for row in rows.values()) == sorted(counts)
  assert all(row['score'] == 1 for row in rows.values())


@pytest.mark.parametrize('labels', [[0] * 5, [1] * 5, [0, 1, 0, 1, 0]], ids=['real', 'fake', 'both'])
@pytest.mark.parametrize('n', [1, 2, 3, 4, 5])
def test_a_part_of_a_few_videos_is_measured_and_shown(tmp_path, monkeypatch, n, labels):
  """Every quantity and every score another; the plots themselves are drawn by the tests of plots."""
  monkeypatch.setattr('lipfake_jax.report.page.draw_plots', lambda scores, metrics: {})
  values = [float(i) for i in range(n)]
  evaluation = make_evaluation(labels[:n], [0.2, 0.7, 0.4, 0.9, 0.6][:n], mouth_width=values, sharpness=values)
  assert evaluation.metrics['n'] == n
  groups = evaluation.metrics['breakdowns'].get('mouth_width', [])
  assert sum(row['n'] for row in groups) == (n if n > 1 else 0)
  assert write_report(tmp_path, evaluation).read_text().count('<h2') >= 6
