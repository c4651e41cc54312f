"""What the leaderboard refuses before it trains anything."""

import pytest

from lipfake_jax.cli.main import main


def test_missing_data_is_told_before_anything_is_trained(tmp_path, capsys):
  with pytest.raises(SystemExit) as stop:
    main(['leaderboard', f'--workdir={tmp_path / "runs"}', f'--data_dir={tmp_path}', '--models=cnn_lstm'])
  assert stop.value.code == 2
  assert 'demo_lips/flow_lips_60x64 is not built' in capsys.readouterr().err
  assert not (tmp_path / 'runs').exists()


def test_an_unknown_model_is_told(tmp_path, capsys):
  with pytest.raises(SystemExit) as stop:
    main(['leaderboard', f'--workdir={tmp_path / "runs"}', '--models=cnn_lstm,lstm'])
  assert stop.value.code == 2
  assert "model 'lstm': choose one of cnn_lstm" in capsys.readouterr().err
