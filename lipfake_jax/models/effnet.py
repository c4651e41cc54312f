"""EfficientNet-Lite0 on the frames of a clip, and an LSTM over what it sees (Tan and Le 2019; Lite: 2020).

Batch statistics are folded into kernels and biases: what is trained is a plain network, which does the same in training
and in use. What the first three blocks lose is brought to the fourth beside them, by a 1x1 convolution that begins at
0: the frame's fine residual, and its difference from the frame before it. Patches say where a donor covers the frame.

    [B, T, S, S, 3] -> every `stride`-th frame -> stem: conv, 3 blocks -> S/4, 24 -+-> trunk: blocks to the 11th -> S/16
                       residual and difference -> S/4, 4x4 pixels as channels, 32 -+
    S/16, 112 -> neck 192 -> patch logits
           '--> blocks to the 16th -> S/32, 320 -> neck 192
    -> means of both necks, mean and maximum of the patches -> logits [B, T']

With `train.freeze='stem'` the first blocks, whose gradients take long, stay ImageNet's.
"""

from typing import ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp

from lipfake_jax.core.errors import UserError
from lipfake_jax.models.cnn_lstm import Lstm
from lipfake_jax.models.depthwise import add_bias, depthwise
from lipfake_jax.models.layers import mean_over_time

# Repeats, side of the kernel, stride, expansion, filters.
STAGES = (
  (1, 3, 1, 1, 16),
  (2, 3, 2, 6, 24),
  (2, 5, 2, 6, 40),
  (3, 3, 2, 6, 80),
  (3, 5, 1, 6, 112),
  (4, 5, 2, 6, 192),
  (1, 3, 1, 6, 320),
)
WIDTH = 32  # of the first convolution
STEM_BLOCKS = 3
CELL = 4  # pixels a side of one of the stem's features
# Both are small in the unit of the frames, which is 0 to 1.
RESIDUAL_GAIN = 8.0
DIFFERENCE_GAIN = 4.0
HEAD_GAIN = 10.0
GRAY = (0.299, 0.587, 0.114)  # BT.601

he_fan_out = nn.initializers.variance_scaling(2.0, 'fan_out', 'normal')


def list_blocks() -> list[tuple[int, int, int, int]]:
  """Side of the kernel, stride, expansion and filters of each of the sixteen blocks."""
  return [
    (size, stride if first == 0 else 1, expansion, filters)
    for repeats, size, stride, expansion, filters in STAGES
    for first in range(repeats)
  ]


class Pointwise(nn.Module):
  """A 1x1 convolution with a bias: [..., C] -> [..., filters]."""

  filters: int
  dtype: jnp.dtype = jnp.float32
  kernel_init: nn.initializers.Initializer = nn.initializers.he_normal()

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    kernel = self.param('kernel', self.kernel_init, (x.shape[-1], self.filters)).astype(self.dtype)
    bias = self.param('bias', nn.initializers.zeros, (self.filters,)).astype(self.dtype)
    y = x.reshape(-1, x.shape[-1]) @ kernel
    return add_bias(y.reshape(*x.shape[:-1], -1), bias)


class Logit(nn.Module):
  """A dense layer to one logit that learns as fast as if its rate were HEAD_GAIN times that of the rest: [..., F].

  The rest was trained before, and this begins at nothing: with AdamW a step changes every weight by as much.
  """

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    kernel = self.param('kernel', nn.initializers.normal(0.001), (x.shape[-1],))
    return HEAD_GAIN * (x @ kernel + self.param('bias', nn.initializers.zeros, ()))


