"""Xception on single frames: depthwise separable convolutions in residual blocks (Chollet 2017, figure 5).

Layer by layer the network of `keras.applications.Xception(include_top=False, pooling='avg')`, 20,861,480 parameters
of which 54,528 are batch statistics; the dropout of the paper's ImageNet runs and one logit follow. Frames are scaled
to [-1, 1] as there. It was made for 299x299; for 64x64:

    [B T, 64, 64, 3] -> conv 32, stride 2 -> 31x31 -> conv 64 -> 29x29 -> blocks of 128, 256, 728, stride 2 -> 4x4x728
                     -> 8 blocks of 728 -> block of 1024, stride 2 -> 2x2 -> 1536 -> 2048 -> mean -> dense 1 -> [B, T]

20,809,001 trained parameters.
"""

from functools import partial
from typing import ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp

from lipfake_jax.models.layers import keras_norm

glorot = nn.initializers.glorot_uniform()


class XceptionFrames(nn.Module):
  """Clips float [B, T, H, W, C] in [0, 1] -> logits float32 [B, T], one a frame.

  Attributes:
    stem: filters of the first two convolutions.
    entry: filters of the blocks that follow, each halving height and width.
    middle: blocks of as many filters as the last of those.
    exit: filters of the last halving block and of the two separable convolutions after it.
    dropout: before the last layer.
    momentum: of the batch statistics, see `layers.keras_norm`; .9 for runs of less than some hundred steps.
    dtype: of the computation; batch statistics and the last layer are float32.
  """

  stem: tuple[int, int] = (32, 64)
  entry: tuple[int, ...] = (128, 256, 728)
  middle: int = 8
  exit: tuple[int, int, int] = (1024, 1536, 2048)
  dropout: float = 0.5
  momentum: float = 0.99
  dtype: jnp.dtype = jnp.float32

  input: ClassVar[str] = 'clip'
  input_shape: ClassVar[tuple[int, ...]] = (60, 64, 64, 3)
  n_params: ClassVar[int] = 20_809_001
  source: ClassVar[str] = 'Xception (Chollet 2017)'
  l2_kernels: ClassVar[tuple[tuple[str, ...], ...]] = ()

  @nn.compact
  def __call__(self, clips: jax.Array, train: bool = False, mask: jax.Array | None = None) -> jax.Array:
    batch, times, *shape = clips.shape
    frames = (2 * clips - 1).astype(self.dtype).reshape(batch * times, *shape)
    real = None if mask is None else mask.reshape(-1, 1, 1, 1)
    network = Xception(self.stem, self.entry, self.middle, self.exit, self.momentum, self.dtype, name='xception')
    features = network(frames, train, real)
    features = nn.Dropout(self.dropout, deterministic=not train)(features)
    logits = nn.Dense(1, dtype=jnp.float32, kernel_init=glorot, name='logit')(features)
    return logits.reshape(batch, times)


class Xception(nn.Module):
  """One frame in [-1, 1] to one feature vector: [N, H, W, C] -> float32 [N, F].

  `real`, bool [N, 1, 1, 1] or None, is False where a frame is not to count in the batch statistics.
  """

  stem: tuple[int, int]
  entry: tuple[int, ...]
  middle: int
  exit: tuple[int, int, int]
  momentum: float
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array, train: bool, real: jax.Array | None = None) -> jax.Array:
    def norm(name: str, y: jax.Array) -> jax.Array:
      return keras_norm(train, self.dtype, name, self.momentum)(y, mask=real)

    def separable(name: str, filters: int, y: jax.Array) -> jax.Array:
      return norm(f'{name}_norm', SeparableConv(filters, self.dtype, name=name)(y))

    def halve(name: str, y: jax.Array, filters: tuple[int, int]) -> jax.Array:
      """Two separable convolutions and a pooling, beside a convolution of stride 2."""
      shortcut = norm(f'{name}_shortcut_norm', conv(filters[1], (1, 1), (2, 2), name=f'{name}_shortcut')(y))
      y = separable(f'{name}_conv1', filters[0], nn.relu(y))
      y = separable(f'{name}_conv2', filters[1], nn.relu(y))
      return nn.max_pool(y, (3, 3), (2, 2), 'SAME') + shortcut

    conv = partial(nn.Conv, use_bias=False, dtype=self.dtype, kernel_init=glorot)
    x = nn.relu(norm('conv1_norm', conv(self.stem[0], (3, 3), (2, 2), padding='VALID', name='conv1')(x)))
    x = nn.relu(norm('conv2_norm', conv(self.stem[1], (3, 3), padding='VALID', name='conv2')(x)))
    for number, filters in enumerate(self.entry, 1):
      x = halve(f'entry{number}', x, (filters, filters))
    for number in range(1, self.middle + 1):
      y = x
      for layer in range(1, 4):
        y = separable(f'middle{number}_conv{layer}', self.entry[-1], nn.relu(y))
      x += y
    x = halve('exit', x, (self.entry[-1], self.exit[0]))
    x = nn.relu(separable('exit_conv3', self.exit[1], x))
    x = nn.relu(separable('exit_conv4', self.exit[2], x))
    return x.astype(jnp.float32).mean(axis=(1, 2))


class SeparableConv(nn.Module):
  """A 3x3 convolution of each channel by itself, then one of 1x1 across them, without biases: [N, H, W, C].

  Kernels have Keras' shapes, [3, 3, C, 1] and [1, 1, C, filters], from which their initial sizes follow. On a CPU the
  first is a sum of nine shifted products: 37 to 60 times as fast as XLA's grouped convolution, its gradient 4 to 16.
  """

  filters: int
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    kernel = self.param('depthwise', glorot, (3, 3, x.shape[-1], 1)).astype(self.dtype)
    x = jax.lax.platform_dependent(x, kernel, cpu=depthwise_by_products, default=depthwise)
    return nn.Conv(self.filters, (1, 1), use_bias=False, dtype=self.dtype, kernel_init=glorot, name='pointwise')(x)


def depthwise(x: jax.Array, kernel: jax.Array) -> jax.Array:
  """[N, H, W, C] and [3, 3, C, 1] -> [N, H, W, C], padding 'SAME'."""
  kernel, channels = kernel.reshape(3, 3, 1, -1), x.shape[-1]
  numbers = ('NHWC', 'HWIO', 'NHWC')
  return jax.lax.conv_general_dilated(
    x, kernel, (1, 1), 'SAME', dimension_numbers=numbers, feature_group_count=channels
  )


def depthwise_by_products(x: jax.Array, kernel: jax.Array) -> jax.Array:
  """The same, one product a tap."""
  height, width = x.shape[1:3]
  x = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
  taps = [(row, column) for row in range(3) for column in range(3)]
  products = (x[:, r : r + height, c : c + width] * kernel[r, c, :, 0] for r, c in taps)
  return sum(products, start=jnp.zeros((), x.dtype))
