"""Training on all devices of all processes: each takes an equal share of the batch, as in `parallel_eval`, and all hold
the same state.
"""

import collections
import functools
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import jax
import numpy as np

from lipfake_jax.inference.parallel_eval import shard
from lipfake_jax.training import steps
from lipfake_jax.training.augment import Augmentation


@functools.lru_cache(maxsize=8)  # runs that differ in their data or seed alone share it
def parallel_train_step(
  augmentation: Augmentation,
  l2_kernels: tuple[tuple[str, ...], ...],
  l2_weight: float,
  schedule: Callable[[jax.Array], jax.Array],
  prior_log_odds: float = 0.0,
  freeze: tuple[str, ...] = (),
) -> Callable:
  """`steps.train_steps` as (state, sharded batches, key, cache) -> (state, metrics).

  State, key and cache are whole, not stacked, and the same on all devices; metrics are [K], one entry a batch.
  """
  step = functools.partial(
    steps.train_steps,
    augmentation=augmentation,
    l2_kernels=l2_kernels,
    l2_weight=l2_weight,
    schedule=schedule,
    prior_log_odds=prior_log_odds,
    freeze=freeze,
  )
  return jax.pmap(
    lambda state, batches, key, cache: step(state, batches, key, cache),
    axis_name=steps.AXIS,
    in_axes=(None, 0, None, None),
    out_axes=(None, None),
    donate_argnums=0,
  )


def parallel_augmented_eval_step(apply_fn: Callable, augmentation: Augmentation) -> Callable:
  """`steps.augmented_eval_step` as (variables, clips [B / processes, ...], key, first) -> float32 logits of B clips."""
  step = jax.pmap(
    functools.partial(steps.augmented_eval_step, apply_fn, augmentation),
    steps.AXIS,
    in_axes=(None, 0, None, None),
    out_axes=None,
  )
  return lambda variables, clips, key, first: np.asarray(step(variables, shard(clips[None])[:, 0], key, first))


def to_devices(batches: Iterable[dict[str, np.ndarray]], ahead: int = 2) -> Iterator[dict[str, jax.Array]]:
  """Batches [K, B, ...] as sharded arrays on the devices, copied there while the steps before them run.

  Args:
    batches: on the host.
    ahead: how many are kept on the devices before they are asked for.
  """
  copy = jax.pmap(lambda batch: batch)  # returns at once, and works in every release of JAX
  queue: collections.deque[dict[str, jax.Array]] = collections.deque()
  source = iter(batches)
  while True:
    queue.extend(copy(jax.tree.map(shard, batch)) for batch in itertools.islice(source, ahead + 1 - len(queue)))
    if not queue:
      return
    yield queue.popleft()


def replicate(array: np.ndarray) -> jax.Array:
  """The same array on every device of this process."""
  copy = jax.pmap(lambda device, x: x, in_axes=(0, None), out_axes=None)
  return copy(np.arange(jax.local_device_count()), array)


def local_part(array: jax.Array) -> np.ndarray:
  """What of a sharded array [devices, ...] lies on the devices of this process, on the host."""
  return np.concatenate([np.asarray(part.data) for part in array.addressable_shards])


def connect(coordinator: str, process_id: int, process_count: int) -> None:
  """Makes this process one of several that train together; to be called before anything else of JAX.

  Args:
    coordinator: HOST:PORT of process 0.
    process_id: of this one, from 0.
    process_count: of all.
  """
  jax.distributed.initialize(coordinator, process_count, process_id)


def device_bytes() -> int | None:
  """Free memory of a device; None where it is the host's (CPU)."""
  stats: dict[str, Any] = jax.local_devices()[0].memory_stats() or {}
  return stats['bytes_limit'] - stats['bytes_in_use'] if 'bytes_limit' in stats else None
