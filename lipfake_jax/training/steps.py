"""Training steps and evaluation steps, as pure functions of their arguments. `parallel` runs them on devices.

They work on one device's share of a batch: {'clip': uint8 [B, T, H, W, C], 'label': int32 [B], 'weight': float32 [B]},
with pseudo-fakes 'patches' float32 [B, G, G], too, see `pseudo_batches`.
Clips travel as bytes and become float here, on the device; of lips 'clip' is float32 [B, T, K, 2].
"""

from collections.abc import Callable, Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

from lipfake_jax.inference.parallel_eval import AXIS, eval_step, to_float
from lipfake_jax.training.augment import Augmentation, augment_clips
from lipfake_jax.training.losses import cross_entropy, l2_penalty, patch_loss
from lipfake_jax.training.state import TrainState, trained_part

Batch = dict[str, jax.Array]
FROZEN = 2**32 - 1  # the stream of the run's key for draws that no step changes; the others are the steps' numbers


def train_steps(
  state: TrainState, batches: Batch, key: jax.Array, cache: jax.Array | None, **settings: Any
) -> tuple[TrainState, dict[str, jax.Array]]:
  """`train_step` on each of K batches in turn, in one dispatch; compiling takes K times as long.

  Args:
    state: the current state.
    batches: [K, B, ...]; with a cache, 'position' int32 [K, B] stands for 'clip'.
    key: the run's.
    cache: all training clips, [N, ...], or None.
    **settings: the other arguments of `train_step`.

  Returns:
    The new state, and metrics [K].
  """

  rows = []
  for k in range(len(batches['label'])):  # not lax.scan: in a loop XLA's convolutions are tens of times slower on a CPU
    batch = jax.tree.map(lambda x: x[k], batches)  # noqa: B023, used at once
    if cache is not None:
      batch = {**batch, 'clip': cache[batch['position']]}
    state, metrics = train_step(state, batch, key, **settings)
    rows.append(metrics)
  return state, jax.tree.map(lambda *values: jnp.stack(values), *rows)


def train_step(
  state: TrainState,
  batch: Batch,
  key: jax.Array,
  augmentation: Augmentation,
  l2_kernels: Sequence[tuple[str, ...]],
  l2_weight: float,
  schedule: Callable[[jax.Array], jax.Array],
  prior_log_odds: float,
  freeze: Sequence[str],
) -> tuple[TrainState, dict[str, jax.Array]]:
  """Updates the state by one batch; runs under a mapped axis AXIS over which losses and gradients are averaged.

  Args:
    state: the current state, the same on all devices.
    batch: this device's share.
    key: the run's key; the step number and the device are folded in here.
    augmentation: applied to the clips; where it is frozen, 'position' int32 [B] in the batch says which clips they are.
    l2_kernels: paths of the kernels with an L2 penalty.
    l2_weight: its weight.
    schedule: from the number of updates so far to what the learning rate is multiplied by.
    prior_log_odds: added to the logits in the loss alone: log(fakes / reals) of the training data adjusts for their
      imbalance (Menon et al. 2021, logit adjustment), 0 does nothing.
    freeze: parts of the model that keep their weights and work as in inference: no gradient is computed for them, no
      dropout drawn in them, and batch normalization goes by the statistics that they have.

  Returns:
    The new state, and float32 scalars: 'loss' (cross-entropy, as validation has it), 'objective' (what is minimised:
    classes weighed, logits adjusted, with the penalty), 'accuracy' at 0.5, 'finite' (0 where float16 gradients
    overflowed and the update was left out), 'rate' (the learning rate).
  """
  device, step_key = jax.lax.axis_index(AXIS), jax.random.fold_in(key, state.step)
  augment_key, dropout_key = jax.random.split(step_key)
  places = _places(batch['clip'])
  if augmentation.frozen:
    augment_key, places = jax.random.fold_in(key, FROZEN), batch['position']
  clips = augment_clips(to_float(batch['clip']), augment_key, places, augmentation)
  rngs = {'dropout': jax.random.fold_in(dropout_key, device)}

  def loss_fn(trained: Any):
    params = {**state.params, **trained}
    variables = {**state.variables, 'params': params}
    with nn.intercept_methods(frozen_as_in_inference(freeze)):
      logits, changed = state.apply_fn(variables, clips, True, rngs=rngs, mutable=['batch_stats', 'patches'])
    fit = cross_entropy(logits + prior_log_odds, batch['label'], batch['weight'])
    objective = fit + l2_weight * l2_penalty(params, l2_kernels)
    if 'patches' in batch and 'patches' in changed:
      objective += patch_loss(changed['patches']['logits'][0], batch['patches'])
    return objective, (logits, changed.get('batch_stats', {}))

  trained = trained_part(state.params, freeze)
  finite: jax.Array | bool = True
  if state.dynamic_scale is None:
    (objective, (logits, batch_stats)), grads = jax.value_and_grad(loss_fn, has_aux=True)(trained)
    grads = jax.lax.pmean(grads, AXIS)
    new_state = _apply(state, grads, batch_stats, schedule)
  else:
    scaled = state.dynamic_scale.value_and_grad(loss_fn, has_aux=True, axis_name=AXIS)  # averages the gradients itself
    dynamic_scale, finite, (objective, (logits, batch_stats)), grads = scaled(trained)
    new_state = _apply(state, grads, batch_stats, schedule)
    new_state = _keep_unless(finite, new_state, state).replace(dynamic_scale=dynamic_scale)
  accuracy = ((logits.T > 0) == batch['label']).mean()
  metrics = {
    'loss': cross_entropy(logits, batch['label'], jnp.ones_like(batch['weight'])),
    'objective': objective,
    'accuracy': accuracy,
    'finite': jnp.float32(finite),
    'rate': state.rate * schedule(state.updates),
  }
  return new_state, jax.lax.pmean(metrics, AXIS)


