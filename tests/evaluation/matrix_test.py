"""Train x test: what a cell says, and the command on two real runs."""

import csv

import numpy as np
import pytest

from lipfake_jax.evaluation import matrix
from lipfake_jax.evaluation.matrix import main
from lipfake_jax.experiments.experiment import train_and_evaluate
from tests.evaluation.evaluation_cases import make_measured
from tests.training.loop_test import tiny_config

pytestmark = pytest.mark.usefixtures('quick_evaluation')

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
  axes = matrix.draw(cells).axes[0]
  assert ([t.get_text() for t in axes.texts]) == ['1.000'] * 4
  assert [t.get_text() for t in axes.get_xticklabels()] == ['x', 'y:all']


@pytest.mark.slow
def test_the_command(tmp_path, tiny_data, capsys):
  for seed in (0, 1):
    train_and_evaluate(tiny_config(**{'train.epochs': 1, 'seed': seed}), tmp_path / f'run{seed}', tiny_data)
  capsys.readouterr()
  runs = [str(tmp_path / 'run0'), str(tmp_path / 'run1')]
  datasets = '--datasets=tiny_clips,tiny_clips:validation'
  main([*runs, datasets, f'--data_dir={tiny_data}', f'--out={tmp_path / "out"}'])
  shown = capsys.readouterr().out
  with open(tmp_path / 'out' / 'matrix.csv', newline='') as file:
    rows = list(csv.DictReader(file))
  assert [(row['run'], row['dataset'], row['n']) for row in rows] == [
    (run, dataset, n) for run in runs for dataset, n in (('tiny_clips', '9'), ('tiny_clips:validation', '10'))
  ]
  assert f'| {runs[0]} | AUC {float(rows[0]["auc"]):.3f}' in shown
  assert 'has seen videos of tiny_clips (validation) in training' in shown
  assert {path.name for path in (tmp_path / 'out').iterdir()} == {'matrix.md', 'matrix.csv', 'matrix.png', 'matrix.svg'}
  main([*runs, datasets, f'--data_dir={tiny_data}', f'--out={tmp_path / "out"}'])
  assert 'always fake' not in capsys.readouterr().out  # nothing is evaluated twice
  with pytest.raises(SystemExit) as stop:
    main([str(tmp_path / 'none')])
  assert stop.value.code == 2
