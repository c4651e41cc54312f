"""The one epoch of a model that is not trained by steps, but has a `fit` that takes all that there is at once.

In: a config, the model, the state before. Out: what `epoch.train_epoch` gives. Next stage: `train`, which validates,
saves and evaluates as ever. A model that has `see`, too, is fitted to what it sees of frames, and of pseudo-fakes; with
the weights of another run to begin with, it is trained by steps as others are.
"""

import time
from collections.abc import Iterator
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import ml_collections
import numpy as np
from optax import sigmoid_binary_cross_entropy

from lipfake_jax.core.errors import Interrupted, UserError
from lipfake_jax.core.people import units
from lipfake_jax.data.batches import Batch, read_batch
from lipfake_jax.data.dataset import Split
from lipfake_jax.data.pseudo_batches import PseudoFakes, mixed_batches
from lipfake_jax.inference.parallel_eval import to_float
from lipfake_jax.training.epoch import RunPosition, count_batches, progress_bar
from lipfake_jax.training.first_weights import IMAGENET
from lipfake_jax.training.signals import FindSignal
from lipfake_jax.training.state import TrainState

IMBALANCE = ('none', 'class_weights')


def fits_at_once(config: ml_collections.ConfigDict, model: nn.Module) -> bool:
  """Whether a run of this model is fitted, and not trained by steps."""
  return hasattr(model, 'fit') and not (hasattr(model, 'see') and config.init_from not in ('', IMAGENET))


def check_config(config: ml_collections.ConfigDict, model: nn.Module) -> None:
  """Refuses what only training by steps can do.

  Raises:
    UserError: several epochs, first weights that nothing is done with, frozen parts, or an order of clips.
  """
  hyper, name = config.train, config.model.name
  wanted = {'train.epochs': (hyper.epochs, 1), 'train.freeze': (hyper.freeze, '')}
  if not hasattr(model, 'see'):
    wanted['init_from'] = (config.init_from, '')
  for field, (value, only) in {**wanted, 'data.weights': (tuple(config.data.weights), ())}.items():
    if value != only:
      raise UserError(f'{field}={value!r}: {name} is fitted at once, to all clips: choose {only!r}')
  if hyper.imbalance not in IMBALANCE:
    raise UserError(f'train.imbalance={hyper.imbalance!r}: {name} is fitted at once: choose {" or ".join(IMBALANCE)}')


def fit_epoch(
  config: ml_collections.ConfigDict, model: nn.Module, state: TrainState, split: Split, find_signal: FindSignal
) -> tuple[TrainState, RunPosition, dict[str, Any], None]:
  """Fits a model to a split.

  Args:
    config: of the run.
    model: with a `fit`, of a whole clip's values [N, ...], labels [N], people [N] and whether both classes weigh the
      same, to parameters; or, where it has `see`, of frames' features [N, F], labels and that, to some of them.
    state: before.
    split: to train on.
    find_signal: whether a signal has come, see `signals`.

  Returns:
    The state after this one step, the place at the end of the epoch, its figures, and no signal.

  Raises:
    Interrupted: a signal came while it looked at frames. There is nothing to save.
  """
  started = time.perf_counter()
  balanced = config.train.imbalance == 'class_weights'
  if hasattr(model, 'see'):
    features, labels = see_frames(config, state, split, find_signal)
    found = model.fit(features, labels, balanced)
    params = {**state.params, **found}
    logits = np.asarray(model.apply({'params': params}, features, method='judge'))
  else:
    features, labels = read_batch(split, np.arange(len(split)))['clip'], split.labels
    people = [units(row)[0] for row in split.rows]  # a swap goes with the person whose head it is
    params = model.fit(features, labels, people, balanced)
    logits = np.asarray(model.apply({'params': params}, features))
  speed = len(labels) / (time.perf_counter() - started)
  one = jnp.ones((), jnp.int32)
  figures = {
    'clips_per_s': round(speed, 2),
    'learning_rate': 0.0,
    'skipped_steps': 0,
    'train_loss': float(sigmoid_binary_cross_entropy(logits, labels).mean()),
    'train_accuracy': float(((logits > 0) == labels).mean()),
  }
  place = RunPosition(batches=len(split) // config.train.batch_size)
  return state.replace(step=one, updates=one, params=params), place, figures, None


def see_frames(
  config: ml_collections.ConfigDict, state: TrainState, split: Split, find_signal: FindSignal
) -> tuple[np.ndarray, np.ndarray]:
  """What a model sees of all frames of an epoch: features float32 [N, F] and labels int32 [N]."""

  @jax.jit
  def see(params: Any, clips: jax.Array) -> jax.Array:
    return state.apply_fn({'params': params}, to_float(clips), method='see')

  features, labels = [], []
  with progress_bar(config.train, count_batches(config, split), RunPosition()) as bar:
    for batch in _read_epoch(config, split):
      seen = np.asarray(see(state.params, batch['clip']))
      features.append(seen.reshape(-1, seen.shape[-1]))
      labels.append(np.repeat(batch['label'], seen.shape[1]))
      bar.update(len(batch['label']))
      if signal := find_signal(0):
        raise Interrupted(f'interrupted: {config.model.name} is fitted at once; the command begins anew', signal.code)
  return np.concatenate(features), np.concatenate(labels)


def _read_epoch(config: ml_collections.ConfigDict, split: Split) -> Iterator[Batch]:
  """With pseudo-fakes as `mixed_batches` has them, else every clip once."""
  settings, size = PseudoFakes(**config.pseudo), config.train.batch_size
  if settings.share:
    yield from mixed_batches(split, size, config.seed, 0, settings)
    return
  for first in range(0, len(split), size):
    yield read_batch(split, np.arange(first, min(first + size, len(split))))
