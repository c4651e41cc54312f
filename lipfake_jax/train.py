"""Training of one run: epochs, schedule, early stopping, checkpoints and logs, then the evaluation of its best weights.

In: a config and a workdir. Out: `<workdir>/config.json`, `metrics.jsonl`, `checkpoints/`, `tensorboard/` and, by
`evaluate`, `eval/`. A workdir that holds a run is gone on with.
"""

import dataclasses
import json
import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import jax
import ml_collections
import numpy as np
from tensorboardX import SummaryWriter
from tqdm import tqdm

from lipfake_jax import checkpoints, evaluate, input_pipeline, parallel
from lipfake_jax.augment import Augmentation
from lipfake_jax.errors import UserError
from lipfake_jax.input_pipeline import Split
from lipfake_jax.metrics import evaluate_scores
from lipfake_jax.models import create_model
from lipfake_jax.optimizer import SELECTIONS, Progress, create_optimizer, create_schedule, update_progress
from lipfake_jax.precision import PRECISIONS, resolve_precision
from lipfake_jax.splits import PARTS
from lipfake_jax.train_state import TrainState, create_train_state

IMBALANCE = ('none', 'class_weights', 'balanced', 'logit_adjustment')
TIE = 1e-6  # of the loss in the selected figure: of two epochs with an AUC of 1 the surer one is the better
COLLAPSE_EPOCHS = 3  # with one class alone, after which it is said


def train_and_evaluate(config: ml_collections.ConfigDict, workdir: Path, data_dir: str | None) -> None:
  """Trains until the schedule ends it, then evaluates the best weights on the test split.

  Args:
    config: as documented in configs/default.py.
    workdir: of this run; made if missing.
    data_dir: where datasets are kept; None is TFDS's default.

  Raises:
    UserError: the data is missing or does not fit, or the workdir holds another config's run.
    FloatingPointError: the loss is not finite.
  """
  parallel.check_batch_size(config.train.batch_size)
  parallel.check_batch_size(config.eval.batch_size)
  precision = resolve_precision(config.train.precision)
  model = create_model(config.model.name, config.model.arguments, PRECISIONS[precision])
  data = config.data
  # The test part too: that it is missing should be told before the training, not after it.
  train_split, validation, _ = (
    input_pipeline.open_split(
      data.dataset, data.builder_config, part, data_dir, data.split, data.split_seed, data.exclude
    )
    for part in PARTS
  )
  if data.shuffle_labels:
    train_split, validation = (shuffle_labels(split, config.seed) for split in (train_split, validation))
  for split in (train_split, validation):
    _check_classes(split)
  hyper = config.train
  _check_choice('imbalance', hyper.imbalance, IMBALANCE)
  _check_choice('selection', hyper.selection, SELECTIONS)
  tx = create_optimizer(hyper.weight_decay, hyper.gradient_clip, hyper.accumulate)
  state = create_train_state(model, train_split.clip_shape, tx, hyper.learning_rate, precision, config.seed)
  schedule = _create_schedule(hyper, len(train_split))
  _claim_workdir(config, workdir)
  n_params = sum(leaf.size for leaf in jax.tree.leaves(state.params))
  print(f'{config.model.name}: {n_params:,} parameters, {precision}; {len(train_split)} clips to train on')
  _fit(config, workdir, state, model.l2_kernels, schedule, train_split, validation)
  evaluate.choose_threshold(workdir, validation, config.eval.batch_size, config.eval.threshold)
  evaluate.evaluate_workdir(workdir, [data.dataset], data_dir, config.eval.batch_size)


def _create_schedule(hyper: ml_collections.ConfigDict, clips: int) -> Callable[[jax.Array], jax.Array]:
  updates = clips // hyper.batch_size / hyper.accumulate  # of an epoch
  floor = hyper.min_learning_rate / hyper.learning_rate if hyper.learning_rate else 1.0
  return create_schedule(hyper.schedule, int(updates * hyper.epochs), round(updates * hyper.warmup_epochs), floor)


