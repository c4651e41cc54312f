import re

import pytest

from lipfake_jax.report import tables
from lipfake_jax.scoring.verdict import Decision
from tests.report.evaluations import make_evaluation, reject

TITLE = r'100 % of set_a & {b} \cmd $x$ #1 ~ ^ <i>'


@pytest.fixture(scope='module')
def metrics():
  """Two reals and three fakes at .5: one real is called fake, one fake is called real; one video gave no clip."""
  evaluation = make_evaluation(
    [0, 0, 1, 1, 1], [0.1, 0.7, 0.3, 0.8, 0.9], Decision(0.5, 'fpr:0.05', 1.0), [reject(1)], ['warning: 5 % of a_b']
  )
  return evaluation.metrics


def test_every_figure_stands_beside_the_detector_that_calls_all_fake(metrics):
  rows = {name: rest for name, *rest in tables.metrics_rows(metrics)}
  low, high = metrics['intervals']['recall']
  assert rows['recall (fakes found)'] == ['1.000', '0.667', f'{low:.3f} to {high:.3f}']
  assert rows['balanced accuracy'][:2] == ['0.500', '0.583']
  assert rows['AUC'][:2] == ['-', '0.833']
  assert rows['fakes called fake'] == ['3', '2', '']
  assert rows['reals called fake'] == ['2', '1', '']


def test_clips_have_no_intervals_and_a_name_of_their_own():
  evaluation = make_evaluation([0, 0, 1, 1], [0.1, 0.7, 0.3, 0.9], key=['a', 'a', 'b', 'b'])
  rows = {name: rest for name, *rest in tables.clip_rows(evaluation.metrics)}
  assert rows['fakes called fake'] == ['2', '1']
  assert rows['AUC'] == ['-', '0.750']
  assert tables.CLIP_HEADER[0] == 'clip level'
  assert len(tables.CLIP_HEADER) == 3
  assert any(line.startswith('clip level: 4 clips, AUC 0.750') for line in tables.summarise(evaluation.metrics))
  assert not any('clip level' in line for line in tables.summarise(make_evaluation([0, 1], [0.1, 0.9]).metrics))


def test_what_is_not_in_the_table_is_told_in_words(metrics):
  lines = tables.summarise(metrics)
  assert lines[0] == '5 videos of 3 people, 2 real and 3 fake; intervals over people'
  assert lines[1].startswith('threshold 0.500 (from validation data, by fpr:0.05); at 0.500: balanced accuracy 0.583')
  assert 'videos without a verdict, not in these figures: 1 (1 fake no_face)' in lines
  assert 'each of them counted as an error: balanced accuracy 0.500, accuracy 0.500' in lines  # tp 2, tn 1 of 6


@pytest.mark.parametrize('label', [0, 1])
def test_what_one_class_leaves_undefined_is_a_dash(label):
  rows = {name: rest for name, *rest in tables.metrics_rows(make_evaluation([label] * 2, [0.2, 0.9]).metrics)}
  assert rows['balanced accuracy'] == ['-', '-', '-']
  assert rows[('recall (fakes found)', 'specificity (reals kept)')[label]] == ['-', '-', '-']


def test_latex_is_balanced_and_escaped(metrics):
  found = tables.to_latex(TITLE, metrics)
  assert re.findall(r'\\(begin|end)\{(\w+)\}', found) == [
    ('begin', 'table'), ('begin', 'tabular'), ('end', 'tabular'), ('end', 'table'),
  ]  # fmt: skip
  bare = re.sub(r'\\[\\&%_#${}]', '', found)
  assert bare.count('{') == bare.count('}')
  assert not set('%#$^~<>') & set(bare)
  rows = [line for line in found.splitlines() if line.endswith(r' \\')]
  assert len(rows) == 1 + len(tables.metrics_rows(metrics))
  assert all(len(re.findall(r'(?<!\\)&', row)) == 3 for row in rows)
  assert r'\caption{100 \% of set\_a \& \{b\} \textbackslash{}cmd \$x\$ \#1 \textasciitilde{}' in found
  assert r'Warning: 5 \% of a\_b.' in found  # it stays with the figures
  assert 'ECE 0.' in found  # names keep their capitals


def test_markdown_rows_have_four_cells(metrics):
  rows = [line for line in tables.to_markdown('a title', metrics).splitlines() if line.startswith('|')]
  assert {row.count('|') for row in rows} == {5}
  assert rows[1] == '|---|---|---|---|'


def test_the_terminal_shows_warnings_last(metrics):
  lines = tables.to_text('a title', metrics).splitlines()
  assert lines[1] == 'a title'
  assert lines[-1] == 'warning: 5 % of a_b'
