"""AdamW, its learning rate over a run, and when a run ends (PAPER section 3.5)."""

import dataclasses
import functools
import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax

from lipfake_jax.core.errors import UserError

LEAST_SCALE = 0.03
SCHEDULES = ('plateau', 'cosine')

# What early stopping and the best weights go by: figures of the validation split, and the sign that makes less better.
SELECTIONS = {'loss': 1, 'brier': 1, 'auc': -1, 'balanced_accuracy': -1}


@functools.lru_cache(maxsize=8)  # the same for equal arguments, so that a compiled step fits
def create_optimizer(
  weight_decay: float, gradient_clip: float = 0.0, accumulate: int = 1, relative: bool = False
) -> optax.GradientTransformation | optax.MultiSteps:
  """AdamW at a learning rate of 1: the step multiplies what it returns by the rate that is due.

  Epsilon is Keras' 1e-7. The decay applies to every parameter, as Keras' does.

  Args:
    weight_decay: AdamW's.
    gradient_clip: largest norm of all gradients together, longer ones are shortened; 0 leaves them.
    accumulate: steps whose gradients are averaged for one update.
    relative: the steps of an array are in proportion to the root mean square of its values, as Adafactor's and LAMB's
      are, or to LEAST_SCALE where that is more: for kernels into which batch statistics were folded, whose sizes differ
      by a factor of a hundred.
  """
  clip = [optax.clip_by_global_norm(gradient_clip)] if gradient_clip else []
  scale = [optax.scale_by_param_block_rms(LEAST_SCALE)] if relative else []
  decay = optax.add_decayed_weights(weight_decay)
  chain = optax.chain(*clip, optax.scale_by_adam(eps=1e-7), decay, *scale, optax.scale(-1))
  return optax.MultiSteps(chain, accumulate) if accumulate > 1 else chain


@functools.lru_cache(maxsize=8)
def create_schedule(name: str, updates: int, warmup: int, floor: float) -> Callable[[jax.Array], jax.Array]:
  """What the learning rate is multiplied by, as a function of the number of updates so far.

  Args:
    name: 'plateau' is 1 throughout, since the rate itself is cut between epochs (`update_progress`); 'cosine' falls
      from 1 to the floor in half a wave, after a linear rise.
    updates: of the whole run.
    warmup: of the rise.
    floor: the last factor.

  Raises:
    UserError: an unknown name, or a rise that takes the whole run.
  """
  if name not in SCHEDULES:
    raise UserError(f'train.schedule={name!r}: choose one of {", ".join(SCHEDULES)}')
  if name == 'plateau':
    return lambda count: jnp.ones((), jnp.float32)
  if warmup >= updates:
    raise UserError(f'train.warmup_epochs: the rise takes {warmup} updates of {updates}; choose fewer')

  def cosine(count: jax.Array) -> jax.Array:
    progress = jnp.clip((count - warmup) / (updates - warmup), 0, 1)
    wave = floor + (1 - floor) * 0.5 * (1 + jnp.cos(jnp.pi * progress))
    return jnp.where(count < warmup, (count + 1) / max(warmup, 1), wave).astype(jnp.float32)

  return cosine


@dataclasses.dataclass(frozen=True)
class Progress:
  """Where a run stands after some epochs: all that its schedule and its end depend on.

  Attributes:
    learning_rate: for the next epoch, before the schedule's factor.
    best: the best selected figure so far, with the sign of SELECTIONS.
    stale: epochs since then; early stopping looks at it.
    reference: the loss that an epoch has to beat, by more than MIN_DELTA, to hold the rate.
    wait: epochs since it was beaten or the rate was cut.
    collapsed: epochs in a row in which all of validation was called one class.
  """

  learning_rate: float
  best: float = math.inf
  stale: int = 0
  reference: float = math.inf
  wait: int = 0
  collapsed: int = 0


MIN_DELTA = 1e-4  # Keras' ReduceLROnPlateau


def update_progress(
  state: Progress, loss: float, score: float, collapsed: bool, patience: int, factor: float, floor: float
) -> Progress:
  """One epoch's validation into the progress: Keras' ReduceLROnPlateau beside its EarlyStopping.

  Args:
    state: before the epoch.
    loss: validation loss of the epoch, by which the rate goes.
    score: the selected figure with its sign, by which early stopping goes; less is better.
    collapsed: whether all of validation was called one class.
    patience: epochs without improvement after which the rate is cut.
    factor: what it is multiplied by then.
    floor: lowest rate.
  """
  improved, held = score < state.best, loss < state.reference - MIN_DELTA
  wait = 0 if held else state.wait + 1
  cut = wait >= patience
  return Progress(
    learning_rate=max(state.learning_rate * factor, floor) if cut else state.learning_rate,
    best=score if improved else state.best,
    stale=0 if improved else state.stale + 1,
    reference=loss if held else state.reference,
    wait=0 if cut else wait,
    collapsed=state.collapsed + 1 if collapsed else 0,
  )