def _fit(
  config, workdir: Path, state: TrainState, l2_kernels, schedule: Callable, train_split: Split, validation: Split
) -> None:
  """All epochs that are left to train."""
  hyper = config.train
  progress, first = Progress(hyper.learning_rate), 0
  prior = _log_odds(train_split.labels) if hyper.imbalance == 'logit_adjustment' else 0.0
  augmentation = Augmentation(**config.augment)
  train_step = parallel.parallel_train_step(augmentation, l2_kernels, hyper.l2, schedule, prior)
  eval_step = parallel.parallel_eval_step(state.apply_fn)
  with checkpoints.open_manager(workdir) as manager, SummaryWriter(str(workdir / 'tensorboard')) as board:
    if restored := checkpoints.restore_latest(manager, state):
      state, meta = restored
      progress, first = Progress(**meta['progress']), meta['epoch'] + 1
      _trim_log(workdir, first)
      print(f'going on after epoch {first}, step {int(state.step)}')
    for epoch in range(first, hyper.epochs):
      if progress.stale >= hyper.early_stopping_patience:
        break
      state = state.replace(rate=np.float32(progress.learning_rate))
      state, train_row = _train_epoch(config, train_step, state, train_split, epoch)
      row = {'epoch': epoch + 1, 'step': int(state.step), 'updates': int(state.updates), **train_row}
      row |= _validate(eval_step, state.params, validation, config.eval.batch_size)
      loss = row['validation_loss']
      if not math.isfinite(loss):  # it would also pass for the best checkpoint
        raise FloatingPointError(f'validation loss is {loss} after epoch {epoch + 1}: try a lower learning rate')
      score = SELECTIONS[hyper.selection] * row[f'validation_{hyper.selection}'] + TIE * loss
      progress = update_progress(
        progress,
        loss,
        score,
        collapsed=row['validation_called_fake'] in (0, 1),
        patience=hyper.plateau_patience,
        factor=hyper.plateau_factor if hyper.schedule == 'plateau' else 1.0,
        floor=hyper.min_learning_rate,
      )
      checkpoints.save(manager, epoch, state, describe(config, train_split.spec, progress, epoch), score)
      _log(row, workdir, board)
      print(_epoch_line(row, improved=not progress.stale))
      if progress.collapsed >= COLLAPSE_EPOCHS:
        print(_collapse_warning(row, progress.collapsed))


def _train_epoch(config, step: Callable, state: TrainState, split: Split, epoch: int) -> tuple[TrainState, dict]:
  """One epoch, with its progress bar, its speed and the means of its steps' metrics."""
  batch_size = config.train.batch_size
  imbalance = config.train.imbalance
  weights = class_weights(split.labels) if imbalance == 'class_weights' else np.ones(2, np.float32)
  batches = input_pipeline.train_batches(
    split, batch_size, config.seed, epoch, weights=config.data.weights, balanced=imbalance == 'balanced'
  )
  clips, started = len(split) // batch_size * batch_size, time.perf_counter()
  interval = 0.1 if sys.stderr.isatty() else 30  # seconds between updates; a log file wants few
  with tqdm(total=clips, desc=f'epoch {epoch + 1}', leave=False, unit='clip', mininterval=interval) as bar:
    weighed = ({**batch, 'weight': weights[batch['label']]} for batch in batches)
    state, rows = run_epoch(step, state, weighed, jax.random.key(config.seed + 1), bar, split.table['clip'])
  speed = clips / (time.perf_counter() - started)
  return state, {
    'clips_per_s': round(speed, 2),
    'learning_rate': rows[-1]['rate'],
    'skipped_steps': sum(not row['finite'] for row in rows),
    **{f'train_{name}': float(np.mean([row[name] for row in rows])) for name in ('loss', 'accuracy')},
  }


def _validate(step: Callable, params: Any, split: Split, batch_size: int) -> dict[str, float | None]:
  scores = evaluate.score_split(step, params, split, batch_size)
  figures = evaluate_scores(scores.labels, scores.p_fake)
  named = {'loss': 'log_loss', 'auc': 'auc', 'balanced_accuracy': 'balanced_accuracy', 'brier': 'brier'}
  row = {f'validation_{ours}': figures[theirs] for ours, theirs in named.items()}
  return {**row, 'validation_called_fake': float((scores.p_fake > evaluate.FIXED_THRESHOLD).mean())}


def run_epoch(
  step: Callable,
  state: TrainState,
  batches: Iterator[dict[str, np.ndarray]],
  key: jax.Array,
  bar: tqdm,
  names: Sequence[str],
) -> tuple[TrainState, list[dict[str, float]]]:
  """Trains on each batch once.

  A step's metrics are fetched only after the next one was dispatched, so that the device never waits for the host.

  Args:
    step: from `parallel.parallel_train_step`.
    state: before the epoch.
    batches: with 'weight' float32 [B].
    key: the run's.
    bar: moved on by each batch.
    names: of the clips, by position.

  Returns:
    The new state, and the metrics of each step.

  Raises:
    FloatingPointError: a loss is not finite; the message names the step, the learning rate and the clips.
  """
  fetched: list[dict[str, float]] = []
  pending: tuple[int, dict[str, jax.Array], list[str]] | None = None
  for number, batch in enumerate(batches, start=int(state.step)):
    sharded = {name: parallel.shard(batch[name]) for name in ('clip', 'label', 'weight')}
    state, metrics = step(state, sharded, key)
    if pending is not None:
      fetched.append(_fetch(*pending))
      bar.set_postfix(loss=f'{fetched[-1]["loss"]:.3f}', refresh=False)
    pending = (number, metrics, [names[position] for position in batch['position']])
    bar.update(len(batch['label']))
  if pending is not None:
    fetched.append(_fetch(*pending))
  return state, fetched


