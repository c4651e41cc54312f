"""Training of one run: epochs, schedule, early stopping, checkpoints and logs, then the threshold of its best weights.

In: a config and a workdir. Out: `<workdir>/config.json`, `metrics.jsonl`, `curves.png`, `checkpoints/`, `tensorboard/`
and `decision.json`. A workdir that holds a run is gone on with, from any step, to the same bits.
"""

import contextlib
import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import ml_collections
import numpy as np

from lipfake_jax.core.errors import UserError
from lipfake_jax.core.vocabulary import PARTS
from lipfake_jax.data.batches import class_shares
from lipfake_jax.data.dataset import OpenPart, Split, digest_split, open_split, read_choice
from lipfake_jax.inference import checkpoints
from lipfake_jax.inference.parallel_eval import check_batch_size, share
from lipfake_jax.inference.split_scores import decide
from lipfake_jax.models import create_model
from lipfake_jax.scoring import aggregation, verdict
from lipfake_jax.scoring.metrics import evaluate_scores
from lipfake_jax.training import closed_form, history, parallel, signals
from lipfake_jax.training.augment import Augmentation
from lipfake_jax.training.epoch import CACHES, CALM, RunPosition, count_batches, open_cache, train_epoch
from lipfake_jax.training.first_weights import take_weights
from lipfake_jax.training.optimizer import SELECTIONS, Progress, create_optimizer, create_schedule, update_progress
from lipfake_jax.training.precision import PRECISIONS, resolve_precision
from lipfake_jax.training.state import TrainState, create_train_state
from lipfake_jax.training.validation import Scorer, open_scorer
from lipfake_jax.training.workdir import claim_workdir, explain_full_disk, hold_workdir

IMBALANCE = ('none', 'class_weights', 'balanced', 'logit_adjustment')
TIE = 1e-6  # of the loss in the selected figure: of two epochs with an AUC of 1 the surer one is the better
COLLAPSE_EPOCHS = 3  # with one class alone, after which it is said


def train(
  config: ml_collections.ConfigDict, workdir: Path, data_dir: str | None, open_part: OpenPart = open_split
) -> None:
  """Trains until the schedule ends it, then sets the threshold by validation data.

  Args:
    config: as documented in configs/default.py.
    workdir: of this run; made if missing.
    data_dir: where datasets are kept; None is TFDS's default.
    open_part: how the parts are opened.

  Raises:
    UserError: the data is missing or does not fit, the workdir can't be used, or a loss is not finite.
    Interrupted: a signal came; the run is saved.
  """
  _check_config(config)
  hyper, data = config.train, config.data
  precision = resolve_precision(hyper.precision)
  model = create_model(config.model.name, config.model.get(config.model.name, {}), PRECISIONS[precision])
  if closed_form.fits_at_once(config, model):
    closed_form.check_config(config, model)
  # The test part too: that it is missing should be told before the training, not after it.
  train_split, validation, _ = (open_part(read_choice(data), part, data_dir, model.input) for part in PARTS)
  if data.shuffle_labels:
    train_split, validation = (shuffle_labels(split, config.seed) for split in (train_split, validation))
  for split in (train_split, validation):
    _check_classes(split)
  tx = create_optimizer(hyper.weight_decay, hyper.gradient_clip, hyper.accumulate, hyper.relative)
  freeze = tuple(filter(None, hyper.freeze.split('+')))
  shape = train_split.clip_shape
  state = create_train_state(model, shape, tx, hyper.learning_rate, precision, config.seed, freeze)
  before: list[dict[str, Any]] = []
  if config.init_from and not checkpoints.started(workdir):
    state, before = take_weights(state, config.init_from)
  schedule = _create_schedule(hyper, count_batches(config, train_split))
  reals, fakes = class_shares(train_split, data.weights)
  prior = float(np.log(fakes / reals)) if hyper.imbalance == 'logit_adjustment' else 0.0
  augmentation = Augmentation(**config.augment)
  train_step = parallel.parallel_train_step(augmentation, model.l2_kernels, hyper.l2, schedule, prior, freeze)
  claim_workdir(config, workdir, (checkpoints.KEPT + 1) * checkpoints.state_bytes(state))
  n_params = sum(leaf.size for leaf in jax.tree.leaves(state.params))
  print(f'{config.model.name}: {n_params:,} parameters, {precision}; {len(train_split)} clips to train on')
  _train(config, workdir, model, state, before, train_step, train_split, validation)
  decide(workdir, validation, config.eval.batch_size, config.eval.threshold)


def _create_schedule(hyper: ml_collections.ConfigDict, batches: int) -> Callable[[jax.Array], jax.Array]:
  updates = batches / hyper.accumulate  # of an epoch
  floor = hyper.min_learning_rate / hyper.learning_rate if hyper.learning_rate else 1.0
  return create_schedule(hyper.schedule, int(updates * hyper.epochs), round(updates * hyper.warmup_epochs), floor)


