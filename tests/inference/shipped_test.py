"""The shipped weights at work: verdicts without a workdir."""

import json

import pytest

from lipfake_jax.inference.predict import predict_videos
from lipfake_jax.inference.run import open_shipped
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


def test_the_shipped_run_tells_how_it_decides():
  run = open_shipped()
  assert run.limits.error == 0.1
  assert 0 < run.decision.threshold < 1
  assert run.meta['clip']['region'] == 'lower_face'
  assert run.meta['data']['dataset'] == 'video_folder'
