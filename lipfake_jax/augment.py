"""Augmentation of training clips on the device: one draw a clip, the same for all of its frames.

The paper's released code drew for every frame, which destroys the motion that the model should learn (PAPER section 6).
In: float clips in [0, 1]. Out: the same. Next stage: the model.
"""

import dataclasses

import jax
import jax.numpy as jnp


@dataclasses.dataclass(frozen=True)
class Augmentation:
  """flip: probability of a horizontal mirror image. brightness: the largest amount added or taken, in [0, 1]."""

  flip: float = 0.5
  brightness: float = 0.1


def augment_clips(clips: jax.Array, key: jax.Array, first: jax.Array | int, spec: Augmentation) -> jax.Array:
  """Augments a batch.

  Args:
    clips: float [B, T, H, W, C] in [0, 1].
    key: the step's key.
    first: position of this device's first clip in the whole batch: a clip's draw depends on its place in the batch,
      not on how many devices share the work.
    spec: what to do.

  Returns:
    float [B, T, H, W, C] in [0, 1].
  """
  keys = jax.vmap(lambda position: jax.random.fold_in(key, position))(first + jnp.arange(clips.shape[0]))
  return jax.vmap(lambda clip, clip_key: _augment_clip(clip, clip_key, spec))(clips, keys)


def _augment_clip(clip: jax.Array, key: jax.Array, spec: Augmentation) -> jax.Array:
  flip_key, brightness_key = jax.random.split(key)
  clip = jnp.where(jax.random.bernoulli(flip_key, spec.flip), clip[:, :, ::-1], clip)
  delta = jax.random.uniform(brightness_key, minval=-spec.brightness, maxval=spec.brightness)
  return jnp.clip(clip + delta, 0, 1)
