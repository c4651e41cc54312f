"""What several models share: convolutions over time, batch normalization, padding masks.

A mask is bool [B, T], True where a frame is real; None where all are, which costs nothing.
"""

from collections.abc import Callable, Sequence
from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

he_fan_out = nn.initializers.variance_scaling(2.0, 'fan_out', 'normal')  # of residual networks since He et al. 2015


class Conv3d(nn.Module):
  """A 3D convolution with the parameters of `nn.Conv`: [B, T, H, W, C] -> [B, T, H', W', filters].

  Zeros for half the kernel on every side, and no stride in time. On a CPU the frames under the kernel are laid side by
  side as channels for one 2D convolution: the forward pass is 3 to 9 times as fast as XLA's 3D convolution, the
  gradient 4 to 75 times (60x64x64x3 and 60x16x16x32, one core).
  """

  filters: int
  kernel: tuple[int, int, int]
  stride: int = 1  # in height and width
  use_bias: bool = True
  kernel_init: nn.initializers.Initializer = nn.initializers.he_normal()
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    kernel = self.param('kernel', self.kernel_init, (*self.kernel, x.shape[-1], self.filters)).astype(self.dtype)
    side_by_side, whole = partial(conv_side_by_side, stride=self.stride), partial(conv_3d, stride=self.stride)
    y = jax.lax.platform_dependent(x.astype(self.dtype), kernel, cpu=side_by_side, default=whole)
    if self.use_bias:
      y += self.param('bias', nn.initializers.zeros, (self.filters,)).astype(self.dtype)
    return y


def conv_3d(x: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
  """[B, T, H, W, C] and [t, h, w, C, D] -> [B, T, H', W', D], padded by half the kernel."""
  padding = [(size // 2, size // 2) for size in kernel.shape[:3]]
  numbers = ('NDHWC', 'DHWIO', 'NDHWC')
  return jax.lax.conv_general_dilated(x, kernel, (1, stride, stride), padding, dimension_numbers=numbers)


def conv_side_by_side(x: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
  """The same as one 2D convolution of all frames."""
  batch, times, *shape = x.shape
  depth, height, width = kernel.shape[:3]
  x = jnp.pad(x, ((0, 0), (depth // 2, depth // 2), (0, 0), (0, 0), (0, 0)))
  x = jnp.concatenate([x[:, shift : shift + times] for shift in range(depth)], axis=-1)
  kernel = jnp.moveaxis(kernel, 0, 2).reshape(height, width, -1, kernel.shape[-1])
  padding = [(height // 2, height // 2), (width // 2, width // 2)]
  frames = x.reshape(batch * times, *shape[:-1], -1)
  y = jax.lax.conv_general_dilated(
    frames, kernel, (stride, stride), padding, dimension_numbers=('NHWC', 'HWIO', 'NHWC')
  )
  return y.reshape(batch, times, *y.shape[1:])


def conv_frames(x: jax.Array, kernel: jax.Array, strides: Sequence[int], padding, **settings) -> jax.Array:
  """`lax.conv_general_dilated` for an `nn.Conv` of frames [N, H, W, C] that may be smaller than its kernel.

  On a CPU those go through one matrix product: XLA's convolution of 2x2 frames takes 15 to 20 times as long.
  """

  def convolve(x: jax.Array, kernel: jax.Array) -> jax.Array:
    return jax.lax.conv_general_dilated(x, kernel, strides, padding, **settings)

  if x.shape[1] >= kernel.shape[0] and x.shape[2] >= kernel.shape[1]:
    return convolve(x, kernel)
  pads = jax.lax.padtype_to_pads(x.shape[1:3], kernel.shape[:2], strides, padding) if padding == 'SAME' else padding
  product = partial(conv_by_product, strides=strides, pads=pads)
  return jax.lax.platform_dependent(x, kernel, cpu=product, default=convolve)


def conv_by_product(x: jax.Array, kernel: jax.Array, strides: Sequence[int], pads: Sequence[tuple[int, int]]):
  """[N, H, W, C] and [h, w, C, D] -> [N, H', W', D], what is under the kernel laid side by side."""
  x = jnp.pad(x, ((0, 0), *pads, (0, 0)))
  height, width = ((x.shape[axis + 1] - kernel.shape[axis]) // strides[axis] + 1 for axis in (0, 1))
  rows = [slice(row, row + (height - 1) * strides[0] + 1, strides[0]) for row in range(kernel.shape[0])]
  columns = [slice(column, column + (width - 1) * strides[1] + 1, strides[1]) for column in range(kernel.shape[1])]
  under = jnp.concatenate([x[:, row, column] for row in rows for column in columns], axis=-1)
  y = under.reshape(-1, under.shape[-1]) @ kernel.reshape(-1, kernel.shape[-1])
  return y.reshape(x.shape[0], height, width, -1)


def batch_norm(train: bool, dtype: jnp.dtype, name: str, momentum=0.9, epsilon=1e-5) -> Callable[..., jax.Array]:
  """Batch normalization over all axes but the last, with PyTorch's defaults."""
  norm = nn.BatchNorm(momentum=momentum, epsilon=epsilon, dtype=dtype, name=name)
  return partial(norm, use_running_average=not train)  # not fixed in the module: a frozen one is told otherwise


def keras_norm(train: bool, dtype: jnp.dtype, name: str, momentum: float) -> Callable[..., jax.Array]:
  """Batch normalization with Keras' epsilon.

  Keras' momentum is .99. After n steps .99^n of the statistics is still what they begin with: a fourth after 144, with
  which a deep network may say the same of every clip that it is evaluated on.
  """
  return batch_norm(train, dtype, name, momentum, epsilon=1e-3)


def along(mask: jax.Array | None, x: jax.Array) -> jax.Array | None:
  """A mask [B, T] with axes of one for the rest of x [B, T, ...]."""
  return None if mask is None else mask.reshape(mask.shape + (1,) * (x.ndim - 2))


def hide_padding(x: jax.Array, mask: jax.Array | None) -> jax.Array:
  """[B, T, ...] with zeros in padded frames, as a convolution over time finds them beyond a shorter clip."""
  where = along(mask, x)
  return x if where is None else jnp.where(where, x, 0)


def mean_over_time(x: jax.Array, mask: jax.Array | None) -> jax.Array:
  """Mean over the real frames, in float32: [B, T, F] -> [B, F]."""
  return x.astype(jnp.float32).mean(axis=1, where=along(mask, x))
