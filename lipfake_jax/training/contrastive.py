"""Training of two towers by what belongs together, from real videos alone: no label, no fake.

In: a config whose model is one of `models.TOWERS`, and a dataset with sound. Out: a workdir as `loop` makes it:
config.json, metrics.jsonl and checkpoints; one that holds a run is gone on with. Next stage: `inference.towers`.

Of 'moments' (AvSync) the sound of each moment is to be found among those of all moments and clips of the batch; of
'people' (Poi) each person's other clip among all clips. One device does all of it: the negatives of a batch are the
batch.
"""

import dataclasses
import functools
import math
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import ml_collections
import numpy as np
import optax

from lipfake_jax.core.errors import UserError
from lipfake_jax.data.dataset import digest_split, read_choice
from lipfake_jax.data.pairs import Pairs, keep, open_pairs, order_moments, order_people, read_pairs
from lipfake_jax.inference import checkpoints
from lipfake_jax.inference.parallel_eval import to_float
from lipfake_jax.models import create_towers
from lipfake_jax.scoring.sync import REACH
from lipfake_jax.training import history, signals
from lipfake_jax.training.augment import Augmentation, augment_clips
from lipfake_jax.training.contrastive_losses import find_moments, find_people, squared_distances
from lipfake_jax.training.epoch import CALM
from lipfake_jax.training.optimizer import Progress, create_optimizer, create_schedule
from lipfake_jax.training.state import TrainState
from lipfake_jax.training.workdir import claim_workdir, explain_full_disk, hold_workdir

Batch = dict[str, Any]
Figures = dict[str, jax.Array]
ORDERS = {'moments': order_moments, 'people': order_people}
UNSEEN = 2**32 - 1  # the stream of the run's key for what is drawn in validation, the same in every epoch
FLOOR = 0.01  # of the learning rate, at the end of a cosine, over the first


@dataclasses.dataclass(frozen=True)
class _Training:
  """What a run consists of, but for its state.

  Attributes:
    model: the towers.
    pairs: by part, 'train' and 'validation'.
    step: from a state, a batch and the run's key to a state and figures.
    assess: the same without an update or augmentation.
  """

  model: nn.Module
  pairs: dict[str, Pairs]
  step: Callable[[TrainState, Batch, jax.Array], tuple[TrainState, Figures]]
  assess: Callable[[TrainState, Batch, jax.Array], tuple[TrainState, Figures]]


def train_towers(config: ml_collections.ConfigDict, workdir: Path, data_dir: str | None) -> None:
  """Trains for config.train.epochs, or until validation has not become better for as long as the config waits.

  Args:
    config: as documented in configs/default.py.
    workdir: of this run; made if missing, gone on with, from the last whole epoch, where it holds a run of this config.
    data_dir: where datasets are kept; None is TFDS's default.

  Raises:
    UserError: the data is missing or too little, the workdir can't be used, or a loss is not finite.
    Interrupted: a signal came; the run is saved.
  """
  training, state = _prepare(config, data_dir)
  claim_workdir(config, workdir, (checkpoints.KEPT + 1) * checkpoints.state_bytes(state))
  n_params = sum(leaf.size for leaf in jax.tree.leaves(state.params))
  counts = ', '.join(f'{len(pairs)} real clips of {part}' for part, pairs in training.pairs.items())
  print(f'{config.model.name}: {n_params:,} parameters; {counts}')
  with (
    explain_full_disk(workdir),
    hold_workdir(workdir),
    checkpoints.open_manager(workdir) as manager,
    history.open_board(workdir, True) as board,
    signals.watch() as find_signal,
  ):
    progress, epoch = Progress(config.train.learning_rate), 0
    if restored := checkpoints.restore_latest(manager, state):
      state, meta = restored
      progress, epoch = Progress(**meta['progress']), meta['place']['epochs']
      print(f'resuming after epoch {epoch}')
    history.trim(workdir, epoch)
    while epoch < config.train.epochs and progress.stale < config.train.early_stopping_patience:
      state, row = _run_epoch(config, training, state, epoch)
      epoch = row['epoch']
      better = row['validation_loss'] < progress.best
      progress = dataclasses.replace(
        progress, best=min(progress.best, row['validation_loss']), stale=0 if better else progress.stale + 1
      )
      checkpoints.save(manager, state, _describe(config, training, progress, epoch), row['validation_loss'])
      history.append(row, workdir, board)
      print(_epoch_line(row, progress))
      if signal := find_signal(int(state.step)):
        raise signal


