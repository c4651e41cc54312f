"""AdamW, the schedules, and what a run's end depends on."""

import jax.numpy as jnp
import numpy as np
import optax
import pytest

from lipfake_jax.core.errors import UserError
from lipfake_jax.training import optimizer
from lipfake_jax.training.optimizer import Progress, create_schedule, update_progress


def test_adamw_by_hand():
  """Adam's first update is the gradient's sign; decay is weight_decay * parameter; both times the rate."""
  tx, params = optimizer.create_optimizer(0.01), jnp.array([2.0])
  updates, _ = tx.update(jnp.array([3.0]), tx.init(params), params)
  assert updates[0] == pytest.approx(-(1 + 0.01 * 2), rel=1e-5)


def test_it_is_optax_adamw_at_any_rate():
  """Three steps at changing rates, against optax's own with the rate set inside."""
  ours, params = optimizer.create_optimizer(0.1), jnp.array([1.0, -2.0])
  theirs = optax.inject_hyperparams(optax.adamw)(1.0, eps=1e-7, weight_decay=0.1)
  state, their_state, their_params = ours.init(params), theirs.init(params), params
  for rate, gradient in ((0.1, [1.0, 2.0]), (0.05, [-1.0, 0.5]), (0.2, [0.3, 0.0])):
    changes, state = ours.update(jnp.array(gradient), state, params)
    params = params + rate * changes
    their_state.hyperparams['learning_rate'] = jnp.float32(rate)
    changes, their_state = theirs.update(jnp.array(gradient), their_state, their_params)
    their_params = optax.apply_updates(their_params, changes)
  np.testing.assert_allclose(params, their_params, rtol=1e-6)


def test_long_gradients_are_shortened():
  """Adam forgets lengths within a step, not between steps: a hundredfold gradient is cut to the norm of the others."""
  clipped, plain = optimizer.create_optimizer(0.0, gradient_clip=1.0), optimizer.create_optimizer(0.0)
  moments = []
  for tx in (clipped, plain):
    state = tx.init(jnp.zeros(2))
    _, state = tx.update(jnp.array([30.0, 40.0]), state, jnp.zeros(2))
    moments.append(next(part.mu for part in state if isinstance(part, optax.ScaleByAdamState)))
  np.testing.assert_allclose(moments[0], np.array([0.6, 0.8]) * 0.1, rtol=1e-5)
  np.testing.assert_allclose(moments[1], np.array([30.0, 40.0]) * 0.1, rtol=1e-5)


def test_relative_steps_are_in_proportion_to_an_arrays_size():
  """Root mean squares of 5 and of .001: the first step is the sign of the gradient times 5, and times LEAST_SCALE."""
  params = {'large': jnp.array([7.0, -1.0]), 'small': jnp.array([0.001, 0.001])}
  tx = optimizer.create_optimizer(0.0, relative=True)
  updates, _ = tx.update({name: jnp.array([2.0, -3.0]) for name in params}, tx.init(params), params)
  np.testing.assert_allclose(updates['large'], [-5, 5], rtol=1e-5)
  np.testing.assert_allclose(updates['small'], [-optimizer.LEAST_SCALE, optimizer.LEAST_SCALE], rtol=1e-3)


def test_the_plateaus_factor_is_one():
  assert create_schedule('plateau', 10, 0, 0.1)(jnp.int32(7)) == 1


def test_cosine_rises_and_falls():
  """Two updates up, eight down to a tenth: the values of the half wave by hand."""
  schedule = create_schedule('cosine', 10, 2, 0.1)
  factors = [float(schedule(jnp.int32(count))) for count in (0, 1, 2, 6, 10, 50)]
  assert factors == pytest.approx([0.5, 1, 1, 0.55, 0.1, 0.1])


@pytest.mark.parametrize(
  ('name', 'warmup', 'message'), [('linear', 0, 'choose one of plateau, cosine'), ('cosine', 10, '10 updates of 10')]
)
def test_schedules_that_can_not_be(name, warmup, message):
  with pytest.raises(UserError, match=message):
    create_schedule(name, 10, warmup, 0.0)


def run_plateau(validation_losses):
  state, rates = Progress(1.0), []
  for loss in validation_losses:
    state = update_progress(state, loss, loss, collapsed=False, patience=3, factor=0.5, floor=0.2)
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


def test_the_selected_figure_ends_a_run_and_the_loss_holds_the_rate():
  """AUC, negative, rises while the loss does not fall."""
  state = Progress(1.0)
  for auc in (0.5, 0.6, 0.7, 0.8):
    state = update_progress(state, 1.0, -auc, collapsed=False, patience=3, factor=0.5, floor=0.0)
  assert (state.best, state.stale, state.learning_rate) == (-0.8, 0, 0.5)


def test_epochs_of_one_class_are_counted_in_a_row():
  state, counts = Progress(1.0), []
  for collapsed in (True, True, False, True):
    state = update_progress(state, 1.0, 1.0, collapsed=collapsed, patience=3, factor=0.5, floor=0.0)
    counts.append(state.collapsed)
  assert counts == [1, 2, 0, 1]
