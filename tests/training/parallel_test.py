"""The training step on one device and on two."""

import functools
import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lipfake_jax.core.errors import UserError
from lipfake_jax.inference.parallel_eval import check_batch_size, shard
from lipfake_jax.models import create_model
from lipfake_jax.training import parallel
from lipfake_jax.training.augment import Augmentation
from lipfake_jax.training.optimizer import create_optimizer, create_schedule
from lipfake_jax.training.precision import PRECISIONS
from lipfake_jax.training.state import create_train_state
from tests.models.model_checks import compiled, random_variables

ROOT = Path(__file__).parents[2]
SHAPE = (6, 16, 16, 3)
SMALL = {'filters': (4, 8), 'units': 16, 'hidden': 8, 'lstm_dropout': 0.0, 'dropout': 0.0}
SMALL_RESNET = {'stem': 4, 'filters': (4,), 'blocks': (1,), 'hidden': 4, 'kernels': (3,), 'layers': 1}


FLAT = create_schedule('plateau', 1, 0, 0.0)


def batch():
  rng = np.random.default_rng(0)
  clips = rng.integers(0, 255, (4, *SHAPE), np.uint8)
  rows = {'clip': clips, 'label': np.array([0, 1, 1, 0], np.int32), 'weight': np.ones(4, np.float32)}
  return {name: shard(value[None]) for name, value in rows.items()}


def prepare(precision, arguments, schedule, freeze, accumulate):
  """A first state, and the step that goes on from it, augmented."""
  model = create_model('cnn_lstm', dict(arguments), PRECISIONS[precision])
  state = create_train_state(model, SHAPE, create_optimizer(1e-4, accumulate=accumulate), 3e-3, precision, 0, freeze)
  return state, parallel.parallel_train_step(Augmentation(), model.l2_kernels, 1e-4, schedule, freeze=freeze)


prepare_once = functools.cache(prepare)  # most tests train the same model, which takes longer to trace than to train


def train(steps, precision='float32', schedule=FLAT, freeze=(), accumulate=1):
  """Losses and final state of some steps on one batch."""
  return go_on(steps, *prepare_once(precision, tuple(SMALL.items()), schedule, freeze, accumulate))


def go_on(steps, state, step):
  """`train` from a state, which is left as it is."""
  state, history = jax.tree.map(np.copy, state), []
  for _ in range(steps):
    state, metrics = step(state, batch(), jax.random.key(1), None)
    history.append({name: value.item() for name, value in metrics.items()})
  return history, state


def flat(params):
  return np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(params)])


def test_two_devices_do_the_same_step_as_one(tmp_path):
  """Same loss and parameters after three steps, dropout off. 1e-5: the order of float32 sums differs."""
  flags = f'{os.environ["XLA_FLAGS"]} --xla_force_host_platform_device_count=2'
  environment = {**os.environ, 'XLA_FLAGS': flags, 'JAX_PLATFORMS': 'cpu'}
  output = tmp_path / 'two.npz'
  command = [sys.executable, '-m', 'tests.training.parallel_test', str(output)]
  subprocess.run(command, cwd=ROOT, env=environment, check=True)
  two = np.load(output)
  history, state = train(3)
  assert two['devices'] == 2
  np.testing.assert_allclose(two['loss'], [row['loss'] for row in history], atol=1e-5)
  np.testing.assert_allclose(two['params'], flat(state.params), atol=1e-5)


def test_a_step_learns():
  history, state = train(60)
  assert history[-1]['loss'] < 0.5 * history[0]['loss']
  assert history[-1]['accuracy'] == 1
  assert int(state.step) == 60


def test_the_schedule_goes_by_updates():
  """Cosine over three updates of two steps each: the rate changes after every second step."""
  history, state = train(6, schedule=create_schedule('cosine', 3, 0, 0.0), accumulate=2)
  rates = [row['rate'] for row in history]
  assert rates == pytest.approx([3e-3 * f for f in (1, 1, 0.75, 0.75, 0.25, 0.25)])
  assert (int(state.step), int(state.updates)) == (6, 3)


@pytest.mark.slow
def test_accumulated_steps_change_nothing_until_the_last():
  before, after_one, after_two = (flat(train(steps, accumulate=2)[1].params) for steps in (0, 1, 2))
  np.testing.assert_array_equal(after_one, before)
  assert not np.array_equal(after_two, before)


