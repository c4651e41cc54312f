"""Runs of several processes, with two virtual devices each, through the command line."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import jax
import numpy as np
import pytest

from lipfake_jax.inference import checkpoints
from lipfake_jax.training import history

ROOT = Path(__file__).parents[2]
TINY = {
  'data.dataset': 'tiny_clips',
  'data.builder_config': 'tiny',
  'model.cnn_lstm.filters': '(4,8)',
  'model.cnn_lstm.units': 8,
  'model.cnn_lstm.hidden': 8,
  'model.cnn_lstm.dropout': 0.0,
  'model.cnn_lstm.lstm_dropout': 0.0,
  'train.learning_rate': 0.01,
  'train.epochs': 12,
  'train.steps_per_dispatch': 2,  # of an epoch's five steps: two, two and one
  'train.early_stopping_patience': 12,
  'eval.batch_size': 4,
}
CONFIG = ['--config=configs/default.py', *(f'--config.{field}={value}' for field, value in TINY.items())]


def start(workdir, data_dir, devices, *flags):
  """The command that trains, on virtual devices of its own."""
  xla_flags = f'{os.environ["XLA_FLAGS"]} --xla_force_host_platform_device_count={devices}'
  environment = {**os.environ, 'XLA_FLAGS': xla_flags, 'JAX_PLATFORMS': 'cpu'}
  command = [sys.executable, 'run.py', *CONFIG, f'--workdir={workdir}', f'--data_dir={data_dir}', *flags]
  return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def start_two(workdir, data_dir, *flags):
  with socket.socket() as probe:
    probe.bind(('localhost', 0))
    port = probe.getsockname()[1]
  together = [f'--coordinator=localhost:{port}', '--process_count=2']
  return [start(workdir, data_dir, 2, *together, f'--process_id={number}', *flags) for number in range(2)]


def outcome(process):
  output, errors = process.communicate(timeout=300)
  return process.returncode, output, errors


def parameters(workdir):
  return np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(checkpoints.restore_best(workdir)[0])])


@pytest.fixture(scope='module')
def together(tmp_path_factory, tiny_data):
  """A run of two processes, and what each printed."""
  workdir = tmp_path_factory.mktemp('together')
  outcomes = [outcome(process) for process in start_two(workdir, tiny_data)]
  assert [code for code, *_ in outcomes] == [0, 0], outcomes
  return workdir, [output for _, output, _ in outcomes]


@pytest.mark.slow
def test_two_processes_train_as_one(tmp_path, together, tiny_data):
  """Two processes of two devices, each reading half of every batch, against one process of four: the parameters and the
  figures of the log. 1e-5: the order of float32 sums differs."""
  workdir, (output, other_output) = together
  code, _, errors = outcome(start(tmp_path, tiny_data, 4))
  assert code == 0, errors
  assert 'devices: cpu 0, cpu 1, ' in output
  assert other_output == ''  # the first speaks for all
  np.testing.assert_allclose(parameters(workdir), parameters(tmp_path), atol=1e-5)
  for ours, theirs in zip(history.read_rows(workdir), history.read_rows(tmp_path), strict=True):
    assert {**ours, 'clips_per_s': 0} == pytest.approx({**theirs, 'clips_per_s': 0}, abs=1e-5)
  assert (workdir / 'eval' / 'tiny_clips-test' / 'scores.csv').read_text().count('\n') == 10  # a header and nine clips


@pytest.mark.slow
def test_a_signal_to_one_stops_all_after_the_same_step(tmp_path, together, tiny_data):
  """And they go on together, to the same bits as if nothing had happened, even when what they saved is damaged then."""
  processes = start_two(tmp_path, tiny_data)
  while not history.read_rows(tmp_path) and all(process.poll() is None for process in processes):
    time.sleep(0.01)
  processes[1].send_signal(signal.SIGTERM)
  messages = []
  for code, _, errors in map(outcome, processes):
    assert code == 128 + signal.SIGTERM, errors
    messages += [line for line in errors.splitlines() if line.startswith('SIGTERM: saved after step')]
  assert len(messages) == 2
  assert messages[0] == messages[1]
  assert len(history.read_rows(tmp_path)) < 12
  newest = max((tmp_path / 'checkpoints').glob('[0-9]*'), key=lambda path: int(path.name))
  for path in (newest / 'weights').rglob('*'):
    if path.is_file():
      path.write_bytes(b'')  # both find it damaged, and go on from the one before it
  assert [outcome(process)[0] for process in start_two(tmp_path, tiny_data)] == [0, 0]
  assert (tmp_path / 'damaged' / newest.name).is_dir()
  np.testing.assert_array_equal(parameters(tmp_path), parameters(together[0]))