def _prepare(config: ml_collections.ConfigDict, data_dir: str | None) -> tuple[_Training, TrainState]:
  hyper = config.train
  model = create_towers(config.model.name, config.model[config.model.name])
  pairs = {part: _open_pairs(config, model, part, data_dir) for part in ('train', 'validation')}
  updates = len(ORDERS[model.objective](pairs['train'], hyper.batch_size, config.seed, 0)) * hyper.epochs
  schedule = create_schedule(hyper.schedule, updates, round(updates * hyper.warmup_epochs / hyper.epochs), FLOOR)
  optimizer = create_optimizer(hyper.weight_decay, hyper.gradient_clip)
  one = read_pairs(pairs['train'], np.zeros(1, int))
  params = jax.jit(model.init)(jax.random.key(config.seed), to_float(jnp.asarray(one['look'])), one['sound'])['params']
  state = TrainState(
    step=jnp.zeros((), jnp.int32),
    apply_fn=model.apply,
    params=params,
    tx=optimizer,
    opt_state=optimizer.init(params),
    batch_stats={},
    updates=jnp.zeros((), jnp.int32),
    rate=jnp.float32(hyper.learning_rate),
    dynamic_scale=None,
  )
  settings = {'model': model, **config.contrastive}
  augmentation = Augmentation(**config.augment)
  step = jax.jit(functools.partial(train_step, augmentation=augmentation, schedule=schedule, **settings))
  assess = jax.jit(functools.partial(assess_step, **settings))
  return _Training(model, pairs, step, assess), state


def _open_pairs(config: ml_collections.ConfigDict, model: nn.Module, part: str, data_dir: str | None) -> Pairs:
  """The real clips of a part; of 'moments' those with sound."""
  pairs = open_pairs(read_choice(config.data), part, data_dir, model.inputs)
  spec, fewest = pairs.looks.spec, model.window + REACH if model.objective == 'moments' else 1
  if spec['rule'] != 'contiguous' or spec['frames'] < fewest:
    raise UserError(
      f'data.builder_config={config.data.builder_config!r}: its clips are {spec["frames"]} frames, {spec["rule"]}:'
      f' {config.model.name} needs contiguous ones of {fewest} at least, see configs/{config.model.name}.py'
    )
  return keep(pairs, pairs.heard) if model.objective == 'moments' else pairs


def train_step(
  state: TrainState,
  batch: Batch,
  key: jax.Array,
  model: nn.Module,
  augmentation: Augmentation,
  schedule: Callable[[jax.Array], jax.Array],
  hidden_bands: int,
  **settings: Any,
) -> tuple[TrainState, Figures]:
  """One update.

  Args:
    state: the current one.
    batch: of `pairs.read_pairs`.
    key: the run's; the number of the step is folded in here.
    model: the towers.
    augmentation: of what is seen.
    schedule: from the number of updates so far to what the learning rate is multiplied by.
    hidden_bands: of the sound, up to so many neighbouring ones are hidden in a clip.
    **settings: of `measure`.

  Returns:
    The new state, and 'loss' and 'accuracy', see `contrastive_losses`.
  """
  augment_key, bands_key, draw_key = jax.random.split(jax.random.fold_in(key, state.step), 3)
  places = jnp.arange(len(batch['look']))
  looks = augment_clips(to_float(batch['look']), augment_key, places, augmentation)
  changed = {**batch, 'look': looks, 'sound': hide_bands(batch['sound'], bands_key, hidden_bands)}

  def loss_fn(params: Any) -> tuple[jax.Array, Figures]:
    return measure(model, params, changed, draw_key, **settings)

  (_, figures), grads = jax.value_and_grad(loss_fn, has_aux=True)(state.params)
  changes, opt_state = state.tx.update(grads, state.opt_state, state.params)
  rate = state.rate * schedule(state.updates)
  params = optax.apply_updates(state.params, jax.tree.map(lambda change: rate * change, changes))
  state = state.replace(step=state.step + 1, updates=state.updates + 1, params=params, opt_state=opt_state)
  return state, figures


def assess_step(
  state: TrainState, batch: Batch, key: jax.Array, model: nn.Module, hidden_bands: int, **settings: Any
) -> tuple[TrainState, Figures]:
  """The figures of clips as they are; nothing is updated. Arguments as those of `train_step`."""
  del hidden_bands
  plain = {**batch, 'look': to_float(batch['look'])}
  return state, measure(model, state.params, plain, jax.random.fold_in(key, UNSEEN), **settings)[1]


