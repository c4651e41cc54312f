"""Training of one run: epochs, schedule, early stopping, checkpoints and logs, then the evaluation of its best weights.

In: a config and a workdir. Out: `<workdir>/config.json`, `metrics.jsonl`, `checkpoints/`, `tensorboard/` and, by
`evaluate`, `eval/`. A workdir that holds a run is gone on with.
"""

import dataclasses
import json
import math
import sys
import time
from collections.abc import Callable, Iterator
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
from lipfake_jax.optimizer import Plateau, create_optimizer, set_learning_rate, update_plateau
from lipfake_jax.precision import PRECISIONS, resolve_precision
from lipfake_jax.splits import PARTS
from lipfake_jax.train_state import TrainState, create_train_state


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
  _claim_workdir(config, workdir)
  tx = create_optimizer(config.train.learning_rate, config.train.weight_decay)
  state = create_train_state(model, train_split.clip_shape, tx, precision, config.seed)
  n_params = sum(leaf.size for leaf in jax.tree.leaves(state.params))
  print(f'{config.model.name}: {n_params:,} parameters, {precision}; {len(train_split)} clips to train on')
  _fit(config, workdir, state, model.l2_kernels, train_split, validation)
  evaluate.choose_threshold(workdir, validation, config.eval.batch_size, config.eval.threshold)
  evaluate.evaluate_workdir(workdir, [data.dataset], data_dir, config.eval.batch_size)


def _fit(config, workdir: Path, state: TrainState, l2_kernels, train_split: Split, validation: Split) -> None:
  """All epochs that are left to train."""
  hyper = config.train
  plateau, first = Plateau(hyper.learning_rate), 0
  train_step = parallel.parallel_train_step(Augmentation(**config.augment), l2_kernels, hyper.l2)
  eval_step = parallel.parallel_eval_step(state.apply_fn)
  with checkpoints.open_manager(workdir) as manager, SummaryWriter(str(workdir / 'tensorboard')) as board:
    if restored := checkpoints.restore_latest(manager, state):
      state, meta = restored
      plateau, first = Plateau(**meta['plateau']), meta['epoch'] + 1
      _trim_log(workdir, first)
      print(f'going on after epoch {first}, step {int(state.step)}')
    for epoch in range(first, hyper.epochs):
      if plateau.stale >= hyper.early_stopping_patience:
        break
      state = state.replace(opt_state=set_learning_rate(state.opt_state, plateau.learning_rate))
      state, train_row = _train_epoch(config, train_step, state, train_split, epoch)
      row = {'epoch': epoch + 1, 'step': int(state.step), 'learning_rate': plateau.learning_rate, **train_row}
      row |= _validate(eval_step, state.params, validation, config.eval.batch_size)
      loss = row['validation_loss']
      if not math.isfinite(loss):  # it would also pass for the best checkpoint
        raise FloatingPointError(f'validation loss is {loss} after epoch {epoch + 1}: try a lower learning rate')
      plateau = update_plateau(plateau, loss, hyper.plateau_patience, hyper.plateau_factor, hyper.min_learning_rate)
      checkpoints.save(manager, epoch, state, describe(config, train_split.spec, plateau, epoch), loss)
      _log(row, plateau, workdir, board)


def _train_epoch(config, step: Callable, state: TrainState, split: Split, epoch: int) -> tuple[TrainState, dict]:
  """One epoch, with its progress bar, its speed and the means of its steps' metrics."""
  batch_size = config.train.batch_size
  weights = class_weights(split.labels) if config.train.class_weights else np.ones(2, np.float32)
  batches = input_pipeline.train_batches(
    split, batch_size, config.seed, epoch, weights=config.data.weights, balanced=config.data.balanced
  )
  clips, started = len(split) // batch_size * batch_size, time.perf_counter()
  interval = 0.1 if sys.stderr.isatty() else 30  # seconds between updates; a log file wants few
  with tqdm(total=clips, desc=f'epoch {epoch + 1}', leave=False, unit='clip', mininterval=interval) as bar:
    weighed = ({**batch, 'weight': weights[batch['label']]} for batch in batches)
    state, means = run_epoch(step, state, weighed, jax.random.key(config.seed + 1), bar)
  speed = clips / (time.perf_counter() - started)
  return state, {'clips_per_s': round(speed, 2), **{f'train_{name}': mean for name, mean in means.items()}}


