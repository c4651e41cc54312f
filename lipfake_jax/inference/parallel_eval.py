"""Scoring on all devices of all processes: each takes an equal share of the batch, all hold the same weights.

A batch is split among the processes first (each reads its own part of it) and then among the devices of each. Clips
travel as bytes and become float on the device.
"""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lipfake_jax.core.errors import UserError

AXIS = 'batch'  # the mapped axis over devices


@functools.lru_cache(maxsize=8)  # a run that is opened again is not compiled again
def parallel_eval_step(apply_fn: Callable) -> Callable:
  """`eval_step` as (variables, clips [B / processes, ...]) -> float32 logits of B clips, on the host."""
  step = jax.pmap(functools.partial(eval_step, apply_fn), AXIS, in_axes=(None, 0), out_axes=None)
  return lambda variables, clips: np.asarray(step(variables, shard(clips[None])[:, 0]))


def eval_step(apply_fn, variables: Any, clips: jax.Array) -> jax.Array:
  """Logits float32 of all devices' clips, given those of each, [B, ...]; no dropout, no augmentation."""
  return jax.lax.all_gather(apply_fn(variables, to_float(clips), False), AXIS, tiled=True)


def to_float(clips: jax.Array) -> jax.Array:
  """uint8 to float32 in [0, 1]; lips are float32 already."""
  return clips.astype(jnp.float32) / 255 if clips.dtype == jnp.uint8 else clips


def shard(array: np.ndarray) -> np.ndarray:
  """[K, B, ...] -> [devices, K, B / devices, ...], of the devices of this process."""
  devices = jax.local_device_count()
  return array.reshape(len(array), devices, -1, *array.shape[2:]).swapaxes(0, 1)


def share() -> tuple[int, int]:
  """Number of this process, and how many there are."""
  return jax.process_index(), jax.process_count()


def check_batch_size(batch_size: int) -> None:
  """Raises UserError unless every device gets an equal share of a batch."""
  devices = jax.device_count()
  if batch_size < 1 or batch_size % devices:
    raise UserError(f'batch_size={batch_size} does not divide among {devices} devices: choose a multiple of {devices}')
