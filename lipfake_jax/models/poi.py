"""Two towers that know a person by the way they move and by their voice, learnt from real videos alone.

POI-Forensics (Cozzolino et al. 2023, 'Audio-Visual Person-of-Interest DeepFake Detection'): 3 s of a face at 25 frames
per second, of which every third frame is taken and its colours stacked, and the 3 s of sound, each through a ResNet-50
(He et al. 2016) with group normalization (Wu and He 2018) to 256 numbers. Of one person they lie together.
Ours: log-mel bands in place of the spectrogram's 257 bins; they come from the same transform of 512 points, windows of
25 ms every 10 ms, and leave the number of parameters as it is. Embeddings have length 1.

    [B, 75, S, S, 3] -> every third frame, as channels [B, S, S, 75] -> ResNet -> mean -> dense 256
    [B, T, 4, M]                             -> [B, 4 T, M, 1]       -> ResNet -> mean -> dense 256

48,284,672 parameters: 24,258,368 see and 24,026,304 hear.
"""

from functools import partial
from typing import ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp

from lipfake_jax.models.av_sync import normalize, standardize
from lipfake_jax.models.layers import he_fan_out

EXPANSION = 4  # a stage's channels over its filters
GROUPS = 32  # of each normalization, or as many as there are channels


class Poi(nn.Module):
  """Faces float [B, T, S, S, 3] in [0, 1] and log-mel [B, T, R, M] -> an embedding of each.

  Attributes:
    step: every step-th frame is seen.
    stem: filters of the first convolution.
    filters: of each stage; all but the first halve height and width.
    blocks: of each stage.
    width: of the embeddings, E.
    dtype: of the computation; embeddings are float32.
  """

  step: int = 3
  stem: int = 64
  filters: tuple[int, ...] = (64, 128, 256, 512)
  blocks: tuple[int, ...] = (3, 4, 6, 3)
  width: int = 256
  dtype: jnp.dtype = jnp.float32

  inputs: ClassVar[tuple[str, str]] = ('clip', 'sound')
  objective: ClassVar[str] = 'people'
  source: ClassVar[str] = 'POI-Forensics (Cozzolino et al. 2023)'

  @nn.compact
  def __call__(self, looks: jax.Array, sound: jax.Array) -> dict[str, jax.Array]:
    """'look' and 'sound', float32 [B, E] of length 1."""
    frames = looks[:, :: self.step]
    stacked = jnp.moveaxis(frames, 1, 3).reshape(*frames.shape[:1], *frames.shape[2:4], -1)
    spectrum = standardize(sound, (1, 2, 3)).reshape(len(sound), -1, sound.shape[-1], 1)
    towers = {'look': 2 * stacked - 1, 'sound': spectrum}
    return {name: self.tower(name)(x.astype(self.dtype)) for name, x in towers.items()}

  def tower(self, name: str) -> nn.Module:
    return ResNet(self.stem, self.filters, self.blocks, self.width, self.dtype, name=name)


class ResNet(nn.Module):
  """The bottleneck network of He et al. 2016 with group normalization: [B, H, W, C] -> [B, width] of length 1."""

  stem: int
  filters: tuple[int, ...]
  blocks: tuple[int, ...]
  width: int
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    x = conv_norm(x, self.stem, 7, 2, self.dtype, 'stem')
    x = nn.max_pool(nn.relu(x), (3, 3), (2, 2), [(1, 1), (1, 1)])
    for stage, (filters, blocks) in enumerate(zip(self.filters, self.blocks, strict=True), 1):
      for number in range(1, blocks + 1):
        stride = 2 if stage > 1 and number == 1 else 1
        x = Bottleneck(filters, stride, self.dtype, name=f'stage{stage}_block{number}')(x)
    x = x.astype(jnp.float32).mean((1, 2))
    return normalize(nn.Dense(self.width, dtype=jnp.float32, name='embedding')(x))


class Bottleneck(nn.Module):
  """1x1, 3x3 and 1x1 convolutions beside a shortcut: [B, H, W, C] -> [B, H', W', EXPANSION * filters]."""

  filters: int
  stride: int
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    y = nn.relu(conv_norm(x, self.filters, 1, 1, self.dtype, 'conv1'))
    y = nn.relu(conv_norm(y, self.filters, 3, self.stride, self.dtype, 'conv2'))
    y = conv_norm(y, EXPANSION * self.filters, 1, 1, self.dtype, 'conv3')
    if x.shape != y.shape:
      x = conv_norm(x, y.shape[-1], 1, self.stride, self.dtype, 'shortcut')
    return nn.relu(x + y)


def conv_norm(x: jax.Array, filters: int, size: int, stride: int, dtype: jnp.dtype, name: str) -> jax.Array:
  """Adds a convolution and its normalization to the calling module: [B, H, W, C] -> [B, H', W', filters]."""
  plain = partial(nn.Conv, use_bias=False, dtype=dtype, kernel_init=he_fan_out)
  y = plain(filters, (size, size), (stride, stride), [(size // 2, size // 2)] * 2, name=name)(x)
  return nn.GroupNorm(min(GROUPS, filters), dtype=dtype, name=f'{name}_norm')(y)
