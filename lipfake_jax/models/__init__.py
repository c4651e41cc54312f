"""The registry of models: clips in, logits out.

Every model is a linen module called as `model(clips, train)`: clips float [B, T, H, W, C] in [0, 1], or lips float
[B, T, K, 2] where its `input` is 'lips', to logits float32 [B], positive for fake. `l2_kernels` names the kernels that
carry an L2 penalty. Next stage: `steps`.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from lipfake_jax.errors import UserError
from lipfake_jax.models.cnn_lstm import CnnLstm
from lipfake_jax.models.lip_kinematics import LipKinematics

MODELS: dict[str, type[nn.Module]] = {'cnn_lstm': CnnLstm, 'lip_kinematics': LipKinematics}


def create_model(name: str, arguments: Mapping[str, Any], dtype: jnp.dtype = jnp.float32) -> nn.Module:
  """Builds a model by its name.

  Args:
    name: a key of MODELS.
    arguments: the module's own arguments; those left out keep their defaults.
    dtype: of the computation; parameters and logits are float32.

  Raises:
    UserError: an unknown model or argument.
  """
  if name not in MODELS:
    raise UserError(f'model {name!r}: choose one of {", ".join(MODELS)}')
  known = {field.name for field in dataclasses.fields(MODELS[name])} - {'dtype', 'parent', 'name'}
  if unknown := set(arguments) - known:
    raise UserError(f'model {name}: unknown {", ".join(sorted(unknown))}; it has {", ".join(sorted(known))}')
  return MODELS[name](dtype=dtype, **arguments)
