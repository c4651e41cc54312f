"""Every model through the training and the evaluation step on two devices, in float16, the hardest precision.

`parallel_test` does so with cnn_lstm; that bfloat16 gives about the same logits is among the tests of each model.
"""

import json
import os
import subprocess
import sys

import jax
import numpy as np
import pytest

from lipfake_jax.inference.parallel_eval import parallel_eval_step, shard
from lipfake_jax.models import MODELS, create_model
from lipfake_jax.training import parallel
from lipfake_jax.training.augment import Augmentation
from lipfake_jax.training.optimizer import create_optimizer, create_schedule
from lipfake_jax.training.precision import PRECISIONS
from lipfake_jax.training.state import create_train_state

STILL = {'dropout': 0.0}
SMALL = {
  'cnn_gru': ({'filters': (4, 8), 'units': 8, 'hidden': 8, 'gru_dropout': 0.0, **STILL}, (4, 14, 14, 3)),
  'cnn3d': ({'filters': (4, 4, 6), 'hidden': 8, **STILL}, (4, 16, 16, 3)),
  'r2plus1d': ({'stem': (3, 4), 'filters': (4,), 'blocks': (1,)}, (4, 12, 12, 3)),
  'clrnet': ({'filters': 4, 'blocks': (1,), **STILL}, (2, 12, 12, 3)),
  'xception_frames': ({'stem': (4, 4), 'entry': (6,), 'middle': 0, 'exit': (8, 8, 12), **STILL}, (2, 20, 20, 3)),
  'cnn5_frames': ({'filters': (2, 2, 4, 4, 8), 'hidden': 8, **STILL}, (2, 32, 32, 3)),
  'resnet_tcn': ({'stem': 4, 'filters': (4,), 'blocks': (1,), 'hidden': 4, 'layers': 1, **STILL}, (4, 16, 16, 3)),
  'effnet_frames': ({'blocks': 4, 'depth': 5, 'neck': 8, **STILL}, (4, 16, 16, 3)),
  'effnet_lstm': (
    {'blocks': 4, 'depth': 5, 'neck': 8, 'units': 4, 'lstm_dropout': 0.0, **STILL},
    (4, 16, 16, 3),
  ),
  'lip_kinematics': ({'units': 8, **STILL}, (6, 64, 2)),
}
EXACT = ('cnn3d', 'lip_kinematics')  # also in float32
OFF = Augmentation(flip=0.0, brightness=0.0)


def measure(name: str, precision: str) -> dict:
  """What a step changes and what the model then says, on all devices of this process."""
  arguments, shape = SMALL[name]
  model = create_model(name, arguments, PRECISIONS[precision])
  state = create_train_state(model, shape, create_optimizer(1e-4), 1e-3, precision, seed=0)
  if state.dynamic_scale:  # that of a run falls to a fitting one within some steps
    state = state.replace(dynamic_scale=state.dynamic_scale.replace(scale=np.float32(1.0)))
  before = jax.device_get(state.params)
  clips = np.random.default_rng(0).integers(0, 256, (4, *shape), np.uint8)
  clips = clips if model.input == 'clip' else (clips / 255).astype(np.float32)
  rows = {'clip': clips, 'label': np.array([0, 1, 1, 0], np.int32), 'weight': np.ones(4, np.float32)}
  batch = {field: shard(value[None]) for field, value in rows.items()}
  step = parallel.parallel_train_step(OFF, model.l2_kernels, 1e-4, create_schedule('plateau', 1, 0, 0.0))
  state, metrics = step(state, batch, jax.random.key(0), None)
  moved = [np.abs(a - b).max() for a, b in zip(*map(jax.tree.leaves, (before, state.params)), strict=True)]
  logits = parallel_eval_step(model.apply)(state.variables, clips)
  return {
    'loss': metrics['loss'].item(),
    'finite': metrics['finite'].item(),
    'moved': float(np.mean(np.array(moved) > 0)),
    'types': sorted({str(leaf.dtype) for leaf in jax.tree.leaves(state.variables)}),
    'statistics': [float(leaf.mean()) for leaf in jax.tree.leaves(state.batch_stats)],
    'logits': logits.tolist(),
  }


@pytest.fixture(scope='module')
def two_devices():
  """`measure` of every model, by (model, precision), in a process with two devices."""
  flags = f'{os.environ["XLA_FLAGS"]} --xla_force_host_platform_device_count=2'
  environment = {**os.environ, 'XLA_FLAGS': flags, 'JAX_PLATFORMS': 'cpu'}
  found = subprocess.run([sys.executable, __file__], env=environment, check=True, capture_output=True, text=True)
  return {tuple(key.split()): value for key, value in json.loads(found.stdout).items()}


@pytest.mark.slow
@pytest.mark.parametrize('name', SMALL)
def test_learns_on_two_devices(name, two_devices):
  found = two_devices[name, 'float16']
  assert found['finite'] == 1
  assert found['moved'] > 0.9  # of the parameters' arrays: dead units may keep a bias
  assert found['types'] == ['float32']
  assert np.isfinite(found['logits']).all()


@pytest.mark.slow
@pytest.mark.parametrize('name', EXACT)
def test_low_precision_has_about_the_same_loss(name, two_devices):
  assert two_devices[name, 'float16']['loss'] == pytest.approx(two_devices[name, 'float32']['loss'], rel=0.05)


@pytest.mark.slow
@pytest.mark.parametrize('name', EXACT)
def test_without_batch_statistics_two_devices_equal_one(name, two_devices):
  """1e-4: sums of float32 in another order, through one step of AdamW."""
  one, two = measure(name, 'float32'), two_devices[name, 'float32']
  assert one['loss'] == pytest.approx(two['loss'], rel=1e-5)
  np.testing.assert_allclose(two['logits'], one['logits'], atol=1e-4)


@pytest.mark.slow
def test_batch_statistics_move_on_two_devices(two_devices):
  """Running means and variances leave 0 and 1, where they begin."""
  statistics = np.array(two_devices['r2plus1d', 'float16']['statistics'])
  assert len(statistics)
  assert ((statistics != 0) & (statistics != 1)).all()


def test_every_other_trained_model_is_among_them():
  assert {*SMALL, 'cnn_lstm'} == {name for name, model in MODELS.items() if not hasattr(model, 'fit')}


if __name__ == '__main__':
  cases = [(name, 'float16') for name in SMALL] + [(name, 'float32') for name in EXACT]
  print(json.dumps({' '.join(case): measure(*case) for case in cases}))
