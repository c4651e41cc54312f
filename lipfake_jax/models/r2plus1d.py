"""R(2+1)D-18: a residual network whose 3D convolutions are split into one over space and one over time.

Tran et al. 2018, 'A Closer Look at Spatiotemporal Convolutions for Action Recognition': section 3.5 for the split and
its number of channels in between, table 1 for the 18 layers. Where the paper leaves a choice it is torchvision's
`r2plus1d_18`: 45 channels within the first layer; within a block, for both convolutions what the formula gives for the
first; kernels that start as in He et al. 2015; input standardised by the colours of Kinetics.

    [B, 60, 64, 64, 3] -> 1x7x7 45, stride 2 in space -> 3x1x1 64 -> [B, 60, 32, 32, 64] -> 2 blocks of 64
                       -> 2 of 128 -> [B, 30, 16, 16, 128] -> 2 of 256 -> 2 of 512 -> [B, 8, 4, 4, 512] -> mean -> [B]

31,300,638 parameters; with Kinetics' 400 classes it would be the 31,505,325 of torchvision.
"""

from functools import partial
from typing import ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp

from lipfake_jax.models.layers import along, batch_norm, conv_frames, he_fan_out, hide_padding, mean_over_time

# Of Kinetics-400, as torchvision has them for its video models.
MEAN = (0.43216, 0.394666, 0.37645)
STD = (0.22803, 0.22145, 0.216989)


class R2Plus1d(nn.Module):
  """Clips float [B, T, H, W, 3] in [0, 1] -> logits float32 [B].

  Attributes:
    stem: channels after the first convolution over space and after the one over time.
    filters: channels of each stage; all stages but the first halve time, height and width.
    blocks: residual blocks of each stage.
    dtype: of the computation; batch statistics and the last layer are float32.
  """

  stem: tuple[int, int] = (45, 64)
  filters: tuple[int, ...] = (64, 128, 256, 512)
  blocks: tuple[int, ...] = (2, 2, 2, 2)
  dtype: jnp.dtype = jnp.float32

  input: ClassVar[str] = 'clip'
  input_shape: ClassVar[tuple[int, ...]] = (60, 64, 64, 3)
  n_params: ClassVar[int] = 31_300_638
  source: ClassVar[str] = 'R(2+1)D (Tran et al. 2018)'
  l2_kernels: ClassVar[tuple[tuple[str, ...], ...]] = ()

  @nn.compact
  def __call__(self, clips: jax.Array, train: bool = False, mask: jax.Array | None = None) -> jax.Array:
    x = ((clips - jnp.array(MEAN)) / jnp.array(STD)).astype(self.dtype)
    x = SplitConv(*self.stem, (7, 7), (1, 2), self.dtype, name='stem')(x, train, mask)
    x = nn.relu(batch_norm(train, self.dtype, 'stem_norm')(x, mask=along(mask, x)))
    for stage, (filters, blocks) in enumerate(zip(self.filters, self.blocks, strict=True)):
      for number in range(blocks):
        stride = 2 if stage and not number else 1
        x = Block(filters, stride, self.dtype, name=f'stage{stage + 1}_block{number + 1}')(x, train, mask)
        mask = None if mask is None else mask[:, ::stride]
    features = mean_over_time(x.mean(axis=(2, 3)), mask)
    return nn.Dense(1, dtype=jnp.float32, name='logit')(features)[:, 0]


class Block(nn.Module):
  """Two split convolutions beside a shortcut, with `stride` in time, height and width: [B, T, H, W, C]."""

  filters: int
  stride: int = 1
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array, train: bool, mask: jax.Array | None) -> jax.Array:
    between, stride = channels_between(x.shape[-1], self.filters), self.stride
    new_mask = None if mask is None else mask[:, ::stride]
    y = SplitConv(between, self.filters, (3, 3), (stride, stride), self.dtype, name='conv1')(x, train, mask)
    y = nn.relu(batch_norm(train, self.dtype, 'norm1')(y, mask=along(new_mask, y)))
    y = SplitConv(between, self.filters, (3, 3), (1, 1), self.dtype, name='conv2')(y, train, new_mask)
    y = batch_norm(train, self.dtype, 'norm2')(y, mask=along(new_mask, y))
    if x.shape[-1] != self.filters or stride > 1:
      x = x[:, ::stride, ::stride, ::stride]
      x = nn.Dense(self.filters, use_bias=False, dtype=self.dtype, kernel_init=he_fan_out, name='shortcut')(x)
      x = batch_norm(train, self.dtype, 'shortcut_norm')(x, mask=along(new_mask, x))
    return nn.relu(x + y)


class SplitConv(nn.Module):
  """A convolution over space, batch normalization, ReLU and one over 3 frames: [B, T, H, W, C].

  Attributes:
    between: channels after the first.
    filters: channels after the second.
    kernel: in height and width.
    strides: in time, and in height and width.
    dtype: of the computation.
  """

  between: int
  filters: int
  kernel: tuple[int, int]
  strides: tuple[int, int]
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array, train: bool, mask: jax.Array | None) -> jax.Array:
    in_time, in_space = self.strides
    conv = partial(nn.Conv, use_bias=False, dtype=self.dtype, kernel_init=he_fan_out)
    padding = [(size // 2, size // 2) for size in self.kernel]
    x = conv(self.between, self.kernel, (in_space, in_space), padding, conv_general_dilated=conv_frames, name='space')(
      x
    )
    x = nn.relu(batch_norm(train, self.dtype, 'norm')(x, mask=along(mask, x)))
    batch, times, height, width, channels = x.shape
    columns = hide_padding(x, mask).reshape(batch, times, height * width, channels)  # XLA on a CPU is slow in 3D
    y = conv(self.filters, (3, 1), (in_time, 1), [(1, 1), (0, 0)], name='time')(columns)
    return y.reshape(batch, -1, height, width, self.filters)


def channels_between(inputs: int, filters: int) -> int:
  """As many channels as give the split convolution the parameters of the whole 3x3x3 one (section 3.5)."""
  return 3 * 3 * 3 * inputs * filters // (3 * 3 * inputs + 3 * filters)
