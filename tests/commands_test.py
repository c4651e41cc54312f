"""What a user types and sees: run.py, predict and inspect, and which libraries each loads."""

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from train_test import tiny_config

from lipfake_jax import inspect as lip_inspect
from lipfake_jax import predict, report, train
from lipfake_jax.clips import SPECS
from lipfake_jax.errors import UserError

ROOT = Path(__file__).parents[1]


def run_py(*arguments: str) -> subprocess.CompletedProcess:
  command = [sys.executable, 'run.py', *arguments]
  return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope='module')
def trained(tmp_path_factory, tiny_data):
  """A short run whose clips are 6 lip crops of 16x16."""
  workdir = tmp_path_factory.mktemp('trained')
  train.train_and_evaluate(tiny_config(**{'train.epochs': 1}), workdir, tiny_data)
  return workdir


def test_predict_gives_each_video_a_verdict_or_a_reason(trained, tmp_path, face_video, blank_video, text_video, capsys):
  folder = tmp_path / 'folder'
  folder.mkdir()
  for name, source in (('b.mp4', blank_video), ('t.mp4', text_video)):
    (folder / name).write_bytes(source.read_bytes())
  (folder / 'notes.txt').write_text('no video')
  predict.predict_videos(trained, [str(face_video), str(folder), str(face_video)], batch_size=2)
  stored = json.loads((trained / 'predictions.json').read_text())
  face, blank, text = stored['videos']
  assert face['video'] == str(face_video)
  assert 0 < face['p_fake'] < 1
  assert face['verdict'] == ('fake' if face['p_fake'] > stored['threshold'] else 'real')
  assert (blank['p_fake'], blank['verdict']) == (None, None)
  assert blank['reason'].startswith('no_face')
  assert text['reason'].startswith('unreadable')
  table = capsys.readouterr().out
  assert f'{face["p_fake"]:.3f}' in table
  assert 'none: no_face' in table


def test_predict_of_nothing(trained, tmp_path):
  with pytest.raises(UserError, match='no video in this folder'):
    predict.predict_videos(trained, [str(tmp_path)], batch_size=2)
  with pytest.raises(UserError, match='no such file or folder'):
    predict.predict_videos(trained, [str(tmp_path / 'none.mp4')], batch_size=2)


def test_inspect_draws_crops_and_activity(tmp_path, face_video, capsys):
  assert lip_inspect.main([str(face_video), f'--out={tmp_path}']) == 0
  picture = cv2.imread(str(tmp_path / 'face.inspect.png'))
  assert picture.shape[1] > 1000
  assert 'face.inspect.png' in capsys.readouterr().out


def test_inspect_of_a_rejected_video_says_why(tmp_path, blank_video, text_video, capsys):
  assert lip_inspect.main([str(blank_video), f'--out={tmp_path}']) == 0
  assert 'no_face: no face in any of its 70 frames' in capsys.readouterr().out
  assert lip_inspect.main([str(text_video), f'--out={tmp_path}']) == 2
  assert 'text.mp4: Invalid data' in capsys.readouterr().err


def test_contact_sheet_is_in_reading_order():
  frames = np.repeat(np.arange(20, dtype=np.uint8), 8 * 8 * 3).reshape(20, 8, 8, 3)
  sheet = lip_inspect.contact_sheet(frames)
  assert sheet.shape == (18, 148, 3)  # two rows of fifteen, 2 pixels apart
  assert [sheet[4, 10 * i + 4, 0] for i in range(15)] == list(range(15))
  assert [sheet[14, 10 * i + 4, 0] for i in range(6)] == [*range(15, 20), 255]


def test_the_table_starts_with_always_fake():
  from lipfake_jax.metrics import evaluate_scores

  figures = evaluate_scores(np.array([0, 0, 0, 1]), np.array([0.1, 0.2, 0.9, 0.8]))
  text = report.text_table('title', figures, [{'label': 'fake', 'reason': 'no_face'}])
  lines = {line[:20].strip(): line[20:].split() for line in text.splitlines()}
  assert 'always fake    this run' in text
  assert lines['accuracy'] == ['0.250', '0.750']
  assert lines['balanced accuracy'] == ['0.500', '0.833']
  assert lines['auc'] == ['-', '0.667']
  assert '1 videos without a verdict, not in these figures: 1 fake no_face' in text


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
    (['--config=configs/demo.py', '--config.model.name=lstm'], 'choose one of cnn_lstm'),
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
    ('lipfake_jax.train', ('tensorflow', 'mediapipe')),
    ('lipfake_jax.extraction', ('jax', 'tensorflow')),
    ('lipfake_jax.inspect', ('jax', 'tensorflow')),
    ('lipfake_jax.demo_videos', ('jax', 'tensorflow')),
  ],
)
def test_modules_load_only_what_they_need(module, unwanted):
  """In a process of its own; extraction's Face Mesh is opened too, since MediaPipe would load TensorFlow."""
  code = f"""
import sys, {module}
if {module!r} != 'lipfake_jax.train':
  from lipfake_jax.landmarks import open_face_mesh
  with open_face_mesh(): pass
loaded = [name for name in {unwanted!r} if name in sys.modules]
sys.exit(f'loaded: {{loaded}}' if loaded else 0)"""
  done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, env={**os.environ}, check=False)
  assert done.returncode == 0, done.stderr


def test_every_config_loads_and_names_a_known_clip():
  for path in sorted((ROOT / 'configs').glob('*.py')):
    scope: dict = {}
    exec(compile(path.read_text(), str(path), 'exec'), scope)
    config = scope['get_config']()
    assert config.data.builder_config in SPECS, path
    assert (ROOT / 'data_builders' / config.data.dataset / 'README.md').exists(), path
