"""The one epoch of a model that is not trained by steps, but has a `fit` that takes all training clips at once.

In: a config, the model's `fit`, the state before. Out: what `epoch.train_epoch` gives. Next stage: `train`, which
validates, saves and evaluates as ever.
"""

import time
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import ml_collections
import numpy as np
from optax import sigmoid_binary_cross_entropy

from lipfake_jax.core.errors import UserError
from lipfake_jax.core.people import units
from lipfake_jax.data.batches import read_batch
from lipfake_jax.data.dataset import Split
from lipfake_jax.training.epoch import RunPosition
from lipfake_jax.training.state import TrainState

IMBALANCE = ('none', 'class_weights')


def check_config(config: ml_collections.ConfigDict) -> None:
  """Refuses what only training by steps can do.

  Raises:
    UserError: several epochs, first weights, frozen parts, or an order of clips.
  """
  hyper, name = config.train, config.model.name
  wanted = {'train.epochs': (hyper.epochs, 1), 'train.freeze': (hyper.freeze, ''), 'init_from': (config.init_from, '')}
  for field, (value, only) in {**wanted, 'data.weights': (tuple(config.data.weights), ())}.items():
    if value != only:
      raise UserError(f'{field}={value!r}: {name} is fitted at once, to all clips: choose {only!r}')
  if hyper.imbalance not in IMBALANCE:
    raise UserError(f'train.imbalance={hyper.imbalance!r}: {name} is fitted at once: choose {" or ".join(IMBALANCE)}')


def fit_epoch(
  config: ml_collections.ConfigDict, fit: Callable, state: TrainState, split: Split
) -> tuple[TrainState, RunPosition, dict[str, Any], None]:
  """Fits a model to a split.

  Args:
    config: of the run.
    fit: the model's; from clips [N, ...], labels [N], people [N] and whether both classes weigh the same to parameters.
    state: before.
    split: to train on.

  Returns:
    The state after this one step, the place at the end of the epoch, its figures, and no signal.
  """
  started = time.perf_counter()
  clips = read_batch(split, np.arange(len(split)))['clip']
  people = [units(row)[0] for row in split.rows]  # a swap goes with the person whose head it is
  params = fit(clips, split.labels, people, config.train.imbalance == 'class_weights')
  speed = len(split) / (time.perf_counter() - started)
  one = jnp.ones((), jnp.int32)
  state = state.replace(step=one, updates=one, params=params)
  logits = state.apply_fn(state.variables, clips)
  figures = {
    'clips_per_s': round(speed, 2),
    'learning_rate': 0.0,
    'skipped_steps': 0,
    'train_loss': float(sigmoid_binary_cross_entropy(logits, split.labels).mean()),
    'train_accuracy': float(((logits > 0) == split.labels).mean()),
  }
  return state, RunPosition(batches=len(split) // config.train.batch_size), figures, None
