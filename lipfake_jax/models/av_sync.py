"""Two towers that know whether a mouth makes the sound that is heard, learnt from real videos alone.

After SyncNet (Chung and Zisserman 2016, 'Out of Time: Automated Lip Sync in the Wild'): five frames of the lips and the
0.2 s of sound beside them are each encoded, and lie close together where they belong together. Ours: a cosine in place
of the distance and InfoNCE in place of its margin (van den Oord et al. 2018), as its successors have it; layers that
train on two CPU cores; what is the same in all frames of a clip (the person, the light, the microphone) is taken out
first, so that only what changes is compared. Looks are pixels, or the lips' landmarks.

    [B, T, S, S, 3] -> gray, less the clip's mean -> P windows of 5 -> 4 convolutions -> dense 128 -+- cosines
    [B, T, 4, M]    -> less the clip's mean       -> P windows of 20 -> 3 convolutions -> dense 128 -+

627,425 parameters on 64x64 pixels and 64 bands of sound, 548,721 on 64 landmarks.
"""

from collections.abc import Sequence
from typing import ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp

GRAY = (0.299, 0.587, 0.114)  # BT.601
GROUPS = 8  # of each normalization
FIRST_TEMPERATURE = 0.07  # what cosines are divided by in the loss; learnt from there on


class AvSync(nn.Module):
  """Looks float [B, T, S, S, 3] in [0, 1] or [B, T, K, 2], and log-mel [B, T, R, M] -> embeddings of P windows.

  Attributes:
    look: what is seen: 'clip' (pixels) or 'lips' (landmarks), a feature's name.
    window: frames in a window.
    filters: of each convolution of the pixels; all halve height and width.
    sound_filters: of each convolution of the sound; all halve the bands, all but the first time.
    units: of the hidden layer of landmarks.
    width: of the embeddings, E.
    dtype: of the computation; embeddings are float32.
  """

  look: str = 'clip'
  window: int = 5
  filters: tuple[int, ...] = (16, 32, 64, 96)
  sound_filters: tuple[int, ...] = (16, 32, 64)
  units: int = 256
  width: int = 128
  dtype: jnp.dtype = jnp.float32

  objective: ClassVar[str] = 'moments'
  source: ClassVar[str] = 'SyncNet (Chung and Zisserman 2016)'

  @property
  def inputs(self) -> tuple[str, str]:
    """The features that it takes."""
    return self.look, 'sound'

  @nn.compact
  def __call__(self, looks: jax.Array, sound: jax.Array, starts: jax.Array | None = None) -> dict[str, jax.Array]:
    """Embeds windows of both.

    Args:
      looks: as above.
      sound: R rows of M bands a frame.
      starts: int [P], the first frames of the windows, the same in all clips; None takes every one.

    Returns:
      'look' and 'sound', float32 [B, P, E] of length 1, and 'scale', what their cosines are multiplied by in the loss.
    """
    starts = jnp.arange(looks.shape[1] - self.window + 1) if starts is None else starts
    seen = cut_windows(center_look(looks), starts, self.window)
    heard = cut_windows(standardize(sound, (1, 2)), starts, self.window)
    log_scale = self.param('log_scale', nn.initializers.constant(-jnp.log(FIRST_TEMPERATURE)), ())
    return {
      'look': self.embed('look', self.see(seen.astype(self.dtype))),
      'sound': self.embed('sound', self.hear(heard.astype(self.dtype))),
      'scale': jnp.exp(jnp.minimum(log_scale, jnp.log(100.0))),
    }

  def see(self, seen: jax.Array) -> jax.Array:
    """[B, P, W, S, S] or [B, P, W, K, 2] -> [B, P, F]."""
    batch, count = seen.shape[:2]
    if self.look == 'lips':
      x = nn.Dense(self.units, dtype=self.dtype, name='look_lips')(seen.reshape(batch, count, -1))
      return nn.relu(nn.LayerNorm(dtype=self.dtype, name='look_norm')(x))
    x = jnp.moveaxis(seen.reshape(-1, *seen.shape[2:]), 1, -1)  # the window's frames are the colours
    x = self.convolve('look', x, self.filters, [(2, 2)] * len(self.filters))
    return x.reshape(batch, count, -1)

  def hear(self, heard: jax.Array) -> jax.Array:
    """[B, P, W, R, M] -> [B, P, F]."""
    batch, count, *_, bands = heard.shape
    strides = [(1, 2), *[(2, 2)] * (len(self.sound_filters) - 1)]
    x = self.convolve('sound', heard.reshape(batch * count, -1, bands, 1), self.sound_filters, strides)
    return x.reshape(batch, count, -1)

  def convolve(self, name: str, x: jax.Array, filters: Sequence[int], strides: Sequence[tuple[int, int]]) -> jax.Array:
    """[N, H, W, C] -> [N, H', W', filters[-1]]."""
    for number, (count, stride) in enumerate(zip(filters, strides, strict=True), 1):
      x = nn.Conv(count, (3, 3), stride, use_bias=False, dtype=self.dtype, name=f'{name}_conv{number}')(x)
      x = nn.relu(nn.GroupNorm(min(GROUPS, count), dtype=self.dtype, name=f'{name}_norm{number}')(x))
    return x

  def embed(self, name: str, x: jax.Array) -> jax.Array:
    """[B, P, F] -> float32 [B, P, E] of length 1."""
    return normalize(nn.Dense(self.width, dtype=jnp.float32, name=f'{name}_embedding')(x.astype(jnp.float32)))


def center_look(looks: jax.Array) -> jax.Array:
  """What changes in a clip, in units of its size: [B, T, S, S, 3] -> [B, T, S, S], or [B, T, K, 2] -> the same."""
  if looks.ndim == 5:
    looks = looks @ jnp.array(GRAY, looks.dtype)
  return standardize(looks, (1,), looks.ndim)


def standardize(x: jax.Array, axes: tuple[int, ...], spread_axes: int | None = None) -> jax.Array:
  """Less its mean over some axes, over its deviation from it: over the same axes, or over all from 1 to before one."""
  x = x.astype(jnp.float32)
  x -= x.mean(axes, keepdims=True)
  over = axes if spread_axes is None else tuple(range(1, spread_axes))
  return x / jnp.sqrt(jnp.square(x).mean(over, keepdims=True) + 1e-6)


def cut_windows(x: jax.Array, starts: jax.Array, length: int) -> jax.Array:
  """[B, T, ...] -> [B, P, length, ...], from each of the starts, int [P]."""
  return x[:, starts[:, None] + jnp.arange(length)]


def normalize(x: jax.Array) -> jax.Array:
  """Vectors along the last axis, made of length 1."""
  return x * jax.lax.rsqrt(jnp.square(x).sum(-1, keepdims=True) + 1e-12)
