"""Training on all people but the test part's: who is in which run, and what is told of whom."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from lipfake_jax.core.errors import UserError
from lipfake_jax.core.people import units
from lipfake_jax.data.dataset import open_split, read_choice
from lipfake_jax.experiments.crossfit import (
  crossfit,
  find_folds,
  open_all,
  open_fold,
  place_people,
  to_markdown,
  train_runs,
)
from lipfake_jax.experiments.ship import ship
from lipfake_jax.inference.checkpoints import restore_best
from lipfake_jax.models.shipped import load_shipped
from lipfake_jax.scoring.verdict import choose_decision, read_decision
from tests.training.loop_test import tiny_config

FOLDS = 2


@pytest.fixture(scope='module')
def opened(tiny_data):
  choice = read_choice(tiny_config().data)
  return {
    'both': [row['clip'] for part in ('train', 'validation') for row in open_split(choice, part, tiny_data).rows],
    'all': open_all(choice, 'train', tiny_data),
    'folds': [
      [open_fold(fold, FOLDS)(choice, part, tiny_data) for part in ('train', 'validation', 'test')]
      for fold in range(FOLDS)
    ],
  }


@pytest.fixture(scope='module')
def fitted(tiny_data, tmp_path_factory):
  workdir = tmp_path_factory.mktemp('crossfit')
  return workdir, crossfit(tiny_config(**{'train.epochs': 1}), workdir, FOLDS, tiny_data)


def test_every_video_of_training_and_validation_is_in_one_fold(opened):
  held = [row['clip'] for _, validation, _ in opened['folds'] for row in validation.rows]
  assert sorted(held) == sorted(opened['both'])
  assert sorted(opened['all'].table['clip']) == sorted(opened['both'])


def test_no_one_is_trained_and_validated_on(opened):
  for train, validation, test in opened['folds']:
    assert len(train) + len(validation) == len(opened['both'])
    people = [{unit for row in split.rows for unit in units(row)} for split in (train, validation, test)]
    assert not people[0] & people[1]
    assert not (people[0] | people[1]) & people[2]


def test_a_swap_of_people_from_two_folds_is_of_both():
  row = {'dataset': 'd', 'group': '', 'original': '', 'key': 'a.mp4', 'second_identity': ''}
  folds = {name: place_people({**row, 'identity': name}, FOLDS) for name in ('p1', 'p2', 'p3', 'p4')}
  one, other = next((a, b) for a in folds for b in folds if folds[a] != folds[b])
  assert place_people({**row, 'identity': one, 'second_identity': other}, FOLDS) == {0, 1}


@pytest.mark.slow
def test_each_video_is_scored_by_the_run_without_its_people(fitted, opened):
  workdir, scores = fitted
  assert [folder.name for folder in find_folds(workdir)] == ['fold_0', 'fold_1']
  assert sorted(scores.table['clip']) == sorted(opened['both'])
  assert np.isfinite(scores.p_fake).all()
  assert len(np.unique(scores.p_fake)) > 1
  assert read_decision(workdir / 'all') == choose_decision(scores.labels, scores.p_fake, 'fixed')
  lines = to_markdown(scores).splitlines()
  assert f'| {roc_auc_score(scores.labels, scores.p_fake):.3f}' in lines[2]
  assert lines[2].startswith('| all | 16, 16 |')
  assert lines[3].startswith('| flicker | 16, 16 |')


@pytest.mark.slow
def test_the_run_on_all_is_shipped_with_the_folds_limits(fitted, tiny_data, tmp_path):
  workdir, scores = fitted
  limits = ship(workdir, tiny_data, '1.0', 'a test', tmp_path)
  _, meta = load_shipped(tmp_path)
  assert meta['limits'] == {'error': limits.error, 'real': limits.real, 'fake': limits.fake}
  assert limits.real in scores.p_fake[scores.labels == 0] or limits.real == 1.0


@pytest.mark.slow
def test_some_runs_are_trained_by_themselves(fitted, tiny_data, tmp_path):
  """As they are beside the others."""
  train_runs(tiny_config(**{'train.epochs': 1}), tmp_path, FOLDS, tiny_data, ['fold_1'])
  assert [folder.name for folder in tmp_path.iterdir()] == ['fold_1']
  weights, again = (restore_best(folder / 'fold_1')[1]['digests']['weights'] for folder in (fitted[0], tmp_path))
  assert weights == again


def test_runs_that_there_are_none_of_are_told(tiny_data, tmp_path):
  with pytest.raises(UserError, match='--only=fold_2: of 2 folds the runs are fold_0, fold_1, all'):
    train_runs(tiny_config(**{'train.epochs': 1}), tmp_path, FOLDS, tiny_data, ['all', 'fold_2'])


def test_several_epochs_would_choose_one_of_them(tiny_data, tmp_path):
  with pytest.raises(UserError, match=r'train\.epochs=3: at least 2 folds, and 1 epoch'):
    crossfit(tiny_config(), tmp_path, FOLDS, tiny_data)


def test_runs_of_another_number_of_folds_are_not_mixed(tiny_data, tmp_path):
  for fold in range(3):
    (tmp_path / f'fold_{fold}').mkdir()
  with pytest.raises(UserError, match='holds 3 folds and not 2'):
    crossfit(tiny_config(**{'train.epochs': 1}), tmp_path, FOLDS, tiny_data)
