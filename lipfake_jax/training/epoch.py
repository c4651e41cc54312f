"""One epoch of training: batches read, handed to the devices, stepped over, and what they told, added up.

In: a training split, the state, and the place that a run has come to. Out: the state and the place after it. Next
stage: `train`, which validates and saves after each epoch.
"""

import dataclasses
import functools
import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import jax
import ml_collections
import numpy as np
from tqdm import tqdm

from lipfake_jax.core.errors import Interrupted, UserError
from lipfake_jax.data.batches import (
  Batch,
  Reader,
  class_shares,
  name_batch,
  read_batch,
  read_clips,
  stack_batches,
  train_batches,
)
from lipfake_jax.data.dataset import Split
from lipfake_jax.data.pseudo_batches import PseudoFakes, mixed_batches
from lipfake_jax.inference.host_memory import free_memory
from lipfake_jax.inference.parallel_eval import share
from lipfake_jax.training import parallel, signals
from lipfake_jax.training.state import TrainState

SUMMED = ('loss', 'objective', 'accuracy', 'finite')  # metrics of a step, over an epoch
CALM = 'choose a lower train.learning_rate, train.gradient_clip=1 or train.precision=float32, and another --workdir'
CACHES = ('none', 'host', 'device')

Step = Callable[[TrainState, dict[str, jax.Array]], tuple[TrainState, dict[str, jax.Array]]]


@dataclasses.dataclass(frozen=True)
class RunPosition:
  """How far a run has come.

  Attributes:
    epochs: done, their validation too.
    batches: done of the next epoch.
    sums: of the metrics of these batches.
  """

  epochs: int = 0
  batches: int = 0
  sums: Mapping[str, float] = dataclasses.field(default_factory=lambda: dict.fromkeys(SUMMED, 0.0))


def train_epoch(
  config, step: Step, state: TrainState, split: Split, place: RunPosition, read: Reader, find_signal: signals.FindSignal
) -> tuple[TrainState, RunPosition, dict[str, Any], Interrupted | None]:
  """What is left of one epoch, with its progress bar.

  Args:
    config: of the run.
    step: from a state and K batches on the devices to a state and metrics [K].
    state: before.
    split: to train on.
    place: where the run stands.
    read: from `open_cache`.
    find_signal: whether a signal has come.

  Returns:
    The new state; the place reached, within the epoch if a signal ended it; figures of the epoch; the signal.

  Raises:
    UserError: as in `run_epoch`.
  """
  hyper = config.train
  shares = class_shares(split, config.data.weights)
  weights = class_weights(shares) if hyper.imbalance == 'class_weights' else np.ones(2, np.float32)
  weighed = ({**batch, 'weight': weights[batch['label']]} for batch in _open_batches(config, split, place, read))
  stacked = stack_batches(weighed, hyper.steps_per_dispatch)
  with progress_bar(hyper, count_batches(config, split), place) as bar:
    started = time.perf_counter()
    state, rows, signal = run_epoch(step, state, parallel.to_devices(stacked), bar, split.table['clip'], find_signal)
    speed = len(rows) * hyper.batch_size / (time.perf_counter() - started)
  sums = functools.reduce(lambda total, row: {name: total[name] + row[name] for name in SUMMED}, rows, place.sums)
  place = RunPosition(place.epochs, place.batches + len(rows), sums)
  figures = {
    'clips_per_s': round(speed, 2),
    'learning_rate': rows[-1]['rate'],
    'skipped_steps': round(place.batches - sums['finite']),
    **{f'train_{name}': sums[name] / place.batches for name in ('loss', 'objective', 'accuracy')},
  }
  return state, place, figures, signal


def _open_batches(config: ml_collections.ConfigDict, split: Split, place: RunPosition, read: Reader) -> Iterator[Batch]:
  """The batches of an epoch from a place in it, with pseudo-fakes where the config asks for them."""
  hyper, pseudo = config.train, PseudoFakes(**config.pseudo)
  where: dict[str, Any] = {'first': place.batches, 'share': share()}
  if pseudo.share:
    return mixed_batches(split, hyper.batch_size, config.seed, place.epochs, pseudo, **where)
  balanced = hyper.imbalance == 'balanced'
  choice: dict[str, Any] = {'weights': config.data.weights, 'balanced': balanced, 'read': read}
  return train_batches(split, hyper.batch_size, config.seed, place.epochs, **choice, **where)


