"""What each model takes and has, and how fast it is on this machine.

In: names of models. Out: cells of tables, which `lipfake models` and the leaderboard print.
"""

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lipfake_jax.inference.parallel_eval import parallel_eval_step, shard
from lipfake_jax.models import create_model, describe_input
from lipfake_jax.models.flops import count_flops
from lipfake_jax.training import parallel
from lipfake_jax.training.augment import Augmentation
from lipfake_jax.training.optimizer import create_optimizer, create_schedule
from lipfake_jax.training.precision import PRECISIONS
from lipfake_jax.training.state import create_train_state

ROUNDS = 3


def describe_model(name: str, batch_size: int, precision: str) -> list[str]:
  """Cells of a row: name, input, parameters, GFLOP a clip, training and inference clips per second, best of rounds.

  A model that is fitted at once has no training steps: '-'.
  """
  model = create_model(name, {}, PRECISIONS[precision])
  shape = model.input_shape
  state = create_train_state(model, shape, create_optimizer(1e-4), 1e-4, precision, seed=0)
  flops = count_flops(lambda clips: model.apply(state.variables, clips), jnp.zeros((1, *shape)))
  schedule = create_schedule('plateau', 1, 0, 0.0)
  train_step = parallel.parallel_train_step(Augmentation(), model.l2_kernels, 1e-4, schedule)
  eval_step = parallel_eval_step(model.apply)
  clips = np.random.default_rng(0).integers(0, 256, (batch_size, *shape), np.uint8)
  if model.input != 'clip':
    clips = clips.astype(np.float32)
  labels = np.arange(batch_size, dtype=np.int32) % 2
  batch = {'clip': clips, 'label': labels, 'weight': np.ones(batch_size, np.float32)}
  sharded = {field: shard(value[None]) for field, value in batch.items()}

  def train() -> None:
    nonlocal state
    state, metrics = train_step(state, sharded, jax.random.key(0), None)
    jax.block_until_ready(metrics)

  speeds = [
    '-' if step is None else f'{batch_size / _best_time(step):.3g}'
    for step in (None if hasattr(model, 'fit') else train, lambda: eval_step(state.variables, clips))
  ]
  return [name, describe_input(model), f'{model.n_params:,}', f'{flops / 1e9:.2f}', *speeds]


def _best_time(step: Callable[[], Any]) -> float:
  """Seconds, of a step that was compiled before."""
  times = []
  for _ in range(1 + ROUNDS):
    started = time.perf_counter()
    step()
    times.append(time.perf_counter() - started)
  return min(times[1:])
