import csv
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from lipfake_jax.clips.regions import LIP_POINTS
from lipfake_jax.core.errors import Interrupted, UserError
from lipfake_jax.data import files
from lipfake_jax.inference import predict
from lipfake_jax.inference.run import Run
from lipfake_jax.scoring.verdict import Decision
from lipfake_jax.training import loop
from tests.conftest import copy_video, make_clip
from tests.training.loop_test import tiny_config


@pytest.fixture(scope='module')
def trained(tmp_path_factory, tiny_data):
  """A short run whose clips are 6 lip crops of 16x16."""
  workdir = tmp_path_factory.mktemp('trained')
  loop.train(tiny_config(**{'train.epochs': 1}), workdir, tiny_data)
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


def test_names_of_any_kind_are_told_in_valid_text(trained, tmp_path, text_video, capsys):
  names = {
    os.fsdecode(b'caf\xe9.mp4'): r'caf\xe9.mp4',
    'a\nb.mp4': r'a\nb.mp4',
    '\x1b[31mred.mp4': r'\x1b[31mred.mp4',
    'a, b.mp4': 'a, b.mp4',
    '23:50.mp4': '23:50.mp4',
    f'{"n" * 250}.mp4': f'{"n" * 250}.mp4',
    '日本.mp4': '日本.mp4',
  }
  for name in names:
    shutil.copy(text_video, tmp_path / name)
  (tmp_path / '._a.mp4').touch()
  (tmp_path / 'notes.txt').write_text('no video')
  os.mkfifo(tmp_path / 'pipe.mp4')
  predict.predict_videos(trained, [str(tmp_path)], batch_size=2)
  stored = (trained / 'predictions.json').read_text()
  assert {video['video'] for video in json.loads(stored)['videos']} == {f'{tmp_path}/{name}' for name in names.values()}
  assert json.loads(stored)['left_out'] == {
    files.IS_HIDDEN: [f'{tmp_path}/._a.mp4'],
    files.IS_SPECIAL: [f'{tmp_path}/pipe.mp4'],
    files.IS_NO_VIDEO: [f'{tmp_path}/notes.txt'],
  }
  table = capsys.readouterr().out
  assert '1 files that hold no video, left out' in table
  for shown in names.values():
    assert f'{tmp_path}/{shown}' in table
  table.encode()  # UTF-8
  assert '\x1b' not in table


def test_models_of_landmarks_get_the_lips_of_all_clips_of_a_video():
  """Two videos, of two clips and of one: three clips in a batch of two and one of one."""
  videos = [[tiny_clip(0.5), tiny_clip(1.5)], [tiny_clip(-1.0)]]
  shapes = []

  def score(lips):
    shapes.append((lips.shape, lips.dtype))
    return lips.mean(axis=(1, 2, 3))

  meta = {'model': {'name': 'lip_kinematics', 'arguments': {}, 'aggregation': 'mean_logit'}}
  run = Run(Path(), score, meta, Decision())
  found = predict.score_videos(run, videos, batch_size=2)
  assert found == pytest.approx([1 / (1 + np.exp(-1.0)), 1 / (1 + np.exp(1.0))])
  assert shapes == [((n, 3, len(LIP_POINTS), 2), np.float32) for n in (2, 1)]


def test_a_score_does_not_depend_on_what_is_scored_beside_it(trained, tmp_path, face_video):
  """Alone, or one of three in a batch of four: the same but for the order of additions, which floats feel at 1e-6."""
  copies = [copy_video(face_video, tmp_path / f'{n}.mp4', boxes=n) for n in range(3)]
  together = predict.predict_videos(trained, [str(tmp_path)], batch_size=32)
  alone = predict.predict_videos(trained, [str(copies[0])], batch_size=32)
  assert [p['p_fake'] for p in together] == pytest.approx([alone[0]['p_fake']] * 3, abs=1e-5)


def test_what_was_scored_before_a_stop_is_kept(trained, tmp_path, blank_video, face_video, text_video, monkeypatch):
  """Ctrl-C comes while the second of three videos is scored; the same command then ends as if it had not."""
  for name, source in (('1.mp4', blank_video), ('2.mp4', face_video), ('3.mp4', text_video)):
    shutil.copy(source, tmp_path / name)

  def stop(run, videos, batch_size):
    if videos:
      raise KeyboardInterrupt
    return []

  with monkeypatch.context() as patched:
    patched.setattr(predict, 'score_videos', stop)
    with pytest.raises(Interrupted, match='interrupted: 1 of 3 videos are scored; the same command goes on') as error:
      predict.predict_videos(trained, [str(tmp_path)], batch_size=1)
  assert error.value.code == 130
  rows = list(csv.DictReader((trained / 'predictions.csv').open()))
  assert [(row['video'], row['verdict']) for row in rows] == [(str(tmp_path / '1.mp4'), '')]
  assert rows[0]['reason'].startswith('no_face')
  stored = json.loads((trained / 'predictions.json').read_text())
  assert [video['video'] for video in stored['videos']] == [str(tmp_path / '1.mp4')]
  assert len(predict.predict_videos(trained, [str(tmp_path)], batch_size=1)) == 3
  assert len(list(csv.DictReader((trained / 'predictions.csv').open()))) == 3


def test_a_run_that_cannot_be_written_predicts_on_the_terminal(trained, tmp_path, face_video, capsys):
  """Things of other kinds lie where its cache and its results should be, as no permission stops an administrator."""
  shutil.copytree(trained / 'checkpoints', tmp_path / 'checkpoints')
  (tmp_path / 'clip_cache').touch()
  for name in ('predictions.csv', 'predictions.json'):
    (tmp_path / name / 'inner').mkdir(parents=True)
  [prediction] = predict.predict_videos(tmp_path, [str(face_video)], batch_size=2)
  assert prediction['verdict'] in ('real', 'fake')
  told = capsys.readouterr().out
  assert f'{prediction["p_fake"]:.3f}' in told
  assert f'warning: {tmp_path} cannot be written (Is a directory): the predictions are not kept there' in told
  assert 'written to' not in told


def tiny_clip(value):
  return make_clip(np.zeros((3, 8, 8, 3), np.uint8), 'v', lips=np.full((3, len(LIP_POINTS), 2), value, np.float32))


def test_predict_of_nothing(trained, tmp_path):
  with pytest.raises(UserError, match='no video in this folder'):
    predict.predict_videos(trained, [str(tmp_path)], batch_size=2)
  with pytest.raises(UserError, match='no such file or folder'):
    predict.predict_videos(trained, [str(tmp_path / 'none.mp4')], batch_size=2)
