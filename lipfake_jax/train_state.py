"""Everything that a training step reads and writes, as one pytree."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from flax.training import train_state
from flax.training.dynamic_scale import DynamicScale


class TrainState(train_state.TrainState):
  """Parameters and optimizer state, and what else goes from step to step.

  Attributes:
    step: batches seen, int32.
    updates: optimizer updates made, int32: fewer, where gradients are accumulated or overflowed.
    rate: learning rate before the schedule's factor, float32.
    dynamic_scale: the loss scale in float16, else None.
  """

  updates: jax.Array
  rate: jax.Array
  dynamic_scale: DynamicScale | None


def create_train_state(
  model: nn.Module,
  clip_shape: tuple[int, ...],
  optimizer: optax.GradientTransformation | optax.MultiSteps,
  learning_rate: float,
  precision: str,
  seed: int,
) -> TrainState:
  """Initial state.

  Args:
    model: the module.
    clip_shape: (T, H, W, C) of one clip.
    optimizer: from `create_optimizer`.
    learning_rate: of the first step.
    precision: a resolved precision; 'float16' adds dynamic loss scaling.
    seed: of the initial parameters.
  """
  params = jax.jit(model.init)(jax.random.key(seed), jnp.zeros((1, *clip_shape), jnp.float32))['params']
  state = TrainState.create(
    apply_fn=model.apply,
    params=params,
    tx=optimizer,
    updates=jnp.zeros((), jnp.int32),
    rate=jnp.float32(learning_rate),
    dynamic_scale=DynamicScale() if precision == 'float16' else None,
  )
  return state.replace(step=jnp.zeros((), jnp.int32))  # a Python int would compile the step twice
