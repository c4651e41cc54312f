"""What a user of run.py types and sees, the configs, and which libraries each stage loads."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lipfake_jax.core.clip_spec import SPECS

ROOT = Path(__file__).parents[1]


def run_py(*arguments: str) -> subprocess.CompletedProcess:
  command = [sys.executable, 'run.py', *arguments]
  return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


MISTAKES = {
  '--config.train.batchsize=8': ('batchsize', 'batch_size'),
  '--config.train.batch_size=many': ('batch_size', 'many'),
  '--config.trian.epochs=3': ('trian', 'train'),
  '--mode=trian': ('mode', 'predict'),
  '--workdirs=x': ('workdirs', 'workdir'),
}


@pytest.mark.slow
@pytest.mark.parametrize('flag', MISTAKES)
def test_a_wrong_flag_is_one_message_that_lists_what_exists(flag, tmp_path):
  failed = run_py('--config=configs/smoke.py', f'--workdir={tmp_path}', flag)
  assert failed.returncode == 2
  assert 'Traceback' not in failed.stderr
  for word in MISTAKES[flag]:
    assert word in failed.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
  ('arguments', 'message'),
  [
    (['--config=configs/celeb_of.py', '--data_dir=/nowhere'], 'tfds build data_builders/celeb_df_v2'),
    (['--config=configs/none.py'], 'configs/none.py'),
    ([], '--mode=train needs a --config'),
    (['--mode=eval'], 'needs --eval_datasets'),
    (['--mode=eval', '--eval_datasets=demo_lips'], 'train first'),
    (['--mode=predict'], 'needs --video'),
    (['--mode=predict', '--video=README.md'], 'train first'),
    (
      ['--mode=predict', '--video=README.md', '--video=https://a.org/b.mp4'],
      'addresses are not read: download the video',
    ),
    (['--config=configs/demo.py', '--config.model.name=lstm'], 'choose one of cnn_lstm'),
    (['--config=configs/demo.py', '--process_count=2'], 'needs --coordinator=HOST:PORT'),
    (['--mode=predict', '--coordinator=localhost:1', '--video=a'], 'runs in one process'),
    (['--mode=eval', '--coordinator=localhost:1', '--process_id=1'], '1 processes count from 0'),
  ],
)
def test_missing_things_are_told_with_the_remedy(arguments, message, tmp_path):
  failed = run_py(*arguments, f'--workdir={tmp_path}')
  assert failed.returncode == 2
  assert message in failed.stderr
  assert 'Traceback' not in failed.stderr


@pytest.mark.slow
def test_flags_reach_the_run(tmp_path, tiny_data):
  overrides = ['--config.data.dataset=tiny_clips', '--config.data.builder_config=tiny', '--config.eval.batch_size=4']
  done = run_py('--config=configs/smoke.py', f'--workdir={tmp_path}', f'--data_dir={tiny_data}', *overrides)
  assert done.returncode == 0, done.stderr
  assert 'always fake' in done.stdout
  assert json.loads((tmp_path / 'config.json').read_text())['train']['batch_size'] == 8
  where = [f'--workdir={tmp_path}', f'--data_dir={tiny_data}']
  again = run_py('--mode=eval', '--eval_datasets=tiny_clips:train', '--batch_size=5', *where)
  assert again.returncode == 0, again.stderr
  assert json.loads((tmp_path / 'eval/tiny_clips-train/metrics.json').read_text())['n'] == 22


@pytest.mark.parametrize(
  ('module', 'unwanted'),
  [
    ('lipfake_jax.training.loop', ('tensorflow', 'mediapipe', 'av', 'sklearn')),
    ('lipfake_jax.clips.extraction', ('jax', 'tensorflow')),
    ('lipfake_jax.report.clip_picture', ('jax', 'tensorflow')),
    ('lipfake_jax.demo.videos', ('jax', 'tensorflow')),
  ],
)
def test_modules_load_only_what_they_need(module, unwanted):
  """In a process of its own; extraction's Face Mesh is opened too, since MediaPipe would load TensorFlow."""
  code = f"""
import sys, {module}
if {module!r} != 'lipfake_jax.training.loop':
  from lipfake_jax.clips.landmarks import open_face_models
  with open_face_models(): pass
loaded = [name for name in {unwanted!r} if name in sys.modules]
sys.exit(f'loaded: {{loaded}}' if loaded else 0)"""
  done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, env={**os.environ}, check=False)
  assert done.returncode == 0, done.stderr


def test_every_config_loads_and_names_a_known_clip():
  for path in sorted((ROOT / 'configs').rglob('*.py')):
    scope: dict = {}
    exec(compile(path.read_text(), str(path), 'exec'), scope)
    config = scope['get_config']()
    assert config.data.builder_config in SPECS, path
    for dataset in config.data.dataset.split('+'):
      assert (ROOT / 'data_builders' / dataset / 'README.md').exists(), path
