"""What is done to weights before they are shipped."""

import copy
from pathlib import Path

import numpy as np
import pytest

from lipfake_jax.core.errors import UserError
from lipfake_jax.experiments.ship import average_scores, bend_head, join_members
from lipfake_jax.models.effnet import Logit
from lipfake_jax.scoring.scores import Scores

META = {
  'model': {'name': 'effnet_frames', 'aggregation': 'mean_logit', 'arguments': {'blocks': 4}},
  'clip': {'frames': 16},
  'data': {'dataset': 'd'},
}
RUNS = (Path('a'), Path('b'))


def checkpoint(value, stem=0.0, **model):
  meta = copy.deepcopy(META)
  meta['model'].update(model)
  return {'params': {'stem': np.array(stem), 'trunk': np.array(value), 'logit': np.array(-value)}}, meta


def test_the_last_layer_is_scaled_and_shifted():
  weights = {'params': {'logit': {'kernel': np.array([0.1, -0.2]), 'bias': np.array(0.05)}, 'stem': 1}}
  features = np.array([3.0, 1.0])
  before = Logit().apply({'params': weights['params']['logit']}, features)
  assert before == pytest.approx(1.5)  # 10 (.3 - .2 + .05)
  bent = bend_head(weights, 0.5, -2.0)
  assert Logit().apply({'params': bent['params']['logit']}, features) == pytest.approx(-1.25)
  assert bent['params']['stem'] == 1


def test_every_members_last_layer_is_bent():
  head = {'kernel': np.array([1.0]), 'bias': np.array(0.0)}
  bent = bend_head({'params': {'logit': head, 'logit_1': head, 'trunk': 7}}, 2.0, 10.0)['params']
  assert bent['logit'] == bent['logit_1'] == {'kernel': np.array([2.0]), 'bias': np.array(1.0)}
  assert bent['trunk'] == 7


def test_runs_become_members_on_one_stem():
  weights, meta = join_members([checkpoint(1.0), checkpoint(2.0)], RUNS)
  assert weights['params'] == {'stem': 0.0, 'trunk': 1.0, 'logit': -1.0, 'trunk_1': 2.0, 'logit_1': -2.0}
  assert meta['model']['arguments'] == {'blocks': 4, 'members': 2}


def test_one_run_stays_as_it_is():
  found = checkpoint(1.0, name='cnn_lstm')
  assert join_members([found], RUNS[:1]) == found


@pytest.mark.parametrize(
  ('other', 'message'),
  [
    (checkpoint(2.0, arguments={'blocks': 5}), 'a, b: they differ in model, clips or data'),
    (checkpoint(2.0, stem=1.0), 'their stems differ: train with --config.train.freeze=stem'),
  ],
)
def test_runs_that_share_no_stem_or_model_are_not_joined(other, message):
  with pytest.raises(UserError, match=message):
    join_members([checkpoint(1.0), other], RUNS)


def test_other_models_have_no_members():
  with pytest.raises(UserError, match='only effnet_frames of one member'):
    join_members([checkpoint(1.0, name='cnn_lstm'), checkpoint(2.0, name='cnn_lstm')], RUNS)


def test_logits_of_several_runs_are_averaged_video_by_video():
  """Of p = 1/2 and 4/5 the logits are 0 and log 4, whose mean is that of 2/3; of 1/2 and 1/2 it is 1/2."""

  def scores(labels, p_fake, keys):
    return Scores(np.array(labels), np.array(p_fake), [1, 1], np.arange(2), {'dataset': ['d'] * 2, 'key': keys})

  one, other = scores([1, 0], [0.5, 0.5], ['x', 'y']), scores([0, 1], [0.5, 0.8], ['y', 'x'])
  mean = average_scores([one, other])
  assert mean.labels.tolist() == [1, 0]
  np.testing.assert_allclose(mean.p_fake, [2 / 3, 1 / 2])