def _train(
  config,
  workdir: Path,
  model: nn.Module,
  state: TrainState,
  before: list[dict[str, Any]],
  train_step: Callable,
  train_split: Split,
  validation: Split,
) -> None:
  """All that is left to train. `before`: the data that the initial weights were trained on, if any."""
  hyper, main = config.train, share()[0] == 0
  progress, place = Progress(hyper.learning_rate), RunPosition()
  score_validation = open_scorer(state.apply_fn, config)
  read, cache = open_cache(config.data.cache, train_split)
  key = jax.random.key(config.seed + 1)
  digests = {split.name: digest_split(split) for split in (train_split, validation)}
  with (
    explain_full_disk(workdir),
    hold_workdir(workdir) if main else contextlib.nullcontext(),
    checkpoints.open_manager(workdir) as manager,
    history.open_board(workdir, main) as board,
    signals.watch() as find_signal,
  ):
    if restored := checkpoints.restore_latest(manager, state):
      state, meta = restored
      _check_data(workdir, meta, digests)
      progress, place, before = Progress(**meta['progress']), RunPosition(**meta['place']), meta['before']
      print(f'resuming after epoch {place.epochs}, step {int(state.step)}')
    else:
      history.add_clips(board, train_split, Augmentation(**config.augment), config.seed)
    if main:
      history.trim(workdir, place.epochs)

    def step(state: TrainState, batch: dict[str, jax.Array]):
      return train_step(state, batch, key, cache)

    def advance(state: TrainState, place: RunPosition):
      if closed_form.fits_at_once(config, model):
        return closed_form.fit_epoch(config, model, state, train_split, find_signal)
      return train_epoch(config, step, state, train_split, place, read, find_signal)

    def save(score: float | None) -> None:
      checkpoints.save(manager, state, describe(config, train_split.spec, digests, before, progress, place), score)

    while place.epochs < hyper.epochs and progress.stale < hyper.early_stopping_patience:
      state = state.replace(rate=np.float32(progress.learning_rate))
      state, place, figures, signal = advance(state, place)
      if signal and place.batches < count_batches(config, train_split):
        save(None)
        raise signal
      row = {'epoch': place.epochs + 1, 'step': int(state.step), 'updates': int(state.updates), **figures}
      row |= _validate(score_validation, state.variables, validation, row['epoch'])
      place = RunPosition(row['epoch'])
      progress, score = _judge(hyper, progress, row)
      save(score)
      if main:
        history.append(row, workdir, board)
      print(history.epoch_line(row, progress, hyper.selection))
      if progress.collapsed >= COLLAPSE_EPOCHS:
        print(history.collapse_warning(row, progress.collapsed))
      if signal := signal or find_signal(int(state.step)):
        raise signal
  if main:
    history.draw_curves(workdir, best=place.epochs - progress.stale)


def _validate(score: Scorer, variables: Any, split: Split, epoch: int) -> dict[str, float | None]:
  scores = score(variables, split, epoch)
  figures = evaluate_scores(scores.labels, scores.p_fake)
  named = {'loss': 'log_loss', 'auc': 'auc', 'balanced_accuracy': 'balanced_accuracy', 'brier': 'brier'}
  row = {f'validation_{ours}': figures[theirs] for ours, theirs in named.items()}
  return {**row, 'validation_called_fake': float((scores.p_fake > verdict.FIXED_THRESHOLD).mean())}


def _judge(hyper: ml_collections.ConfigDict, progress: Progress, row: Mapping[str, Any]) -> tuple[Progress, float]:
  """The progress after an epoch, and its selected figure, less being better."""
  loss = row['validation_loss']
  if not math.isfinite(loss):  # it would also pass for the best checkpoint
    raise UserError(f'validation loss is {loss} after epoch {row["epoch"]}: {CALM}')
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
  return progress, score


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


def describe(
  config: ml_collections.ConfigDict,
  spec: dict[str, Any],
  clips: dict[str, str],
  before: list[dict[str, Any]],
  progress: Progress,
  place: RunPosition,
) -> dict[str, Any]:
  """What a checkpoint tells of itself: the model, its clips, all data its weights have seen, and where training is.

  `clips`: the digest of each part that it is trained by, see `digest_split`.
  """
  return {
    'model': {
      'name': config.model.name,
      'arguments': config.model[config.model.name].to_dict(),
      'aggregation': config.model.aggregation,
    },
    'data': dataclasses.asdict(read_choice(config.data)),
    'before': before,
    'clip': spec,
    'clips': clips,
    'progress': dataclasses.asdict(progress),
    'place': dataclasses.asdict(place),
  }


def _check_data(workdir: Path, meta: dict[str, Any], digests: dict[str, str]) -> None:
  """Raises UserError where the clips of a run, or what is known of them, are others than when it was saved."""
  changed = [part for part, digest in digests.items() if meta.get('clips', {}).get(part) != digest]
  if changed:
    raise UserError(
      f'{workdir} was trained on another build of {meta["data"]["dataset"]}: the clips or labels of'
      f' {" and ".join(changed)} have changed since: choose another --workdir'
    )


def _check_config(config: ml_collections.ConfigDict) -> None:
  """What can be told before any data is opened."""
  hyper = config.train
  check_batch_size(hyper.batch_size)
  check_batch_size(config.eval.batch_size)
  aggregation.check_rule(config.model.aggregation)
  verdict.check_rule(config.eval.threshold)
  _check_choice('train.imbalance', hyper.imbalance, IMBALANCE)
  _check_choice('train.selection', hyper.selection, SELECTIONS)
  _check_choice('data.cache', config.data.cache, CACHES)
  if hyper.steps_per_dispatch < 1:
    raise UserError(f'train.steps_per_dispatch={hyper.steps_per_dispatch}: choose 1 or more')


def _check_choice(field: str, value: str, known: Iterable[str]) -> None:
  if value not in known:
    raise UserError(f'{field}={value!r}: choose one of {", ".join(known)}')


def _check_classes(split: Split) -> None:
  if len(np.unique(split.labels)) < 2:
    raise UserError(
      f'{split.dataset} {split.name} holds {len(split)} clips of one class: it needs both'
      ' (of your own videos, a CSV can name the split of each)'
    )
