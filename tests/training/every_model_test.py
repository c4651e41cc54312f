"""Every model learns by the training step that runs use, on two devices and in float16, the hardest precision.

`parallel_test` does so with cnn_lstm; that bfloat16 gives about the same logits is among the tests of each model.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from lipfake_jax.inference.parallel_eval import shard
from lipfake_jax.models import MODELS, create_model
from lipfake_jax.training import parallel
from lipfake_jax.training.augment import Augmentation
from lipfake_jax.training.optimizer import create_optimizer, create_schedule
from lipfake_jax.training.precision import PRECISIONS
from lipfake_jax.training.state import create_train_state
from tests.training.parallel_test import SMALL_RESNET

ROOT = Path(__file__).parents[2]
STILL = {'dropout': 0.0}
SMALL = {
  'cnn_gru': ({'filters': (4, 8), 'units': 8, 'hidden': 8, 'gru_dropout': 0.0, **STILL}, (4, 14, 14, 3)),
  'cnn3d': ({'filters': (4, 4, 6), 'hidden': 8, **STILL}, (4, 16, 16, 3)),
  'r2plus1d': ({'stem': (3, 4), 'filters': (4,), 'blocks': (1,)}, (4, 12, 12, 3)),
  'clrnet': ({'filters': 4, 'blocks': (1,), **STILL}, (2, 12, 12, 3)),
  'xception_frames': ({'stem': (4, 4), 'entry': (6,), 'middle': 0, 'exit': (8, 8, 12), **STILL}, (2, 20, 20, 3)),
  'cnn5_frames': ({'filters': (2, 2, 4, 4, 8), 'hidden': 8, **STILL}, (2, 32, 32, 3)),
  'resnet_tcn': ({**SMALL_RESNET, **STILL}, (4, 16, 16, 3)),
  'effnet_frames': ({'blocks': 4, 'depth': 5, 'neck': 8, **STILL}, (4, 16, 16, 3)),
  'effnet_lstm': (
    {'blocks': 4, 'depth': 5, 'neck': 8, 'units': 4, 'lstm_dropout': 0.0, **STILL},
    (4, 16, 16, 3),
  ),
  'lip_kinematics': ({'units': 8, **STILL}, (6, 64, 2)),
}
EXACT = 'lip_kinematics'  # without batch statistics; also in float32
STEPS = 40
OFF = Augmentation(flip=0.0, brightness=0.0)


def learn(name: str, precision: str, steps: int) -> dict:
  """Steps on one batch of noise, all devices of this process, and what has become of the state. No weight decay."""
  arguments, shape = SMALL[name]
  model = create_model(name, arguments, PRECISIONS[precision])
  state = create_train_state(model, shape, create_optimizer(0.0), 1e-2, precision, seed=0)
  if state.dynamic_scale:  # that of a run falls to a fitting one within some steps
    state = state.replace(dynamic_scale=state.dynamic_scale.replace(scale=np.float32(128.0)))
  clips = np.random.default_rng(0).integers(0, 256, (8, *shape), np.uint8)
  clips = clips if model.input == 'clip' else (clips / 255).astype(np.float32)
  rows = {'clip': clips, 'label': np.arange(8, dtype=np.int32) % 2, 'weight': np.ones(8, np.float32)}
  batch = {field: shard(value[None]) for field, value in rows.items()}
  step = parallel.parallel_train_step(OFF, (), 0.0, create_schedule('plateau', 1, 0, 0.0))
  history = []
  for _ in range(steps):
    state, metrics = step(state, batch, jax.random.key(0), None)
    history.append(jax.device_get(metrics))
  return {
    **{field: [row[field].item() for row in history] for field in ('loss', 'accuracy', 'finite')},
    'types': sorted({str(leaf.dtype) for leaf in jax.tree.leaves(state.variables)}),
    'statistics': [float(leaf.mean()) for leaf in jax.tree.leaves(state.batch_stats)],
  }


@pytest.fixture(scope='module')
def two_devices():
  """`learn` with every model, by (model, precision), in a process with two devices."""
  flags = f'{os.environ["XLA_FLAGS"]} --xla_force_host_platform_device_count=2'
  environment = {**os.environ, 'XLA_FLAGS': flags, 'JAX_PLATFORMS': 'cpu'}
  command = [sys.executable, '-m', 'tests.training.every_model_test']
  found = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
  return {tuple(key.split()): value for key, value in json.loads(found.stdout).items()}


@pytest.mark.slow
@pytest.mark.parametrize('name', SMALL)
def test_learns_by_heart_on_two_devices(name, two_devices):
  """8 clips of noise, whose labels tell nothing of them; parameters and statistics are float32 throughout."""
  found = two_devices[name, 'float16']
  assert max(found['accuracy']) == 1
  assert min(found['loss']) < 0.5 * found['loss'][0]
  assert min(found['finite']) == 1
  assert found['types'] == ['float32']


@pytest.mark.slow
def test_low_precision_has_about_the_same_loss(two_devices):
  assert two_devices[EXACT, 'float16']['loss'][0] == pytest.approx(two_devices[EXACT, 'float32']['loss'][0], rel=0.05)


@pytest.mark.slow
def test_without_batch_statistics_two_devices_equal_one(two_devices):
  """1e-4: sums of float32 in another order, through three steps of AdamW."""
  one, two = learn(EXACT, 'float32', 3), two_devices[EXACT, 'float32']
  assert one['loss'] == pytest.approx(two['loss'], rel=1e-4)
  assert one['loss'][2] < one['loss'][0]


@pytest.mark.slow
def test_batch_statistics_move_on_two_devices(two_devices):
  """Running means and variances leave 0 and 1, where they begin."""
  statistics = np.array(two_devices['r2plus1d', 'float16']['statistics'])
  assert len(statistics)
  assert ((statistics != 0) & (statistics != 1)).all()


def test_every_other_trained_model_is_among_them():
  assert {*SMALL, 'cnn_lstm'} == {name for name, model in MODELS.items() if not hasattr(model, 'fit')}


if __name__ == '__main__':
  cases = [*((name, 'float16', STEPS) for name in SMALL), (EXACT, 'float32', 3)]
  print(json.dumps({f'{name} {precision}': learn(name, precision, steps) for name, precision, steps in cases}))