def frozen_as_in_inference(freeze: Sequence[str]) -> Callable:
  """For `nn.intercept_methods`: dropout and batch normalization in the parts named do as in inference."""

  def intercept(method: Callable, args: Any, kwargs: Any, context: nn.module.InterceptorContext) -> Any:
    if context.module.path[:1] and context.module.path[0] in freeze:
      if isinstance(context.module, nn.Dropout):
        return args[0]
      if isinstance(context.module, nn.BatchNorm):
        kwargs = {**kwargs, 'use_running_average': True}
    return method(*args, **kwargs)

  return intercept


def augmented_eval_step(
  apply_fn, augmentation: Augmentation, variables: Any, clips: jax.Array, key: jax.Array, first: jax.Array
) -> jax.Array:
  """`eval_step` of augmented clips, the first of which, over all devices, is number `first` of its dataset."""
  return eval_step(apply_fn, variables, augment_clips(to_float(clips), key, first + _places(clips), augmentation))


def _places(clips: jax.Array) -> jax.Array:
  """int32 [B]: the places of this device's clips in the whole batch."""
  return jax.lax.axis_index(AXIS) * clips.shape[0] + jnp.arange(clips.shape[0])


def _apply(state: TrainState, grads: Any, batch_stats: Any, schedule: Callable[[jax.Array], jax.Array]) -> TrainState:
  """One optimizer step at the rate that is due; where gradients are accumulated, only the last of them updates.

  Batch statistics are averaged over the devices; those of frozen parts, which have no gradients, stay.
  """
  batch_stats = {name: part for name, part in jax.lax.pmean(batch_stats, AXIS).items() if name in grads}
  trained = {name: state.params[name] for name in grads}
  changes, opt_state = state.tx.update(grads, state.opt_state, trained)
  rate = state.rate * schedule(state.updates)
  trained = optax.apply_updates(trained, jax.tree.map(lambda change: rate * change, changes))
  params = {**state.params, **trained}
  updated = opt_state.mini_step == 0 if isinstance(opt_state, optax.MultiStepsState) else True
  return state.replace(
    step=state.step + 1,
    updates=state.updates + updated,
    params=params,
    batch_stats={**state.batch_stats, **batch_stats},
    opt_state=opt_state,
  )


def _keep_unless(finite: jax.Array, new: TrainState, old: TrainState) -> TrainState:
  """The new state if the gradients were finite; else the old one, but for the step."""
  kept = old.replace(step=new.step)
  return jax.tree.map(lambda x, y: jnp.where(finite, x, y), new, kept)
