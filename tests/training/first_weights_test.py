"""Where a run's first weights come from: the shipped ones, ImageNet's, and what fits neither."""

import importlib.util

import jax
import numpy as np
import pytest

from lipfake_jax.core.errors import UserError
from lipfake_jax.models import create_model
from lipfake_jax.models.imagenet import PACKAGE, load_imagenet
from lipfake_jax.training import first_weights, parallel
from lipfake_jax.training.augment import Augmentation
from lipfake_jax.training.first_weights import take_weights
from lipfake_jax.training.optimizer import create_optimizer, create_schedule
from lipfake_jax.training.state import create_train_state
from tests.models.model_checks import SMALL_FRAMES, ship_small

SHAPE = (2, 32, 32, 3)


def fresh_state(name='effnet_frames', **arguments):
  return create_train_state(create_model(name, arguments), SHAPE, create_optimizer(0.0), 1e-3, 'float32', 0, ())


@pytest.mark.slow
def test_fine_tuning_goes_on_from_the_shipped_weights(tmp_path, monkeypatch):
  """A step moves them, but for the stem where that is frozen, and patches of unknown content count for nothing."""
  load_small = ship_small(tmp_path, 'effnet_frames', SMALL_FRAMES)
  monkeypatch.setattr(first_weights, 'load_shipped', load_small)
  weights, meta = load_small()
  state, seen = take_weights(fresh_state(**meta['model']['arguments']), 'shipped')
  assert all(map(np.array_equal, *map(jax.tree.leaves, (state.params, weights['params']))))
  assert seen[0] == meta['data']
  tx = create_optimizer(0.0)
  params = {name: part for name, part in state.params.items() if name != 'stem'}
  state = state.replace(tx=tx, opt_state=tx.init(params))
  rng = np.random.default_rng(0)
  batch = {
    'clip': rng.integers(0, 256, (2, *SHAPE), np.uint8),
    'label': np.array([0, 1], np.int32),
    'weight': np.ones(2, np.float32),
    'patches': np.stack([np.zeros((2, 2), np.float32), np.full((2, 2), -1, np.float32)]),
  }
  off = Augmentation(flip=0.0, brightness=0.0)
  step = parallel.parallel_train_step(off, (), 0.0, create_schedule('plateau', 1, 0, 0.0), freeze=('stem',))
  sharded = {name: parallel.shard(value[None]) for name, value in batch.items()}
  after, metrics = step(state, sharded, jax.random.key(0), None)
  assert np.isfinite(metrics['loss']).all()
  assert np.array_equal(after.params['stem']['kernel'], weights['params']['stem']['kernel'])
  assert not np.array_equal(after.params['trunk']['neck']['kernel'], weights['params']['trunk']['neck']['kernel'])


def test_shipped_weights_of_another_model_are_told():
  """Of the state only the shapes are looked at, which spares compiling the full model."""
  shapes = jax.eval_shape(lambda: fresh_state(neck=8))
  with pytest.raises(UserError, match='init_from=shipped: its effnet_probe does not fit'):
    take_weights(shapes, 'shipped')


def test_only_effnets_take_imagenets():
  with pytest.raises(UserError, match='choose an effnet model'):
    take_weights(fresh_state('cnn_gru', filters=(2, 2), units=2, hidden=2), 'imagenet')


@pytest.mark.skipif(importlib.util.find_spec(PACKAGE) is None, reason='the weights of ImageNet are not here')
def test_blocks_begin_as_imagenets():
  state, seen = take_weights(fresh_state(blocks=4, depth=5), 'imagenet')
  assert seen == []
  stem, block, top = load_imagenet(0, 3), load_imagenet(3, 4), load_imagenet(4, 5)
  assert np.array_equal(state.params['stem']['kernel'], stem['kernel'])
  assert np.array_equal(state.params['trunk']['lite0']['block3']['kernel'], block['block3']['kernel'])
  assert np.array_equal(state.params['trunk']['top']['block4']['kernel'], top['block4']['kernel'])
  assert not state.params['trunk']['beside']['kernel'].any()


@pytest.mark.skipif(importlib.util.find_spec(PACKAGE) is None, reason='the weights of ImageNet are not here')
def test_a_probe_looks_by_imagenets_blocks():
  state, _ = take_weights(fresh_state('effnet_probe', side=32, cuts=(2, 4)), 'imagenet')
  first, second = load_imagenet(0, 2), load_imagenet(2, 4)
  assert np.array_equal(state.params['lite0_0']['kernel'], first['kernel'])
  assert np.array_equal(state.params['lite0_0']['block1']['kernel'], first['block1']['kernel'])
  assert np.array_equal(state.params['lite0_1']['block3']['kernel'], second['block3']['kernel'])
