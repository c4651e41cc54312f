"""The linear SVM on a codec's motion: against scikit-learn, and whole runs with it."""

import csv
import dataclasses
import json
import re
from types import SimpleNamespace

import jax
import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from lipfake_jax.cli.main import main
from lipfake_jax.core.errors import UserError
from lipfake_jax.data.dataset import DataChoice, open_split
from lipfake_jax.experiments.experiment import train_and_evaluate
from lipfake_jax.inference import predict
from lipfake_jax.models import create_model
from lipfake_jax.report.results import evaluate_workdir
from lipfake_jax.training import closed_form
from tests.training.loop_test import final_state, rows, tiny_config

pytestmark = pytest.mark.usefixtures('quick_evaluation')

N, F = 60, 7
LABELS = (np.arange(N) % 3 > 0).astype(np.int32)  # 20 reals, 40 fakes
PEOPLE = [f'person {i // 6}' for i in range(N)]
MODEL = create_model('motion_svm', {'c': 0.1})


def noise(people: float = 0.0, fakes: float = 0.0) -> np.ndarray:
  """Features [N, F] of unequal sizes, one of them constant; persons and fakes lie this far apart."""
  rng = np.random.default_rng(0)
  clips = rng.normal(0, 1, (N, F)) + people * rng.normal(0, 1, (N // 6, F)).repeat(6, axis=0)
  clips[:, 0] += fakes * LABELS
  clips[:, -1] = 0
  return (clips * 10.0 ** np.arange(F) + 5).astype(np.float32)


def score(params, clips):
  return np.asarray(MODEL.apply({'params': params}, clips))


def test_probabilities_are_those_of_scikit_learn():
  """1e-4: float32 against float64, of features up to a million."""
  clips = noise(fakes=1.0)
  svm = make_pipeline(StandardScaler(), LinearSVC(C=0.1, dual=False))
  folds = StratifiedGroupKFold(5).split(clips, LABELS, PEOPLE)
  theirs = CalibratedClassifierCV(svm, cv=list(folds), ensemble=False).fit(clips.astype(float), LABELS)
  logits = score(MODEL.fit(clips, LABELS, PEOPLE, False), clips)
  assert (logits.shape, logits.dtype) == ((N,), np.float32)
  np.testing.assert_allclose(jax.nn.sigmoid(logits), theirs.predict_proba(clips)[:, 1], atol=1e-4)
  assert np.ptp(logits) > 1


def test_it_separates_what_can_be_separated_and_says_so():
  logits = score(MODEL.fit(noise(fakes=8.0), LABELS, PEOPLE, False), noise(fakes=8.0))
  assert ((logits > 0) == LABELS).all()
  assert np.abs(logits).min() > 1


def test_people_known_by_heart_give_no_confidence():
  """Each person has one label: with others of hers in training, every clip is told; of a new person, nothing is."""
  labels = (np.arange(N) // 6 % 2).astype(np.int32)
  clips = noise(people=20.0)
  told = MODEL.fit(clips, labels, [str(i) for i in range(N)], False)
  new = MODEL.fit(clips, labels, PEOPLE, False)
  assert np.abs(score(told, clips)).mean() > 2
  assert np.abs(score(new, clips)).mean() < 1


def test_balanced_classes_weigh_the_same():
  """Of noise, two thirds of which are fake, it calls each clip about as it knows them: 2 to 1, or 1 to 1."""
  usual, balanced = (score(MODEL.fit(noise(), LABELS, PEOPLE, choice), noise()) for choice in (False, True))
  assert np.mean(usual) == pytest.approx(np.log(2), abs=0.2)
  assert np.mean(balanced) == pytest.approx(0, abs=0.2)


def test_parameter_count():
  shapes = jax.eval_shape(create_model('motion_svm', {}).init, jax.random.key(0), np.zeros((1, 68), np.float32))
  assert sum(np.prod(leaf.shape) for leaf in jax.tree.leaves(shapes)) == 207


def test_too_few_people_are_told():
  with pytest.raises(UserError, match='folds=5: the reals to train on are of 3 people'):
    MODEL.fit(noise(), LABELS, [str(min(i, 6)) for i in range(N)], False)


def svm_config(**changes):
  config = tiny_config(**{'train.epochs': 1, 'eval.threshold': 'balanced_accuracy', **changes})
  config.model.name = 'motion_svm'
  config.data.builder_config = 'tiny_motion'
  return config


@pytest.fixture(scope='module')
def fitted(tmp_path_factory, tiny_data):
  workdir = tmp_path_factory.mktemp('svm')
  train_and_evaluate(svm_config(), workdir, tiny_data)
  return workdir


@pytest.mark.slow
def test_a_run_fits_validates_and_evaluates(fitted, tiny_data):
  [row] = rows(fitted)
  assert (row['epoch'], row['step']) == (1, 1)
  assert row['train_loss'] < 0.6
  figures = json.loads((fitted / 'eval' / 'tiny_clips-test' / 'metrics.json').read_text())
  assert figures['auc'] > 0.9
  with open(fitted / 'eval' / 'tiny_clips-test' / 'scores.csv', newline='') as file:
    assert {row['frames_used'] for row in csv.DictReader(file)} == {'6'}
  evaluate_workdir(fitted, ['tiny_clips:validation'], tiny_data, 4)
  figures = json.loads((fitted / 'eval' / 'tiny_clips-validation' / 'metrics.json').read_text())
  assert figures['balanced_accuracy'] > 0.8


@pytest.mark.parametrize(
  ('columns', 'expected'),
  [
    ({'identity': [f'p{i % 4}' for i in range(22)]}, [f'p{i % 4}' for i in range(22)]),
    ({'identity': [''] * 22, 'original': [f'{i % 4}.mp4' for i in range(22)]}, [f'{i % 4}' for i in range(22)]),
    ({'identity': [''] * 22, 'key': [f'{i}.mp4' for i in range(22)]}, [f'{i}' for i in range(22)]),
    ({'group': [f'{i % 2}' for i in range(22)]}, [f'{i % 2}' for i in range(22)]),
  ],
)
def test_folds_keep_people_apart_and_where_they_are_not_known_originals(tiny_data, columns, expected):
  split = open_split(DataChoice('tiny_clips', 'tiny_motion'), 'train', tiny_data, 'motion')
  split = dataclasses.replace(split, table=split.table | columns)
  seen = []

  def fit(clips, labels, people, balanced):
    seen.extend(people)
    raise KeyboardInterrupt

  with pytest.raises(KeyboardInterrupt):
    closed_form.fit_epoch(svm_config(), SimpleNamespace(fit=fit), None, split, lambda step: None)
  assert seen == [f'tiny_clips/{name}' for name in expected]


@pytest.mark.slow
def test_a_finished_run_does_nothing_more(fitted, tiny_data):
  before, history = final_state(fitted), rows(fitted)
  train_and_evaluate(svm_config(), fitted, tiny_data)
  assert rows(fitted) == history
  for ours, theirs in zip(final_state(fitted), before, strict=True):
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.slow
def test_controls_have_no_frames_to_shuffle(fitted, tiny_data, capsys):
  page = fitted / 'eval' / 'tiny_clips-test' / 'report.html'
  page.unlink()
  main(['controls', str(fitted), f'--data_dir={tiny_data}'])
  assert 'there are no frames to shuffle' in capsys.readouterr().out
  assert page.exists()
  assert not page.with_name('controls.json').exists()


@pytest.mark.slow
def test_predict_measures_the_motion(fitted, face_video):
  [face] = predict.predict_videos(fitted, [str(face_video)], batch_size=2)
  assert 0 <= face['p_fake'] <= 1
  assert face['verdict']


@pytest.mark.parametrize(
  ('changes', 'message'),
  [
    ({'train.epochs': 3}, 'train.epochs=3: motion_svm is fitted at once, to all clips: choose 1'),
    ({'train.freeze': 'kernel'}, "train.freeze='kernel'"),
    ({'init_from': 'runs/other'}, "init_from='runs/other'"),
    ({'train.imbalance': 'balanced'}, "train.imbalance='balanced': motion_svm is fitted at once: choose none or"),
  ],
)
def test_what_only_steps_can_do_is_told(tmp_path, tiny_data, changes, message):
  with pytest.raises(UserError, match=re.escape(message)):
    train_and_evaluate(svm_config(**changes), tmp_path / 'run', tiny_data)
  assert not (tmp_path / 'run').exists()
