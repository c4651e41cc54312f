import jax
import numpy as np
import pytest

from lipfake_jax.core.errors import UserError
from lipfake_jax.inference import checkpoints
from lipfake_jax.models import create_model
from lipfake_jax.training.optimizer import create_optimizer
from lipfake_jax.training.state import create_train_state

SMALL = {'filters': (2, 2), 'units': 4, 'hidden': 4}


def state_of(seed, precision='float32'):
  return create_train_state(create_model('cnn_lstm', SMALL), (3, 16, 16, 3), create_optimizer(0), 1e-3, precision, seed)


def save_epochs(workdir, losses, precision='float32'):
  """One checkpoint an epoch; epoch e holds the initial parameters of seed e."""
  with checkpoints.open_manager(workdir) as manager:
    for epoch, loss in enumerate(losses):
      state = state_of(epoch, precision).replace(step=np.int32(10 * (epoch + 1)))
      checkpoints.save(manager, state, {'epoch': epoch}, loss)


def assert_equal(ours, theirs):
  for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
    np.testing.assert_array_equal(a, b)


@pytest.mark.slow
def test_the_best_is_used_and_the_newest_gone_on_with(tmp_path):
  save_epochs(tmp_path, [0.5, 0.3, 0.4, 0.6])
  weights, meta = checkpoints.restore_best(tmp_path)
  assert meta['epoch'] == 1
  assert_equal(weights, state_of(1).variables)
  with checkpoints.open_manager(tmp_path) as manager:
    state, meta = checkpoints.restore_latest(manager, state_of(9))
    assert sorted(manager.all_steps()) == [20, 30, 40]  # the best and the two newest
  assert meta['epoch'] == 3
  assert_equal(state.params, state_of(3).params)
  assert int(state.step) == 40


def test_the_loss_scale_is_kept(tmp_path):
  save_epochs(tmp_path, [0.5], 'float16')
  target = state_of(1, 'float16')
  other = target.replace(dynamic_scale=target.dynamic_scale.replace(scale=np.float32(2.0)))
  with checkpoints.open_manager(tmp_path) as manager:
    state, _ = checkpoints.restore_latest(manager, other)
  assert state.dynamic_scale.scale == target.dynamic_scale.scale != 2


def test_nothing_saved_yet(tmp_path):
  with checkpoints.open_manager(tmp_path) as manager:
    assert checkpoints.restore_latest(manager, state_of(0)) is None
  with pytest.raises(UserError, match='not ended its first epoch'):
    checkpoints.restore_best(tmp_path)
