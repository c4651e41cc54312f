"""Train x test: what a cell says."""

import numpy as np

from lipfake_jax.experiments import matrix
from tests.evaluation.evaluation_cases import make_measured

LABELS = np.arange(40) % 2
P_FAKE = 0.3 + 0.4 * LABELS


def test_a_cell_has_an_interval_or_is_one_sided():
  both, _, _ = make_measured(LABELS, np.append(P_FAKE[:-1], 0.31))  # one fake below no real
  assert matrix.cell_text(both) == 'AUC 1.000 (1.000-1.000), balanced 0.975'
  reals, _, _ = make_measured(np.zeros(40, int), np.append(P_FAKE[::2], P_FAKE[::2]))
  assert matrix.cell_text(reals) == 'specificity 1.000 (1.000-1.000)'
  fakes, _, _ = make_measured(np.ones(4, int), [0.6] * 4, identity=['a'] * 4)
  assert matrix.cell_text(fakes) == 'recall 1.000'


def test_rows_are_runs_and_columns_are_datasets():
  cell, _, _ = make_measured(LABELS, P_FAKE)
  cells = {(run, dataset): cell for run in ('a', 'b') for dataset in ('x', 'y:all')}
  lines = matrix.to_markdown(cells).splitlines()
  assert lines[0] == '| run \\ tested on | x | y:all |'
  assert [line.split(' | ')[0] for line in lines[2:]] == ['| a', '| b']
  axes = matrix.draw_matrix(cells).axes[0]
  assert ([t.get_text() for t in axes.texts]) == ['1.000'] * 4
  assert [t.get_text() for t in axes.get_xticklabels()] == ['x', 'y:all']