def count_batches(config: ml_collections.ConfigDict, split: Split) -> int:
  """Batches of an epoch."""
  rounds = config.pseudo.rounds if config.pseudo.share else 1
  return len(split) * rounds // config.train.batch_size


def run_epoch(
  step: Step,
  state: TrainState,
  batches: Iterator[dict[str, jax.Array]],
  bar: tqdm,
  names: Sequence[str],
  find_signal: signals.FindSignal,
) -> tuple[TrainState, list[dict[str, float]], Interrupted | None]:
  """Trains on each batch once, until they or a signal end it.

  A step's metrics are fetched only after the next one was dispatched, so that the device never waits for the host.

  Args:
    step: the new state and metrics [K] of a state and K batches.
    state: before the epoch.
    batches: on the devices, [devices, K, B / devices, ...].
    bar: moved on by each batch.
    names: of the clips, by position.
    find_signal: whether a signal has come, after each dispatch.

  Returns:
    The new state, the metrics of each step, and the signal.

  Raises:
    UserError: a loss is not finite; the message names the step, the learning rate and the clips.
  """
  rows: list[dict[str, float]] = []
  number, signal = int(state.step), None
  pending: list[tuple[int, dict[str, jax.Array], jax.Array]] = []
  for batch in batches:
    state, metrics = step(state, batch)
    pending.append((number, metrics, batch['position']))
    if len(pending) > 1:
      rows += _fetch(*pending.pop(0), names)
      bar.set_postfix(step=number, loss=f'{rows[-1]["loss"]:.3f}', refresh=False)
    number += batch['label'].shape[1]
    bar.update(batch['label'].size * share()[1])
    if signal := find_signal(number):
      break
  for dispatched in pending:
    rows += _fetch(*dispatched, names)
  return state, rows, signal


def _fetch(number: int, metrics: dict[str, jax.Array], positions: jax.Array, names: Sequence[str]) -> list[dict]:
  """The metrics of K steps, the first of which has this number, as rows on the host."""
  host = jax.device_get(metrics)
  rows = [{name: float(values[k]) for name, values in host.items()} for k in range(len(host['loss']))]
  for k, row in enumerate(rows):
    if not math.isfinite(row['objective']):
      clips = ', '.join(names[position] for position in parallel.local_part(positions)[:, k].ravel())
      where = f'step {number + k}, learning rate {row["rate"]:.2g}, on the clips {clips}'
      raise UserError(f'loss is {row["objective"]} at {where}: {CALM}')
  return rows


def progress_bar(hyper: ml_collections.ConfigDict, batches: int, place: RunPosition) -> tqdm:
  """Counts clips: of the epoch, per second, time left; `run_epoch` adds step and loss."""
  devices = jax.device_count()
  return tqdm(
    total=batches * hyper.batch_size,
    initial=place.batches * hyper.batch_size,
    desc=f'epoch {place.epochs + 1}/{hyper.epochs} on {devices} device{"s" if devices > 1 else ""}',
    unit='clip',
    leave=False,
    mininterval=0.1 if sys.stderr.isatty() else 30,  # seconds between updates; a log file wants few
    disable=share()[0] > 0,
  )


def open_cache(kind: str, split: Split) -> tuple[Reader, jax.Array | None]:
  """How the batches of a training set are read, and all its clips where the devices hold them.

  Args:
    kind: one of CACHES: 'none' reads each clip when it is due, 'host' all of them once, 'device' copies them to every
      device as well, and then an epoch copies none.
    split: the training set.

  Raises:
    UserError: there is no room.
  """
  if kind == 'none':
    return read_batch, None
  if kind == 'host':
    clips = read_clips(split, free_memory(), 'this machine')
    return lambda split, positions: {'clip': clips[positions], **name_batch(split, positions)}, None
  room = parallel.device_bytes()
  clips = read_clips(split, free_memory() if room is None else room, 'a device')
  return name_batch, parallel.replicate(clips)


def class_weights(shares: np.ndarray) -> np.ndarray:
  """float32 [2]: 1 / (2 s) for shares s of real and fake clips, float [2], so that both classes weigh the same."""
  return (1 / (2 * shares)).astype(np.float32)