def _validate(step: Callable, params: Any, split: Split, batch_size: int) -> dict[str, float | None]:
  scores = evaluate.score_split(step, params, split, batch_size)
  figures = evaluate_scores(scores.labels, scores.p_fake)
  named = {'loss': 'log_loss', 'auc': 'auc', 'balanced_accuracy': 'balanced_accuracy', 'brier': 'brier'}
  return {f'validation_{ours}': figures[theirs] for ours, theirs in named.items()}


def run_epoch(
  step: Callable, state: TrainState, batches: Iterator[dict[str, np.ndarray]], key: jax.Array, bar: tqdm
) -> tuple[TrainState, dict[str, float]]:
  """Trains on each batch once.

  A step's metrics are fetched only after the next one was dispatched, so that the device never waits for the host.

  Returns:
    The new state, and means of the steps' metrics over the epoch.

  Raises:
    FloatingPointError: a loss is not finite.
  """
  fetched: list[dict[str, float]] = []
  pending: tuple[int, dict[str, jax.Array]] | None = None
  for number, batch in enumerate(batches, start=int(state.step)):
    sharded = {name: parallel.shard(batch[name]) for name in ('clip', 'label', 'weight')}
    state, metrics = step(state, sharded, key)
    if pending is not None:
      fetched.append(_fetch(*pending))
      bar.set_postfix(loss=f'{fetched[-1]["loss"]:.3f}', refresh=False)
    pending = (number, metrics)
    bar.update(len(batch['label']))
  if pending is not None:
    fetched.append(_fetch(*pending))
  return state, {name: float(np.mean([row[name] for row in fetched])) for name in fetched[0]}


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


def describe(config: ml_collections.ConfigDict, spec: dict[str, Any], plateau: Plateau, epoch: int) -> dict[str, Any]:
  """What a checkpoint tells of itself: the model, its clips, and where training stands."""
  return {
    'model': {'name': config.model.name, 'arguments': config.model.arguments.to_dict()},
    'data': {name: config.data[name] for name in ('dataset', 'builder_config', 'split', 'split_seed', 'exclude')},
    'clip': spec,
    'plateau': dataclasses.asdict(plateau),
    'epoch': epoch,
  }


def _fetch(number: int, metrics: dict[str, jax.Array]) -> dict[str, float]:
  row = {name: float(value) for name, value in metrics.items()}
  if not math.isfinite(row['loss']):
    raise FloatingPointError(f'loss is {row["loss"]} at step {number}: try a lower learning rate or float32')
  return row


def _trim_log(workdir: Path, epochs: int) -> None:
  """Forgets what was logged after the checkpoint that a run goes on from."""
  path = workdir / 'metrics.jsonl'
  lines = path.read_text().splitlines() if path.exists() else []
  path.write_text(''.join(f'{line}\n' for line in lines if json.loads(line)['epoch'] <= epochs))


def _log(row: dict[str, Any], plateau: Plateau, workdir: Path, board: SummaryWriter) -> None:
  with open(workdir / 'metrics.jsonl', 'a') as file:
    file.write(json.dumps(row) + '\n')
  for name, value in row.items():
    if value is not None and name not in ('epoch', 'step'):
      board.add_scalar(name, value, row['step'])
  print(
    f'epoch {row["epoch"]:3}  train loss {row["train_loss"]:.3f}  validation loss {row["validation_loss"]:.3f}'
    f' (best {plateau.best:.3f})  AUC {row["validation_auc"]:.3f}'
    f'  balanced accuracy {row["validation_balanced_accuracy"]:.3f}'
    f'  rate {row["learning_rate"]:.1e}  {row["clips_per_s"]:.1f} clips/s'
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


def _check_classes(split: Split) -> None:
  if len(np.unique(split.labels)) < 2:
    raise UserError(
      f'{split.dataset} {split.name} holds {len(split)} clips of one class: it needs both'
      ' (of your own videos, a CSV can name the split of each)'
    )