@pytest.mark.slow
def test_what_is_minimised_and_the_loss_that_validation_has():
  """Both by hand, from the model's logits: moved by 2 or not, classes weighed 3 to 1, and with a penalty of 1/2."""
  model = create_model('cnn_lstm', {**SMALL, 'hidden': 2})
  state = create_train_state(model, SHAPE, create_optimizer(0.0), 0.0, 'float32', seed=0)
  rows = batch()
  rows['weight'] = shard(np.array([[1, 3, 3, 1]], np.float32))
  logits = model.apply({'params': state.params}, rows['clip'].reshape(4, *SHAPE).astype(np.float32) / 255)
  penalty = sum(np.square(state.params[part]['kernel']).sum() for part in ('dense', 'logit'))
  paths = (('dense', 'kernel'), ('logit', 'kernel'))
  signs = np.where(rows['label'].reshape(-1), -1, 1)
  for odds in (0.0, 2.0):
    step = parallel.parallel_train_step(Augmentation(0.0, 0.0), paths, 0.5, FLAT, odds)
    _, metrics = step(jax.tree.map(np.copy, state), rows, jax.random.key(0), None)
    weighed = np.array([1, 3, 3, 1]) * np.logaddexp(0, signs * (logits + odds))
    assert metrics['objective'].item() == pytest.approx(weighed.mean() + penalty / 2, rel=1e-5)
    assert metrics['loss'].item() == pytest.approx(np.logaddexp(0, signs * logits).mean(), rel=1e-5)


def test_frozen_draws_are_of_the_clip_not_of_the_step():
  """At a learning rate of 0 the loss of a batch changes with its augmentation alone."""
  model = create_model('cnn_lstm', SMALL)
  state = create_train_state(model, SHAPE, create_optimizer(1e-4), 0.0, 'float32', 0)
  step = parallel.parallel_train_step(Augmentation(0.0, 0.9, frozen=True), model.l2_kernels, 1e-4, FLAT)
  losses = []
  for positions, order in (((0, 1, 2, 3), (0, 1, 2, 3)), ((3, 2, 1, 0), (3, 2, 1, 0)), ((4, 5, 6, 7), (0, 1, 2, 3))):
    rows = {name: values[:, :, np.array(order)] for name, values in batch().items()}
    rows['position'] = shard(np.array([positions], np.int32))
    state, metrics = step(state, rows, jax.random.key(1), None)
    losses.append(metrics['loss'].item())
  assert int(state.step) == 3
  assert losses[1] == pytest.approx(losses[0], rel=1e-6)  # a later step, and another place in the batch
  assert abs(losses[2] - losses[0]) > 1e-5  # other clips


def test_the_same_seed_gives_the_same_parameters():
  noisy = tuple({**SMALL, 'dropout': 0.5, 'lstm_dropout': 0.3}.items())
  first, second = (go_on(3, *prepare('float32', noisy, FLAT, (), 1))[1] for _ in range(2))
  np.testing.assert_array_equal(flat(first.params), flat(second.params))


@pytest.mark.slow
@pytest.mark.parametrize('precision', ['bfloat16', 'float16'])
def test_low_precision_trains_alike(precision):
  """Ten steps end within a few per cent of float32's loss; parameters stay float32."""
  exact, _ = train(10)
  low, state = train(10, precision)
  assert low[-1]['loss'] == pytest.approx(exact[-1]['loss'], rel=0.05)
  assert flat(state.params).dtype == np.float32
  assert (state.dynamic_scale is not None) == (precision == 'float16')


def test_float16_leaves_out_an_update_that_overflows():
  model = create_model('cnn_lstm', SMALL, PRECISIONS['float16'])
  state = create_train_state(model, SHAPE, create_optimizer(1e-4), 3e-3, 'float16', seed=0)
  too_high = state.replace(dynamic_scale=state.dynamic_scale.replace(scale=np.float32(1e30)))
  before = flat(jax.device_get(state.params))
  step = parallel.parallel_train_step(Augmentation(), model.l2_kernels, 1e-4, FLAT)
  after, metrics = step(too_high, batch(), jax.random.key(1), None)
  assert metrics['finite'] == 0
  assert (int(after.step), int(after.updates)) == (1, 0)  # the schedule counts no update that was not made
  np.testing.assert_array_equal(flat(after.params), before)
  assert after.dynamic_scale.scale < 1e30


def test_frozen_parts_keep_their_weights_and_have_no_optimizer_state():
  before, after = train(0, freeze=('encoder', 'dense'))[1], train(3, freeze=('encoder', 'dense'))[1]
  for name, part in before.params.items():
    same = np.array_equal(flat(part), flat(after.params[name]))
    assert same == (name in ('encoder', 'dense'))
  moments = after.opt_state[0].mu
  assert set(moments) == {'lstm', 'logit'}


