"""The steps on all local devices: each takes an equal share of the batch, all hold the same state."""

import functools
from collections.abc import Callable, Sequence

import jax
import numpy as np

from lipfake_jax import steps
from lipfake_jax.augment import Augmentation
from lipfake_jax.errors import UserError


def parallel_train_step(
  augmentation: Augmentation,
  l2_kernels: Sequence[tuple[str, ...]],
  l2_weight: float,
  schedule: Callable[[jax.Array], jax.Array],
  prior_log_odds: float = 0.0,
) -> Callable:
  """`steps.train_step` as (state, sharded batch, key) -> (state, metrics), neither of which is stacked."""
  step = functools.partial(
    steps.train_step,
    augmentation=augmentation,
    l2_kernels=tuple(l2_kernels),
    l2_weight=l2_weight,
    schedule=schedule,
    prior_log_odds=prior_log_odds,
  )
  return jax.pmap(
    lambda state, batch, key: step(state, batch, key),
    axis_name=steps.AXIS,
    in_axes=(None, 0, None),
    out_axes=(None, None),
    donate_argnums=0,
  )


def parallel_eval_step(apply_fn: Callable) -> Callable:
  """`steps.eval_step` as (params, uint8 clips [B, ...]) -> float32 logits [B] on the host; B divides by the devices."""
  step = jax.pmap(functools.partial(steps.eval_step, apply_fn), axis_name=steps.AXIS, in_axes=(None, 0))
  return lambda params, clips: np.asarray(step(params, shard(clips))).reshape(-1)


def shard(array: np.ndarray) -> np.ndarray:
  """[B, ...] -> [devices, B / devices, ...]."""
  return array.reshape(jax.local_device_count(), -1, *array.shape[1:])


def check_batch_size(batch_size: int) -> None:
  """Raises UserError unless every local device gets an equal share of a batch."""
  devices = jax.local_device_count()
  if batch_size < 1 or batch_size % devices:
    raise UserError(f'batch_size={batch_size} does not divide among {devices} devices: choose a multiple of {devices}')
