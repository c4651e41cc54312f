"""Everything that a training step reads and writes, as one pytree."""

from collections.abc import Mapping, Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from flax.training import train_state
from flax.training.dynamic_scale import DynamicScale

from lipfake_jax.core.errors import UserError


class TrainState(train_state.TrainState):
  """Parameters and optimizer state, and what else goes from step to step.

  Attributes:
    step: batches seen, int32.
    batch_stats: running means and variances of batch normalization; {} without any.
    updates: optimizer updates made, int32: fewer, where gradients are accumulated or overflowed.
    rate: learning rate before the schedule's factor, float32.
    dynamic_scale: the loss scale in float16, else None.
  """

  batch_stats: Any
  updates: jax.Array
  rate: jax.Array
  dynamic_scale: DynamicScale | None

  @property
  def variables(self) -> dict[str, Any]:
    """What the model is applied to."""
    return {'params': self.params, **({'batch_stats': self.batch_stats} if self.batch_stats else {})}


def create_train_state(
  model: nn.Module,
  clip_shape: tuple[int, ...],
  optimizer: optax.GradientTransformation | optax.MultiSteps,
  learning_rate: float,
  precision: str,
  seed: int,
  freeze: Sequence[str] = (),
) -> TrainState:
  """Initial state.

  Args:
    model: the module.
    clip_shape: of one clip, as the model takes it.
    optimizer: from `create_optimizer`.
    learning_rate: of the first step.
    precision: a resolved precision; 'float16' adds dynamic loss scaling.
    seed: of the initial parameters.
    freeze: parts of the model that are not trained, and have no optimizer state.

  Raises:
    UserError: the model has no such part.
  """
  variables = jax.jit(model.init)(jax.random.key(seed), jnp.zeros((1, *clip_shape), jnp.float32))
  params = variables['params']
  return TrainState(
    step=jnp.zeros((), jnp.int32),
    apply_fn=model.apply,
    params=params,
    tx=optimizer,
    opt_state=optimizer.init(trained_part(params, freeze)),
    batch_stats=variables.get('batch_stats', {}),
    updates=jnp.zeros((), jnp.int32),
    rate=jnp.float32(learning_rate),
    dynamic_scale=_loss_scale() if precision == 'float16' else None,
  )


def _loss_scale() -> DynamicScale:
  """Flax's, as arrays: its own Python numbers would compile the step twice."""
  plain = DynamicScale()
  return plain.replace(fin_steps=jnp.int32(plain.fin_steps), scale=jnp.float32(plain.scale))


def trained_part(params: Mapping[str, Any], freeze: Sequence[str]) -> dict[str, Any]:
  """The parameters but those of the parts named in `freeze`, e.g. ('encoder',).

  Raises:
    UserError: the model has no such part, or all are named.
  """
  if set(freeze) - set(params) or set(freeze) >= set(params):
    raise UserError(f'train.freeze={"+".join(freeze)!r}: name some of {", ".join(params)}, as in a+b, and not all')
  return {name: part for name, part in params.items() if name not in freeze}
