"""The registry of models: clips in, logits out.

Every model is a linen module called as `model(clips, train, mask)`: clips float [B, T, H, W, C] in [0, 1], or lips
float [B, T, K, 2] where its `input` is 'lips', or motion float [B, F] where it is 'motion', to logits float32, positive
for fake: [B], one a clip, or [B, T], one a frame. `mask`, bool [B, T], is False where a clip is padded, at its end;
None where none is. `l2_kernels` names the kernels that carry an L2 penalty; `source` is whose network it is; without
other arguments it has `n_params` trained numbers, for inputs of `input_shape`, its usual one. Next stage: `steps`, or
`closed_form` for a model that has a `fit`: it is given all training clips at once.

Beside them stand TOWERS, which embed what is seen and what is heard, each its `inputs`: they give no logits, and are
trained by `training.contrastive`, by what their `objective` says.
"""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from lipfake_jax.core.errors import UserError
from lipfake_jax.models.av_sync import AvSync
from lipfake_jax.models.clrnet import Clrnet
from lipfake_jax.models.cnn3d import Cnn3d
from lipfake_jax.models.cnn5_frames import Cnn5Frames
from lipfake_jax.models.cnn_gru import CnnGru
from lipfake_jax.models.cnn_lstm import CnnLstm
from lipfake_jax.models.effnet import EffnetFrames, EffnetLstm
from lipfake_jax.models.effnet_probe import EffnetProbe
from lipfake_jax.models.lip_kinematics import LipKinematics
from lipfake_jax.models.motion_svm import MotionSvm
from lipfake_jax.models.poi import Poi
from lipfake_jax.models.r2plus1d import R2Plus1d
from lipfake_jax.models.resnet_tcn import ResnetTcn
from lipfake_jax.models.xception_frames import XceptionFrames

MODELS: dict[str, type[nn.Module]] = {
  'cnn_lstm': CnnLstm,
  'cnn_gru': CnnGru,
  'cnn3d': Cnn3d,
  'r2plus1d': R2Plus1d,
  'clrnet': Clrnet,
  'xception_frames': XceptionFrames,
  'cnn5_frames': Cnn5Frames,
  'resnet_tcn': ResnetTcn,
  'effnet_frames': EffnetFrames,
  'effnet_lstm': EffnetLstm,
  'effnet_probe': EffnetProbe,
  'lip_kinematics': LipKinematics,
  'motion_svm': MotionSvm,
}
TOWERS: dict[str, type[nn.Module]] = {'av_sync': AvSync, 'poi': Poi}


def describe_input(model: nn.Module) -> str:
  """What a model takes, and the usual shape of it but for the colours: 'clip 60x64x64'."""
  return f'{model.input} {"x".join(map(str, model.input_shape[:3]))}'


def create_model(name: str, arguments: Mapping[str, Any], dtype: jnp.dtype = jnp.float32) -> nn.Module:
  """Builds a model by its name.

  Args:
    name: a key of MODELS.
    arguments: the module's own arguments; those left out keep their defaults.
    dtype: of the computation; parameters and logits are float32.

  Raises:
    UserError: an unknown model or argument.
  """
  return _create(MODELS, name, arguments, dtype)


def create_towers(name: str, arguments: Mapping[str, Any], dtype: jnp.dtype = jnp.float32) -> nn.Module:
  """Builds one of TOWERS; arguments and errors as those of `create_model`."""
  return _create(TOWERS, name, arguments, dtype)


def _create(models: Mapping[str, type[nn.Module]], name: str, arguments: Mapping[str, Any], dtype: jnp.dtype):
  if name in TOWERS and models is not TOWERS:
    raise UserError(f'model {name!r} compares picture and sound, and scores no clip: see configs/{name}.py')
  if name not in models:
    raise UserError(f'model {name!r}: choose one of {", ".join(models)}')
  known = {field.name for field in dataclasses.fields(models[name])} - {'dtype', 'parent', 'name'}
  if unknown := set(arguments) - known:
    raise UserError(f'model {name}: unknown {", ".join(sorted(unknown))}; it has {", ".join(sorted(known))}')
  module: Callable[..., nn.Module] = models[name]
  return _make(module, dtype, tuple((argument, _to_tuples(value)) for argument, value in arguments.items()))


@functools.lru_cache(maxsize=32)
def _make(module: Callable[..., nn.Module], dtype: jnp.dtype, arguments: tuple[tuple[str, Any], ...]) -> nn.Module:
  """One module for equal arguments: compiled steps go by the identity of its `apply`, and are found again."""
  return module(dtype=dtype, **dict(arguments))


def _to_tuples(value: Any) -> Any:
  """JSON's lists as tuples, so that a module can be hashed, as a static argument of `jax.jit` must be."""
  return tuple(map(_to_tuples, value)) if isinstance(value, list) else value