class Block(nn.Module):
  """Expansion, depthwise convolution, projection; the input is added where it has the same shape: [N, H, W, C]."""

  size: int
  stride: int
  expansion: int
  filters: int
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    y, wide = x, x.shape[-1] * self.expansion
    if self.expansion > 1:
      y = nn.relu6(Pointwise(wide, self.dtype, name='expand')(y))
    kernel = self.param('kernel', he_fan_out, (self.size, self.size, wide)).astype(self.dtype)
    bias = self.param('bias', nn.initializers.zeros, (wide,)).astype(self.dtype)
    y = nn.relu6(add_bias(depthwise(y, kernel, self.stride), bias))
    y = Pointwise(self.filters, self.dtype, name='project')(y)
    return x + y if x.shape == y.shape else y


class Lite0(nn.Module):
  """Blocks `first` to `last` - 1 of EfficientNet-Lite0, from [N, H, W, C]; before block 0, its first convolution."""

  first: int
  last: int
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    x = x.astype(self.dtype)
    if self.first == 0:
      kernel = self.param('kernel', he_fan_out, (3, 3, x.shape[-1], WIDTH)).astype(self.dtype)
      bias = self.param('bias', nn.initializers.zeros, (WIDTH,)).astype(self.dtype)
      numbers = ('NHWC', 'HWIO', 'NHWC')
      x = jax.lax.conv_general_dilated(x, kernel, (2, 2), 'SAME', dimension_numbers=numbers)
      x = nn.relu6(add_bias(x, bias))
    for number, block in enumerate(list_blocks()[self.first : self.last], self.first):
      x = Block(*block, self.dtype, name=f'block{number}')(x)
    return x


class Trunk(nn.Module):
  """From the stem's features and what stands beside them, [N, H, W, .], to features [N, F] and patch logits [N, G, G].

  On 1/4 of the frame's side; G is 1/16 of it.
  """

  blocks: int
  depth: int
  neck: int
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array, beside: jax.Array) -> tuple[jax.Array, jax.Array]:
    x += Pointwise(x.shape[-1], self.dtype, nn.initializers.zeros, name='beside')(beside)
    x = Lite0(STEM_BLOCKS, self.blocks, self.dtype, name='lite0')(x)
    seen = nn.relu6(Pointwise(self.neck, self.dtype, name='neck')(x)).astype(jnp.float32)
    patches = Logit(name='patch')(seen)
    flat = patches.reshape(x.shape[0], -1)
    features = [seen.mean((1, 2)), flat.mean(-1)[:, None], flat.max(-1)[:, None]]
    if self.depth > self.blocks:
      x = Lite0(self.blocks, self.depth, self.dtype, name='top')(x)
      x = nn.relu6(Pointwise(self.neck, self.dtype, name='top_neck')(x)).astype(jnp.float32)
      features.append(x.mean((1, 2)))
    return jnp.concatenate(features, axis=-1), patches


class EffnetFrames(nn.Module):
  """Clips float [B, T, H, W, C] in [0, 1] -> logits float32 [B, T'], one a frame that is encoded.

  Attributes:
    blocks: how many of EfficientNet-Lite0's stand before the patches.
    depth: how many of them there are in all, at most sixteen.
    neck: channels of the patches.
    stride: every which frame is encoded; each with its difference from the one before.
    dropout: before the last layer.
    dtype: of the computation; pooling and the last layers are float32.
  """

  blocks: int = 11
  depth: int = 16
  neck: int = 192
  stride: int = 2
  dropout: float = 0.3
  dtype: jnp.dtype = jnp.float32

  input: ClassVar[str] = 'clip'
  l2_kernels: ClassVar[tuple[tuple[str, ...], ...]] = ()
  input_shape: ClassVar[tuple[int, ...]] = (16, 128, 128, 3)
  n_params: ClassVar[int] = 3_023_820
  source: ClassVar[str] = 'EfficientNet-Lite0 (Tan and Le 2019)'

  @nn.compact
  def __call__(self, clips: jax.Array, train: bool = False, mask: jax.Array | None = None) -> jax.Array:
    del mask
    features, patches = encode_clips(clips, self.blocks, self.depth, self.neck, self.stride, self.dtype)
    self.sow('patches', 'logits', patches)
    features = nn.Dropout(self.dropout, deterministic=not train)(features)
    return Logit(name='logit')(features)


