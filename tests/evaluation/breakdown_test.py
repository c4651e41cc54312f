import pytest

from lipfake_jax.evaluation.breakdown import break_down
from tests.evaluation.evaluation_cases import make_measured


def rows_of(kind, labels, p_fake, **columns):
  _, scores, _ = make_measured(labels, p_fake, **columns)
  return {row['group']: row for row in break_down(scores, 0.5).get(kind, [])}


def test_a_method_is_judged_beside_all_reals():
  methods = ['original'] * 3 + ['swap'] * 2 + ['wav2lip'] * 2
  rows = rows_of('method', [0, 0, 0, 1, 1, 1, 1], [0.1, 0.2, 0.6, 0.7, 0.9, 0.05, 0.8], method=methods)
  assert list(rows) == ['wav2lip', 'swap']  # worst first, and 'original' is no method of making fakes
  assert (rows['wav2lip']['recall'], rows['wav2lip']['specificity']) == (0.5, pytest.approx(2 / 3))
  assert (rows['wav2lip']['n_real'], rows['wav2lip']['n_fake']) == (3, 2)
  assert rows['wav2lip']['auc'] == 0.5  # .8 is above three reals, .05 above none
  assert rows['swap']['score'] == pytest.approx(5 / 6)


def test_one_class_is_judged_by_its_rate():
  rows = rows_of('folder', [0, 0, 1, 1], [0.1, 0.9, 0.9, 0.8], folder=['youtube', 'youtube', 'fakes', 'fakes'])
  assert [(name, row['score'], row['auc']) for name, row in rows.items()] == [
    ('youtube', 0.5, None),
    ('fakes', 1, None),
  ]


def test_quarters_of_a_quantity():
  rows = rows_of('mouth_width', [0, 1] * 4, [0.9, 0.1, 0.9, 0.9, 0.1, 0.9, 0.1, 0.9], mouth_width=[*range(10, 90, 10)])
  assert list(rows) == ['10 to 27.5', '27.5 to 45', '45 to 62.5', '62.5 to 80']
  assert [row['score'] for row in rows.values()] == [0, 0.5, 1, 1]
  assert sum(row['n'] for row in rows.values()) == 8


def test_what_does_not_differ_is_left_out():
  _, scores, _ = make_measured([0, 1] * 4, [0.2] * 8)
  assert set(break_down(scores, 0.5)) == {'identity'}


def test_quarters_of_two_values_are_halves():
  rows = rows_of('sharpness', [0, 1] * 4, [0.2] * 8, sharpness=[1.0] * 4 + [2.0] * 4)
  assert {name: row['n'] for name, row in rows.items()} == {'1 to 1.5': 4, '1.5 to 2': 4}
