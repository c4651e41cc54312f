"""ResNet-18 on frames and a multi-scale temporal convolutional network over them: the network of LipForensics.

Martinez et al. 2020, 'Lipreading using Temporal Convolutional Networks', section 3, with one logit in place of words as
in Haliassos et al. 2021, 'Lips Don't Lie' (LipForensics). What the papers leave open is as in LipForensics' released
code: gray frames standardised by a mean of 0.421 and a deviation of 0.165, PReLUs with a slope a channel, a 1x1
convolution on the shortcut of every temporal block, even where channels agree. One thing is not: there, statistics of a
batch in training count what a temporal convolution gives beyond the ends of a clip; here, only its frames.

    [B, 60, 64, 64, 3] -> gray -> 5x7x7 64, stride 2 in space -> 32x32 -> pool -> 16x16 -> ResNet-18 -> [B, 60, 512]
                       -> 4 temporal blocks of 3 x 256, dilations 1, 2, 4, 8 -> [B, 60, 768] -> mean -> dense 1 -> [B]

35,990,785 parameters; with the 500 words of LRW it would be the 36.4 million that Martinez et al. 2020 give.
"""

from functools import partial
from typing import ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp

from lipfake_jax.models.layers import Conv3d, along, batch_norm, conv_frames, he_fan_out, hide_padding, mean_over_time

GRAY = (0.299, 0.587, 0.114)  # Rec. 601
MEAN, STD = 0.421, 0.165


class ResnetTcn(nn.Module):
  """Clips float [B, T, H, W, C] in [0, 1], colour or gray -> logits float32 [B].

  Attributes:
    stem: filters of the 3D convolution.
    filters: of each stage of the ResNet; all but the first halve height and width.
    blocks: residual blocks of each stage.
    hidden: filters of each branch of a temporal block.
    kernels: frames under the kernel of each branch.
    layers: temporal blocks; each has twice the dilation of the one before.
    dropout: in the temporal blocks.
    dtype: of the computation; batch statistics and the last layer are float32.
  """

  stem: int = 64
  filters: tuple[int, ...] = (64, 128, 256, 512)
  blocks: tuple[int, ...] = (2, 2, 2, 2)
  hidden: int = 256
  kernels: tuple[int, ...] = (3, 5, 7)
  layers: int = 4
  dropout: float = 0.2
  dtype: jnp.dtype = jnp.float32

  input: ClassVar[str] = 'clip'
  input_shape: ClassVar[tuple[int, ...]] = (60, 64, 64, 3)
  n_params: ClassVar[int] = 35_990_785
  source: ClassVar[str] = 'LipForensics (Haliassos et al. 2021)'
  l2_kernels: ClassVar[tuple[tuple[str, ...], ...]] = ()

  @nn.compact
  def __call__(self, clips: jax.Array, train: bool = False, mask: jax.Array | None = None) -> jax.Array:
    x = hide_padding(((to_gray(clips) - MEAN) / STD).astype(self.dtype), mask)
    x = Conv3d(self.stem, (5, 7, 7), 2, use_bias=False, kernel_init=he_fan_out, dtype=self.dtype, name='stem')(x)
    x = PRelu(self.dtype, name='stem_prelu')(batch_norm(train, self.dtype, 'stem_norm')(x, mask=along(mask, x)))
    x = nn.max_pool(x, (1, 3, 3), (1, 2, 2), [(0, 0), (1, 1), (1, 1)])
    for stage, (filters, blocks) in enumerate(zip(self.filters, self.blocks, strict=True)):
      for number in range(blocks):
        stride = 2 if stage and not number else 1
        x = FrameBlock(filters, stride, self.dtype, name=f'stage{stage + 1}_block{number + 1}')(x, train, mask)
    x = x.mean(axis=(2, 3))
    for number in range(self.layers):
      block = TemporalBlock(self.hidden, self.kernels, 2**number, self.dropout, self.dtype, name=f'tcn{number + 1}')
      x = block(x, train, mask)
    return nn.Dense(1, dtype=jnp.float32, name='logit')(mean_over_time(x, mask))[:, 0]


class FrameBlock(nn.Module):
  """The basic block of a ResNet, for every frame: [B, T, H, W, C] -> [B, T, H', W', filters]."""

  filters: int
  stride: int = 1
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array, train: bool, mask: jax.Array | None) -> jax.Array:
    def conv(name: str, y: jax.Array, size: int, stride: int) -> jax.Array:
      plain = partial(
        nn.Conv, use_bias=False, dtype=self.dtype, kernel_init=he_fan_out, conv_general_dilated=conv_frames
      )
      y = plain(self.filters, (size, size), (stride, stride), [(size // 2, size // 2)] * 2, name=name)(y)
      return batch_norm(train, self.dtype, f'{name}_norm')(y, mask=along(mask, y))

    y = PRelu(self.dtype, name='prelu1')(conv('conv1', x, 3, self.stride))
    y = conv('conv2', y, 3, 1)
    if x.shape[-1] != self.filters or self.stride > 1:
      x = conv('shortcut', x, 1, self.stride)
    return PRelu(self.dtype, name='prelu2')(x + y)


class TemporalBlock(nn.Module):
  """Two rounds of convolutions over time with several kernels, side by side, beside a shortcut.

  [B, T, F] -> [B, T, len(kernels) * filters]
  """

  filters: int
  kernels: tuple[int, ...]
  dilation: int
  dropout: float
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array, train: bool, mask: jax.Array | None) -> jax.Array:
    y = x
    for number in (1, 2):
      y = hide_padding(y, mask)
      branches = [self.branch(f'conv{number}_{kernel}', y, kernel, train, mask) for kernel in self.kernels]
      y = jnp.concatenate(branches, axis=-1)
      y = nn.Dropout(self.dropout, deterministic=not train)(y)
    x = nn.Dense(y.shape[-1], dtype=self.dtype, name='shortcut')(x)
    return PRelu(self.dtype, name='prelu')(x + y)

  def branch(self, name: str, y: jax.Array, kernel: int, train: bool, mask: jax.Array | None) -> jax.Array:
    y = nn.Conv(self.filters, (kernel,), kernel_dilation=(self.dilation,), dtype=self.dtype, name=name)(y)
    y = batch_norm(train, self.dtype, f'{name}_norm')(y, mask=along(mask, y))
    return PRelu(self.dtype, name=f'{name}_prelu')(y)


class PRelu(nn.Module):
  """ReLU with a slope a channel below zero, 0.25 at first (He et al. 2015): [..., C]."""

  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    slope = self.param('slope', nn.initializers.constant(0.25), (x.shape[-1],)).astype(self.dtype)
    return jnp.where(x < 0, slope * x, x)


def to_gray(clips: jax.Array) -> jax.Array:
  """[B, T, H, W, 3] -> [B, T, H, W, 1]; gray clips stay as they are."""
  return clips if clips.shape[-1] == 1 else (clips * jnp.array(GRAY)).sum(axis=-1, keepdims=True)