class EffnetLstm(nn.Module):
  """The same encoder under an LSTM: clips float [B, T, H, W, C] in [0, 1] -> logits float32 [B].

  Attributes: as `EffnetFrames`, and the LSTM's `units` and `lstm_dropout`.
  """

  blocks: int = 11
  depth: int = 16
  neck: int = 192
  stride: int = 2
  units: int = 32
  lstm_dropout: float = 0.3
  dropout: float = 0.3
  dtype: jnp.dtype = jnp.float32

  input: ClassVar[str] = 'clip'
  l2_kernels: ClassVar[tuple[tuple[str, ...], ...]] = ()
  input_shape: ClassVar[tuple[int, ...]] = (16, 128, 128, 3)
  n_params: ClassVar[int] = 3_077_484
  source: ClassVar[str] = 'EfficientNet-Lite0 (Tan and Le 2019)'

  @nn.compact
  def __call__(self, clips: jax.Array, train: bool = False, mask: jax.Array | None = None) -> jax.Array:
    features, patches = encode_clips(clips, self.blocks, self.depth, self.neck, self.stride, self.dtype)
    self.sow('patches', 'logits', patches)
    real = None if mask is None else mask[:, 1 :: self.stride]
    last = Lstm(self.units, self.lstm_dropout, self.lstm_dropout, name='lstm')(features, train, real)
    pooled = jnp.concatenate([last, mean_over_time(features, real)], axis=-1)
    pooled = nn.Dropout(self.dropout, deterministic=not train)(pooled)
    return Logit(name='logit')(pooled)


def encode_clips(clips: jax.Array, blocks: int, depth: int, neck: int, stride: int, dtype: jnp.dtype):
  """Adds stem and trunk to the calling module: [B, T, S, S, 3] -> [B, T', F] and [B, T', S / 16, S / 16].

  The second frame is encoded, and every `stride`-th after it; of a clip of one frame that one, without a difference.
  """
  if clips.shape[2] % CELL or clips.shape[3] % CELL:
    raise UserError(f'effnet: frames of {clips.shape[2]}x{clips.shape[3]} pixels: choose a multiple of {CELL}')
  before, frames = clips[:, :-1:stride], clips[:, 1::stride]
  if clips.shape[1] == 1:
    before = frames = clips
  batch, times, *shape = frames.shape
  before, frames = (x.reshape(batch * times, *shape) for x in (before[:, :times], frames))
  x = Lite0(0, STEM_BLOCKS, dtype, name='stem')(2 * frames - 1)
  features, patches = Trunk(blocks, depth, neck, dtype, name='trunk')(x, look_beside(frames, before))
  return features.reshape(batch, times, -1), patches.reshape(batch, times, *patches.shape[1:])


def look_beside(frames: jax.Array, before: jax.Array) -> jax.Array:
  """Fine residual and difference of the luminance, of 4x4 pixels each: [N, S, S, 3] twice -> [N, S / 4, S / 4, 32]."""
  gray, earlier = (x @ jnp.array(GRAY, x.dtype) for x in (frames, before))
  padded = jnp.pad(gray, ((0, 0), (1, 1), (1, 1)), 'edge')
  smooth = (padded[:, :-2, 1:-1] + padded[:, 2:, 1:-1] + padded[:, 1:-1, :-2] + padded[:, 1:-1, 2:]) / 4
  both = jnp.stack([RESIDUAL_GAIN * (gray - smooth), DIFFERENCE_GAIN * (gray - earlier)], axis=-1)
  count, height, width, channels = both.shape
  cells = jnp.clip(both, -1, 1).reshape(count, height // CELL, CELL, width // CELL, CELL, channels)
  return cells.transpose(0, 1, 3, 2, 4, 5).reshape(count, height // CELL, width // CELL, CELL**2 * channels)
