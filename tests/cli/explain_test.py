"""`lipfake explain` and `lipfake detect --explain` as a user calls them."""

import json
import shutil

import cv2
import pytest

from lipfake_jax.cli.main import main
from lipfake_jax.core.clip_spec import ClipSpec
from lipfake_jax.models.shipped import NAME, save_shipped
from tests.conftest import TINY
from tests.evaluation.explanations_test import make_run
from tests.training.loop_test import TINY_MODEL


def ended(*arguments) -> int:
  """The exit code."""
  try:
    main(list(map(str, arguments)))
  except SystemExit as stop:
    return stop.code
  return 0


@pytest.fixture(scope='module')
def weights(tmp_path_factory):
  """Untrained ones, kept as the shipped ones are."""
  folder = tmp_path_factory.mktemp('weights')
  run = make_run(folder, 'cnn_lstm', TINY_MODEL)
  clip = ClipSpec(**{**TINY, 'rule': 'contiguous'}).fields()
  how = {'decision': vars(run.decision), 'limits': {'error': 0.1, 'real': 0.01, 'fake': 0.01}}
  save_shipped(run.variables, {**run.meta, 'clip': clip, 'version': '0', **how}, folder)
  return folder


@pytest.mark.slow
def test_a_video_has_a_picture_and_sentences(face_video, blank_video, weights, tmp_path, capsys):
  assert ended('explain', face_video, blank_video, f'--weights={weights}', f'--out={tmp_path}') == 0
  told = capsys.readouterr().out.splitlines()
  assert told[0] == f'{face_video}: fake'
  assert told[1].startswith('  person 1, 0:0')
  assert any('speaks' in line for line in told)
  assert any('Nobody has tested' in line for line in told)
  assert told[-1] == '  nothing to explain: no face in any of its 70 frames (no face)'
  height, width, _ = cv2.imread(str(tmp_path / 'face.person1.jpg')).shape
  assert (height, width) == (2 * 128 + 48 + 2 * 2, 6 * 130 - 2)  # six frames, plain and hot, and their bars


@pytest.mark.slow
def test_the_page_shows_it(face_video, weights, tmp_path):
  assert ended('detect', face_video, f'--weights={weights}', f'--out={tmp_path}', '--explain') == 0
  page = (tmp_path / 'face.html').read_text()
  assert 'What carried the score of the highest window' in page
  assert page.index('Heat over the mouth of person 1') < page.index('The mouth, window by window')


@pytest.mark.parametrize(
  ('arguments', 'message'),
  [
    (['explain'], 'name a VIDEO, or --measure without one'),
    (['explain', 'a.mp4', '--measure'], 'name a VIDEO, or --measure without one'),
    (['explain', '--measure', '--methods=guess'], '--methods=guess: choose of occlusion, '),
    (['explain', '--measure', '--limit=-1'], '--limit=-1: give a number of videos'),
    (['detect', 'a.mp4', '--explain'], '--explain needs --out=FOLDER'),
  ],
)
def test_a_wrong_call_ends_with_2(arguments, message, weights, capsys):
  own = [f'--weights={weights}'] if '--measure' in arguments else []
  assert ended(*arguments, *own) == 2
  assert message in capsys.readouterr().err


def test_a_model_of_whole_videos_is_refused(weights, tmp_path, face_video, capsys):
  about = json.loads((weights / f'{NAME}.json').read_text())
  shutil.copytree(weights, tmp_path / 'svm')
  about['model'] = {'name': 'motion_svm', 'arguments': {}, 'aggregation': 'mean'}
  (tmp_path / 'svm' / f'{NAME}.json').write_text(json.dumps(about))
  assert ended('explain', face_video, f'--weights={tmp_path / "svm"}') == 2
  assert "motion_svm takes 'motion', figures of a whole video" in capsys.readouterr().err
