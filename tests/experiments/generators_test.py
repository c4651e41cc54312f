"""Generators that training never saw: who is held against whom, and what is said when that can't be."""

import dataclasses

import numpy as np
import pytest

from lipfake_jax.core.errors import UserError
from lipfake_jax.data.dataset import open_split, read_choice
from lipfake_jax.experiments.generators import describe, to_markdown, train_without
from lipfake_jax.scoring.scores import WHO, Scores
from tests.training.loop_test import tiny_config


def scores(labels, p_fake, methods):
  keys = [f'{number}.mp4' for number in range(len(labels))]
  table = {name: [''] * len(labels) for name in WHO} | {'key': keys, 'identity': keys, 'method': methods}
  return Scores(np.array(labels, np.int32), np.array(p_fake), [16] * len(labels), np.arange(len(labels)), table)


def test_a_group_s_fakes_of_both_parts_are_held_against_validation_s_reals():
  train = scores([1], [0.1], ['b'])
  validation = scores([0, 0, 1], [0.2, 0.4, 0.3], ['original', 'original', 'a'])
  found = describe('a,b', [train, validation])
  assert (found.n_real, found.n_fake, found.auc) == (2, 2, 0.25)  # of four pairs one is in order
  assert found.methods == {'a': (1, 0.5), 'b': (1, 0.0)}


def test_the_table_ends_with_the_mean_of_its_groups():
  found = describe('a', [scores([0, 1], [0.2, 0.4], ['original', 'a'])])
  worse = dataclasses.replace(found, group='b', auc=0.5, interval=None)
  assert to_markdown([found, worse]).splitlines()[-1] == '| mean | | 0.750 | |'


def test_a_pattern_of_methods_leaves_their_fakes_out(tiny_data):
  choice = read_choice(tiny_config().data)
  everything, without = (
    open_split(dataclasses.replace(choice, exclude=exclude), 'train', tiny_data) for exclude in ((), ('fl*er',))
  )
  assert without.labels.sum() == 0
  assert len(without) == (everything.labels == 0).sum()


def test_a_group_that_holds_nothing_names_the_methods(tiny_data, tmp_path):
  with pytest.raises(UserError, match=r'--group=Wav2Lip.*methods: flicker, original'):
    train_without(tiny_config(), 'Wav2Lip*', tmp_path, tiny_data)


def test_a_group_that_holds_all_fakes_leaves_nothing_to_train_on(tiny_data, tmp_path):
  with pytest.raises(UserError, match='one class'):
    train_without(tiny_config(), 'flicker', tmp_path, tiny_data)
