"""Everything that a training step reads and writes, as one pytree."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from flax.training import train_state
from flax.training.dynamic_scale import DynamicScale


class TrainState(train_state.TrainState):
  """Step, parameters and optimizer state, and in float16 the loss scale (else None)."""

  dynamic_scale: DynamicScale | None


def create_train_state(
  model: nn.Module, clip_shape: tuple[int, ...], optimizer: optax.GradientTransformation, precision: str, seed: int
) -> TrainState:
  """Initial state.

  Args:
    model: the module.
    clip_shape: (T, H, W, C) of one clip.
    optimizer: from `create_optimizer`.
    precision: a resolved precision; 'float16' adds dynamic loss scaling.
    seed: of the initial parameters.
  """
  params = jax.jit(model.init)(jax.random.key(seed), jnp.zeros((1, *clip_shape), jnp.float32))['params']
  state = TrainState.create(
    apply_fn=model.apply,
    params=params,
    tx=optimizer,
    dynamic_scale=DynamicScale() if precision == 'float16' else None,
  )
  return state.replace(step=jnp.zeros((), jnp.int32))  # a Python int would compile the step twice
