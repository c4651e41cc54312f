"""The matrix of two real runs."""

import csv
import json

import pytest

from lipfake_jax.cli.main import main
from lipfake_jax.experiments.experiment import train_and_evaluate
from tests.training.loop_test import tiny_config

pytestmark = pytest.mark.usefixtures('quick_evaluation')


@pytest.mark.slow
def test_two_runs_on_two_parts(tmp_path, tiny_data, capsys):
  for seed in (0, 1):
    train_and_evaluate(tiny_config(**{'train.epochs': 1, 'seed': seed}), tmp_path / f'run{seed}', tiny_data)
  capsys.readouterr()
  runs = [str(tmp_path / 'run0'), str(tmp_path / 'run1')]
  datasets = '--datasets=tiny_clips,tiny_clips:validation'
  main(['matrix', *runs, datasets, f'--data_dir={tiny_data}', f'--out={tmp_path / "out"}'])
  shown = capsys.readouterr().out
  with open(tmp_path / 'out' / 'matrix.csv', newline='') as file:
    rows = list(csv.DictReader(file))
  assert [(row['run'], row['dataset'], row['n']) for row in rows] == [
    (run, dataset, n) for run in runs for dataset, n in (('tiny_clips', '9'), ('tiny_clips:validation', '10'))
  ]
  assert f'| {runs[0]} | AUC {float(rows[0]["auc"]):.3f}' in shown
  assert 'has seen videos of tiny_clips (validation) in training' in shown
  assert {path.name for path in (tmp_path / 'out').iterdir()} == {'matrix.md', 'matrix.csv', 'matrix.png', 'matrix.svg'}
  main(['matrix', *runs, datasets, f'--data_dir={tiny_data}', f'--out={tmp_path / "out"}'])
  assert 'always fake' not in capsys.readouterr().out  # nothing is evaluated twice
  stored = tmp_path / 'run1' / 'eval' / 'tiny_clips-test' / 'metrics.json'
  for what in ('weights', 'data'):
    stored.write_text(json.dumps({**json.loads(stored.read_text()), what: 'sha256:00', 'auc': 2}))
    main(['matrix', *runs, datasets, f'--data_dir={tiny_data}', f'--out={tmp_path / "out"}'])
    assert capsys.readouterr().out.count('always fake') == 1  # but for figures of other weights, or of another build
    assert json.loads(stored.read_text())['auc'] == float(rows[2]['auc'])
  with pytest.raises(SystemExit) as stop:
    main(['matrix', str(tmp_path / 'none')])
  assert stop.value.code == 2
