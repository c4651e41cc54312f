import logging
import pathlib
import subprocess
import sys

import jax
import numpy as np
import pytest

from lipfake_jax.core.errors import UserError
from lipfake_jax.inference import checkpoints
from lipfake_jax.models import create_model
from lipfake_jax.training.optimizer import create_optimizer
from lipfake_jax.training.state import create_train_state

ROOT = pathlib.Path(__file__).parents[2]
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


KILLED = """
import os, pathlib, signal, sys
from tests.inference.checkpoints_test import save_epochs

def kill(event, arguments):
  if event == 'os.rename' and 'orbax-checkpoint-tmp' in str(arguments[0]):
    os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(kill)
save_epochs(pathlib.Path(sys.argv[1]), [0.5])
"""


def test_a_first_write_that_was_cut_short_does_not_count(tmp_path):
  """Killed before the temporary folder gets its name."""
  assert not checkpoints.started(tmp_path)
  killed = subprocess.run([sys.executable, '-c', KILLED, str(tmp_path)], cwd=ROOT, check=False)
  assert killed.returncode == -9
  assert [path.name for path in (tmp_path / 'checkpoints').iterdir()] == ['10.orbax-checkpoint-tmp']
  assert not checkpoints.started(tmp_path)
  with checkpoints.open_manager(tmp_path) as manager:
    assert checkpoints.restore_latest(manager, state_of(1)) is None
  save_epochs(tmp_path, [0.5])
  assert checkpoints.started(tmp_path)


def test_a_checkpoint_within_an_epoch_is_gone_on_with_but_not_used(tmp_path, caplog):
  """Also where it is the newest, or the only one. Nobody is warned of it."""
  with checkpoints.open_manager(tmp_path) as manager, caplog.at_level(logging.WARNING):
    for step, score in ((5, None), (10, 0.5), (15, None)):
      checkpoints.save(manager, state_of(step).replace(step=np.int32(step)), {'step': step}, score)
      manager.wait_until_finished()
      if step == 5:
        with pytest.raises(UserError, match='not ended its first epoch'):
          checkpoints.restore_best(tmp_path)
  assert caplog.messages == []
  assert checkpoints.restore_best(tmp_path)[1]['step'] == 10
  with checkpoints.open_manager(tmp_path) as manager:
    assert checkpoints.restore_latest(manager, state_of(1))[1]['step'] == 15


def test_nothing_saved_yet(tmp_path):
  with checkpoints.open_manager(tmp_path) as manager:
    assert checkpoints.restore_latest(manager, state_of(0)) is None
  with pytest.raises(UserError, match='not ended its first epoch'):
    checkpoints.restore_best(tmp_path)
