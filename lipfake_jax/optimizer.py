"""AdamW, and the learning rate that halves when validation loss stops falling (PAPER section 3.5)."""

import dataclasses
import math

import jax.numpy as jnp
import optax


def create_optimizer(learning_rate: float, weight_decay: float) -> optax.GradientTransformation:
  """AdamW whose learning rate can be set between steps (`set_learning_rate`).

  Epsilon is Keras' 1e-7. The decay applies to every parameter, as Keras' does.
  """
  return optax.inject_hyperparams(optax.adamw)(learning_rate, eps=1e-7, weight_decay=weight_decay)


def set_learning_rate(opt_state, learning_rate: float):
  """The same optimizer state with another learning rate."""
  rate = jnp.asarray(learning_rate, jnp.float32)  # not a Python float: another type would compile the step anew
  return opt_state._replace(hyperparams={**opt_state.hyperparams, 'learning_rate': rate})


@dataclasses.dataclass(frozen=True)
class Plateau:
  """State of the schedule and of early stopping after some epochs.

  Attributes:
    learning_rate: for the next epoch.
    best: lowest validation loss so far.
    stale: epochs since then; early stopping looks at it.
    reference: the loss that an epoch has to beat, by more than MIN_DELTA, to hold the rate.
    wait: epochs since it was beaten or the rate was cut.
  """

  learning_rate: float
  best: float = math.inf
  stale: int = 0
  reference: float = math.inf
  wait: int = 0


MIN_DELTA = 1e-4  # Keras' ReduceLROnPlateau


def update_plateau(state: Plateau, loss: float, patience: int, factor: float, floor: float) -> Plateau:
  """One epoch's validation loss into the schedule: Keras' ReduceLROnPlateau beside its EarlyStopping.

  Args:
    state: before the epoch.
    loss: validation loss of the epoch.
    patience: epochs without improvement after which the rate is cut.
    factor: what it is multiplied by then.
    floor: lowest rate.
  """
  improved, held = loss < state.best, loss < state.reference - MIN_DELTA
  wait = 0 if held else state.wait + 1
  cut = wait >= patience
  return Plateau(
    learning_rate=max(state.learning_rate * factor, floor) if cut else state.learning_rate,
    best=loss if improved else state.best,
    stale=0 if improved else state.stale + 1,
    reference=loss if held else state.reference,
    wait=0 if cut else wait,
  )
