"""The shipped weights at work: verdicts without a workdir."""

import json
import shutil

import pytest

from lipfake_jax.inference.predict import predict_videos
from lipfake_jax.inference.run import open_run, open_shipped
from lipfake_jax.models.shipped import FOLDER, NAME
from lipfake_jax.scoring.conformal import Limits, decide_within


@pytest.mark.slow
def test_videos_get_verdicts_without_a_workdir(tmp_path, monkeypatch, face_video, blank_video, capsys):
  """Nothing is left in the current folder but the predictions; a second scoring gives the same to the last digit."""
  monkeypatch.chdir(tmp_path)
  first, again = (predict_videos(None, [str(face_video), str(blank_video)], batch_size=2) for _ in range(2))
  assert first == again
  assert {path.name for path in tmp_path.iterdir()} == {'predictions.csv', 'predictions.json'}
  stored = json.loads((tmp_path / 'predictions.json').read_text())
  face, blank = stored['videos']
  assert face['verdict'] == decide_within(face['p_fake'], Limits(**stored['limits']))
  assert face['notes'] == []
  assert blank['verdict'] is None
  assert 'each wrong for at most 10% of a class' in capsys.readouterr().out


def test_weights_kept_in_a_folder_are_opened_as_a_run(tmp_path):
  for suffix in ('.npz', '.json'):
    shutil.copy(FOLDER / f'{NAME}{suffix}', tmp_path)
  run, shipped = open_run(tmp_path), open_shipped()
  assert (run.workdir, run.limits, run.decision) == (tmp_path, shipped.limits, shipped.decision)
  assert run.meta == shipped.meta


def test_the_shipped_run_tells_how_it_decides():
  run = open_shipped()
  assert run.limits.error == 0.1
  assert 0 < run.decision.threshold < 1
  assert run.meta['clip']['region'] == 'lower_face'
  assert run.meta['data']['dataset'] == 'video_folder'