@pytest.mark.slow
@pytest.mark.parametrize(
  ('name', 'arguments'),
  [('cnn_lstm', {**SMALL, 'lstm_dropout': 0.5}), ('resnet_tcn', {**SMALL_RESNET, 'dropout': 0.5})],
)
def test_frozen_parts_work_as_in_inference(name, arguments):
  """All but the last layer frozen, a step has the loss of inference: no dropout, no statistics of the batch."""
  model, rows, tx = create_model(name, arguments), batch(), create_optimizer(0.0)
  clips = rows['clip'].reshape(4, *SHAPE).astype(np.float32) / 255
  variables = random_variables(model, clips)
  freeze = tuple(set(variables['params']) - {'logit'})
  state = create_train_state(model, SHAPE, tx, 1e-3, 'float32', 0, freeze).replace(**variables)
  step = parallel.parallel_train_step(Augmentation(0.0, 0.0), (), 0.0, FLAT, freeze=freeze)
  after, metrics = step(jax.tree.map(np.copy, state), rows, jax.random.key(0), None)

  @functools.partial(compiled, static_argnums=0)
  def loss(train):
    logits, _ = model.apply(variables, clips, train, rngs={'dropout': jax.random.key(0)}, mutable=['batch_stats'])
    return jnp.logaddexp(0, np.where(rows['label'].reshape(-1), -1, 1) * logits).mean()

  assert metrics['loss'].item() == pytest.approx(loss(False).item(), rel=1e-5)
  assert metrics['loss'].item() != pytest.approx(loss(True).item(), rel=1e-3)
  jax.tree.map(np.testing.assert_array_equal, after.batch_stats, state.batch_stats)


@pytest.mark.slow
def test_steps_of_one_dispatch_are_steps():
  """Two batches in one call, against two calls. 1e-6: they are two programs."""
  model = create_model('cnn_lstm', SMALL)
  step = parallel.parallel_train_step(Augmentation(), model.l2_kernels, 1e-4, FLAT)
  state = create_train_state(model, SHAPE, create_optimizer(1e-4), 3e-3, 'float32', 0)
  twice = jax.tree.map(lambda x: np.concatenate([x, x], axis=1), batch())
  state, metrics = step(state, twice, jax.random.key(1), None)
  history, expected = train(2)
  np.testing.assert_allclose(metrics['loss'], [row['loss'] for row in history], rtol=1e-6)
  np.testing.assert_allclose(flat(state.params), flat(expected.params), atol=1e-6)


@pytest.mark.slow
def test_a_cache_on_the_devices_stands_for_the_clips():
  model = create_model('cnn_lstm', SMALL)
  step = parallel.parallel_train_step(Augmentation(), model.l2_kernels, 1e-4, FLAT)
  state = create_train_state(model, SHAPE, create_optimizer(1e-4), 3e-3, 'float32', 0)
  rows = batch()
  order = np.array([2, 0, 3, 1])
  cache = np.empty((4, *SHAPE), np.uint8)
  cache[order] = rows.pop('clip').reshape(4, *SHAPE)
  rows['position'] = shard(order[None])
  state, metrics = step(state, rows, jax.random.key(1), parallel.replicate(cache))
  history, expected = train(1)
  assert metrics['loss'].item() == pytest.approx(history[0]['loss'], rel=1e-6)
  np.testing.assert_allclose(flat(state.params), flat(expected.params), atol=1e-6)


def test_batches_reach_the_devices_in_order():
  source = ({'label': np.full((1, 4), number, np.int32)} for number in range(5))
  arrived = [parallel.local_part(batch['label']) for batch in parallel.to_devices(source)]
  assert [int(array[0, 0, 0]) for array in arrived] == list(range(5))
  assert arrived[0].shape == (1, 1, 4)


@pytest.mark.slow
def test_batch_statistics_wait_for_an_update_that_counts():
  """Running means move towards the batch's in training; an overflow in float16 leaves them."""
  model = create_model('resnet_tcn', SMALL_RESNET, PRECISIONS['float16'])
  state = create_train_state(model, SHAPE, create_optimizer(1e-4), 3e-3, 'float16', seed=0)
  step = parallel.parallel_train_step(Augmentation(), model.l2_kernels, 1e-4, FLAT)
  before = flat(jax.device_get(state.batch_stats))
  too_high = state.replace(dynamic_scale=state.dynamic_scale.replace(scale=np.float32(1e30)))
  stuck, metrics = step(jax.tree.map(np.copy, too_high), batch(), jax.random.key(1), None)
  assert metrics['finite'].item() == 0
  np.testing.assert_array_equal(flat(stuck.batch_stats), before)
  low = state.replace(dynamic_scale=state.dynamic_scale.replace(scale=np.float32(1.0)))
  moved, metrics = step(low, batch(), jax.random.key(1), None)
  assert metrics['finite'].item() == 1
  assert not np.allclose(flat(moved.batch_stats), before)


def test_a_batch_must_divide(monkeypatch):
  monkeypatch.setattr(jax, 'device_count', lambda: 3)
  with pytest.raises(UserError, match='batch_size=4 does not divide among 3 devices: choose a multiple of 3'):
    check_batch_size(4)


if __name__ == '__main__':  # the two-device half of the first test
  history, state = train(3)
  np.savez(
    sys.argv[1], devices=jax.local_device_count(), loss=[row['loss'] for row in history], params=flat(state.params)
  )