def measure(
  model: nn.Module, params: Any, batch: Batch, key: jax.Array, moments: int, temperature: float
) -> tuple[jax.Array, Figures]:
  """The loss of a batch by the model's objective, and its figures.

  Args:
    model, params: the towers.
    batch: with float looks.
    key: of the moments that are drawn.
    moments: windows of each clip that are looked at, the same in all; of 'people' the whole clip is one.
    temperature: of 'people', what squared distances are divided by.
  """
  if model.objective == 'moments':
    count = batch['look'].shape[1] - model.window + 1
    starts = jax.random.choice(key, count, (min(moments, count),), replace=False)
    found: Any = model.apply({'params': params}, batch['look'], batch['sound'], starts)
    loss, accuracy = find_moments(found['look'], found['sound'], found['scale'])
    return loss, {'loss': loss, 'accuracy': accuracy}
  found = model.apply({'params': params}, batch['look'], batch['sound'])
  seen, heard = (-squared_distances(found[name]) / temperature for name in ('look', 'sound'))
  everyone = jnp.ones_like(batch['heard'])
  by_look = find_people(seen, batch['person'], everyone)
  by_sound, by_both = (find_people(near, batch['person'], batch['heard']) for near in (heard, seen + heard))
  loss = by_look[0] + by_sound[0] + by_both[0]
  return loss, {'loss': loss, 'accuracy': by_look[1], 'accuracy_sound': by_sound[1]}


def hide_bands(sound: jax.Array, key: jax.Array, most: int) -> jax.Array:
  """Puts some neighbouring bands of each clip at their means (Park et al. 2019, 'SpecAugment'): [B, T, R, M]."""
  width_key, first_key = jax.random.split(key)
  bands, clips = jnp.arange(sound.shape[-1]), len(sound)
  width = jax.random.randint(width_key, (clips, 1), 0, most + 1)
  first = jax.random.randint(first_key, (clips, 1), 0, len(bands))
  hidden = (bands >= first) & (bands < first + width)
  return jnp.where(hidden[:, None, None], sound.mean((1, 2), keepdims=True), sound)


def _run_epoch(config: Any, training: _Training, state: TrainState, epoch: int) -> tuple[TrainState, dict[str, Any]]:
  """One epoch and its validation: the new state, and a row of figures."""
  began, key = time.perf_counter(), jax.random.key(config.seed + 1)
  order, size = ORDERS[training.model.objective], config.train.batch_size
  seen, unseen = training.pairs['train'], training.pairs['validation']
  state, figures = _run(training.step, state, seen, order(seen, size, config.seed, epoch), key)
  speed = len(seen) / (time.perf_counter() - began)
  _, validated = _run(training.assess, state, unseen, order(unseen, min(size, len(unseen)), config.seed, 0), key)
  row = {'epoch': epoch + 1, 'step': int(state.step), 'clips_per_s': round(speed, 2)}
  named = {'train': figures, 'validation': validated}
  return state, row | {f'{part}_{name}': value for part, found in named.items() for name, value in found.items()}


def _run(
  step: Callable, state: TrainState, pairs: Pairs, batches: Iterable[np.ndarray], key: jax.Array
) -> tuple[TrainState, dict[str, float]]:
  """Takes a step for each batch: the new state, and the means of the figures."""
  rows = []
  for members in batches:
    state, figures = step(state, read_pairs(pairs, members), key)
    rows.append(jax.device_get(figures))
    if not math.isfinite(rows[-1]['loss']):
      raise UserError(f'loss is {rows[-1]["loss"]} at step {int(state.step)}: {CALM}')
  return state, {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def _describe(config: Any, training: _Training, progress: Progress, epoch: int) -> dict[str, Any]:
  """What a checkpoint tells of itself."""
  looks = training.pairs['train'].looks
  return {
    'model': {'name': config.model.name, 'arguments': config.model[config.model.name].to_dict()},
    'data': dataclasses.asdict(read_choice(config.data)),
    'clip': looks.spec,
    'clips': {part: digest_split(pairs.looks) for part, pairs in training.pairs.items()},
    'progress': dataclasses.asdict(progress),
    'place': {'epochs': epoch},
  }


def _epoch_line(row: dict[str, Any], progress: Progress) -> str:
  """One epoch for the terminal."""
  figures = '  '.join(
    f'{name.replace("_", " ")} {value:.3f}' for name, value in row.items() if name.startswith(('train', 'validation'))
  )
  return f'epoch {row["epoch"]:3}  {figures}  best {progress.best:.3f}  {row["clips_per_s"]:.1f} clips/s'
