"""Controls of real runs: what is written and shown."""

import json
from pathlib import Path

import pytest

from lipfake_jax.cli.main import main
from tests.training.loop_test import run

pytestmark = pytest.mark.usefixtures('quick_evaluation')


@pytest.mark.slow
def test_writes_controls_of_a_run_and_its_page(tmp_path, tiny_data, capsys):
  run(tmp_path, tiny_data, **{'train.epochs': 1})
  capsys.readouterr()
  main(['controls', str(tmp_path), f'--data_dir={tiny_data}', '--datasets=tiny_clips,tiny_clips:validation'])
  assert capsys.readouterr().out.count('frames shuffled') == 2
  written = json.loads(Path(tmp_path / 'eval' / 'tiny_clips-test' / 'controls.json').read_text())
  plain = json.loads(Path(tmp_path / 'eval' / 'tiny_clips-test' / 'metrics.json').read_text())
  assert written['run'] == {name: plain[name] for name in ('auc', 'balanced_accuracy')}
  assert set(written) == {'weights', 'data', 'run', 'shuffled', 'single_frame'}
  page = (tmp_path / 'eval' / 'tiny_clips-test' / 'report.html').read_text()
  assert 'frames of each clip shuffled' in page
  assert plain['metadata']['auc'] == 0.5  # these clips' facts are all the same


def test_a_folder_without_a_run_is_told(tmp_path, capsys):
  with pytest.raises(SystemExit) as end:
    main(['controls', str(tmp_path)])
  assert end.value.code == 2
  assert 'train first' in capsys.readouterr().err