def class_weights(labels: np.ndarray) -> np.ndarray:
  """float32 [2]: N / (2 N_c) for real and fake, so that both classes weigh the same."""
  return (len(labels) / (2 * np.bincount(labels, minlength=2))).astype(np.float32)


def shuffle_labels(split: Split, seed: int) -> Split:
  """A control: the same clips under labels that tell nothing of the true ones. A sound evaluation then finds chance.

  Each true class gets both labels in the shares of the whole. A plain permutation leaves a correlation of about
  1 / sqrt(N) with the truth, of either sign, and a model that finds it separates the classes well, or exactly wrongly.
  """
  rng, shuffled, share = np.random.default_rng((seed, 7)), split.labels.copy(), split.labels.mean()
  for label in (0, 1):
    members = rng.permutation(np.flatnonzero(split.labels == label))
    shuffled[members] = np.arange(len(members)) < round(share * len(members))
  return dataclasses.replace(split, labels=shuffled)


def describe(config: ml_collections.ConfigDict, spec: dict[str, Any], progress: Progress, epoch: int) -> dict[str, Any]:
  """What a checkpoint tells of itself: the model, its clips, and where training stands."""
  return {
    'model': {'name': config.model.name, 'arguments': config.model.arguments.to_dict()},
    'data': {name: config.data[name] for name in ('dataset', 'builder_config', 'split', 'split_seed', 'exclude')},
    'clip': spec,
    'progress': dataclasses.asdict(progress),
    'epoch': epoch,
  }


def _fetch(number: int, metrics: dict[str, jax.Array], clips: list[str]) -> dict[str, float]:
  row = {name: float(value) for name, value in metrics.items()}
  if not math.isfinite(row['loss']):
    raise FloatingPointError(
      f'loss is {row["loss"]} at step {number}, learning rate {row["rate"]:.2g}, on the clips {", ".join(clips)}:'
      ' try a lower learning rate or float32'
    )
  return row


def _log_odds(labels: np.ndarray) -> float:
  """log(fakes / reals)."""
  reals, fakes = np.bincount(labels, minlength=2)
  return float(np.log(fakes / reals))


def _trim_log(workdir: Path, epochs: int) -> None:
  """Forgets what was logged after the checkpoint that a run goes on from."""
  path = workdir / 'metrics.jsonl'
  lines = path.read_text().splitlines() if path.exists() else []
  path.write_text(''.join(f'{line}\n' for line in lines if json.loads(line)['epoch'] <= epochs))


def _log(row: dict[str, Any], workdir: Path, board: SummaryWriter) -> None:
  with open(workdir / 'metrics.jsonl', 'a') as file:
    file.write(json.dumps(row) + '\n')
  for name, value in row.items():
    if value is not None and name not in ('epoch', 'step'):
      board.add_scalar(name, value, row['step'])


def _epoch_line(row: dict[str, Any], improved: bool) -> str:
  skipped = f'  {row["skipped_steps"]} steps skipped (overflow)' if row['skipped_steps'] else ''
  return (
    f'epoch {row["epoch"]:3}  train loss {row["train_loss"]:.3f}  validation loss {row["validation_loss"]:.3f}'
    f'  AUC {row["validation_auc"]:.3f}  balanced accuracy {row["validation_balanced_accuracy"]:.3f}'
    f'  rate {row["learning_rate"]:.1e}  {row["clips_per_s"]:.1f} clips/s{"  best" if improved else ""}{skipped}'
  )


def _collapse_warning(row: dict[str, Any], epochs: int) -> str:
  """What the paper's first two experiments did not see (PAPER section 6)."""
  called = 'fake' if row['validation_called_fake'] else 'real'
  return (
    f'warning: for {epochs} epochs all of validation has been called {called}: the model has collapsed to one class,'
    ' and its accuracy is the share of that class; try train.imbalance, another learning rate, or more data'
  )


def _claim_workdir(config: ml_collections.ConfigDict, workdir: Path) -> None:
  """Writes config.json. A workdir that holds checkpoints is gone on with, and only under the config that made them."""
  workdir.mkdir(parents=True, exist_ok=True)
  path, text = workdir / 'config.json', config.to_json_best_effort(indent=2)
  started = any((workdir / 'checkpoints').glob('[0-9]*'))
  if started and path.exists() and (old := json.loads(path.read_text())) != (new := json.loads(text)):
    changed = ', '.join(sorted(name for name in new if old.get(name) != new[name]))
    raise UserError(f'{workdir} holds a run of another config (they differ in {changed}): choose another --workdir')
  path.write_text(text)


def _check_choice(field: str, value: str, known: Iterable[str]) -> None:
  if value not in known:
    raise UserError(f'train.{field}={value!r}: choose one of {", ".join(known)}')


def _check_classes(split: Split) -> None:
  if len(np.unique(split.labels)) < 2:
    raise UserError(
      f'{split.dataset} {split.name} holds {len(split)} clips of one class: it needs both'
      ' (of your own videos, a CSV can name the split of each)'
    )
