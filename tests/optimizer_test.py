import jax.numpy as jnp
import optax
import pytest

from lipfake_jax import optimizer
from lipfake_jax.optimizer import Plateau, update_plateau


def test_adamw_with_a_rate_that_can_be_set():
  """One step by hand: Adam's first update is the gradient's sign; decay is rate * weight_decay * parameter."""
  tx, params = optimizer.create_optimizer(0.1, 0.01), jnp.array([2.0])
  state = optimizer.set_learning_rate(tx.init(params), 0.5)
  updates, _ = tx.update(jnp.array([3.0]), state, params)
  assert optax.apply_updates(params, updates)[0] == pytest.approx(2 - 0.5 * (1 + 0.01 * 2), rel=1e-5)


def run_plateau(validation_losses):
  state, rates = Plateau(1.0), []
  for loss in validation_losses:
    state = update_plateau(state, loss, patience=3, factor=0.5, floor=0.2)
    rates.append(state.learning_rate)
  return state, rates


def test_the_rate_halves_after_three_epochs_without_a_better_loss():
  state, rates = run_plateau([1.0, 0.9, 0.95, 0.9, 0.9, 0.8])
  assert rates == [1, 1, 1, 1, 0.5, 0.5]
  assert (state.best, state.stale) == (0.8, 0)


def test_the_rate_has_a_floor_and_early_stopping_counts_on():
  state, rates = run_plateau([1.0] + [1.1] * 9)
  assert rates == [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.2]
  assert state.stale == 9


def test_a_hairs_breadth_counts_for_the_best_weights_but_not_for_the_rate():
  """As in Keras: ReduceLROnPlateau wants 1e-4, EarlyStopping any gain."""
  state, rates = run_plateau([1.0, 0.99999, 0.99998, 0.99997])
  assert rates[-1] == 0.5
  assert state.stale == 0
