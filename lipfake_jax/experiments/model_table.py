"""A table of all models, measured on this machine.

python -m lipfake_jax.models
python -m lipfake_jax.models --models=cnn_lstm,cnn3d --batch_size=8
"""

import argparse
import time
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lipfake_jax.clips.motion_statistics import N_FEATURES
from lipfake_jax.inference.host_memory import keep_freed_memory
from lipfake_jax.inference.parallel_eval import parallel_eval_step, shard
from lipfake_jax.models import MODELS, create_model
from lipfake_jax.models.flops import count_flops
from lipfake_jax.training import parallel
from lipfake_jax.training.augment import Augmentation
from lipfake_jax.training.optimizer import create_optimizer, create_schedule
from lipfake_jax.training.precision import PRECISIONS, resolve_precision
from lipfake_jax.training.state import create_train_state

CLIP = (60, 64, 64, 3)  # frames, rows, columns, colours
# Of lips: frames, landmarks, x and y; of motion: features.
OTHER_CLIPS = {'clrnet': (5, 64, 64, 3), 'lip_kinematics': (60, 64, 2), 'motion_svm': (N_FEATURES,)}
ROUNDS = 3


def describe_model(name: str, batch_size: int, precision: str) -> list[str]:
  """Cells of a row: name, input, parameters, GFLOP a clip, training and inference clips per second, best of rounds.

  A model that is fitted at once has no training steps: '-'.
  """
  shape = OTHER_CLIPS.get(name, CLIP)
  model = create_model(name, {}, PRECISIONS[precision])
  state = create_train_state(model, shape, create_optimizer(1e-4), 1e-4, precision, seed=0)
  n_params = sum(leaf.size for leaf in jax.tree.leaves(state.params))
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
  size = f'{model.input} {"x".join(map(str, shape[:3]))}'
  return [name, size, f'{n_params:,}', f'{flops / 1e9:.2f}', *speeds]


def _best_time(step: Callable[[], Any]) -> float:
  """Seconds, of a step that was compiled before."""
  times = []
  for _ in range(1 + ROUNDS):
    started = time.perf_counter()
    step()
    times.append(time.perf_counter() - started)
  return min(times[1:])


def main(arguments: Sequence[str] | None = None) -> None:
  """Prints the table row by row, as Markdown."""
  parser = argparse.ArgumentParser(prog='python -m lipfake_jax.models', description='All models, measured here.')
  parser.add_argument('--models', type=lambda text: text.split(','), default=list(MODELS))
  parser.add_argument('--batch_size', type=int, default=4, help='clips a step, over all devices')
  parser.add_argument('--precision', default='auto', help=f'auto, {", ".join(PRECISIONS)}')
  options = parser.parse_args(arguments)
  if unknown := set(options.models) - set(MODELS):
    parser.error(f'unknown model {", ".join(sorted(unknown))}; there are {", ".join(MODELS)}')
  keep_freed_memory()
  precision = resolve_precision(options.precision)
  print(f'{jax.device_count()} x {jax.devices()[0].device_kind}, {precision}, batch {options.batch_size}\n')
  print('| model | input | parameters | GFLOP a clip, forward | training, clips/s | inference, clips/s |')
  print('|---|---|---|---|---|---|')
  for name in options.models:
    print(f'| {" | ".join(describe_model(name, options.batch_size, precision))} |', flush=True)
