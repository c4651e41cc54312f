"""Augmentation of training clips on the device: one draw a clip, the same for all of its frames.

The paper's released code drew for every frame, which destroys the motion that the model should learn, and once for all
epochs, for validation data too (PAPER section 6). `per_frame`, `frozen` and `validation` do as it did.
In: float clips in [0, 1], or lips. Out: the same. Next stage: the model.
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from lipfake_jax.clips.features.sound import ROWS
from lipfake_jax.clips.regions import LIP_MIRROR
from lipfake_jax.clips.spectrum import BANDS
from lipfake_jax.core.errors import UserError

GRAY = (0.299, 0.587, 0.114)  # BT.601


@dataclasses.dataclass(frozen=True)
class Augmentation:
  """What is drawn for a clip; at 0 nothing is. The paper has `flip` and `brightness`.

  Lips have no pixels: of all these, `flip`, `drop` and `reverse` act on them. Sound stays as it is.

  Attributes:
    flip: probability of a horizontal mirror image.
    brightness: largest amount added or taken, as a share of the full range.
    contrast: largest change of the distance from the clip's mean, as a share of it.
    saturation: largest change of the distance from gray, as a share of it.
    noise: largest standard deviation of Gaussian noise, as a share of the full range; new in each frame.
    blur: largest standard deviation of a Gaussian blur, in pixels.
    shift: largest way in each direction, as a share of the side; edges are repeated.
    scale: largest change of size, as a share of it.
    drop: probability for each frame but the first that it was lost, and the one before it is seen again.
    reverse: probability that time runs backwards.
    per_frame: each frame has a draw of its own, as if it were a clip.
    frozen: a clip has the same draw in every epoch.
    validation: validation clips are augmented too.

  Raises:
    UserError: `drop` or `reverse`, which are of a clip, together with `per_frame`.
  """

  flip: float = 0.5
  brightness: float = 0.1
  contrast: float = 0.0
  saturation: float = 0.0
  noise: float = 0.0
  blur: float = 0.0
  shift: float = 0.0
  scale: float = 0.0
  drop: float = 0.0
  reverse: float = 0.0
  per_frame: bool = False
  frozen: bool = False
  validation: bool = False

  def __post_init__(self):
    if self.per_frame and (self.drop or self.reverse):
      raise UserError(
        f'augment.per_frame with augment.drop={self.drop}, augment.reverse={self.reverse}: a frame by itself has no'
        ' time to change; set these to 0'
      )


# A setting of each alone that shows what it does; `lipfake inspect VIDEO --augment` draws it.
EXAMPLES = {
  'flip': 1.0, 'brightness': 0.2, 'contrast': 0.5, 'saturation': 0.8, 'noise': 0.1, 'blur': 2.0, 'shift': 0.15,
  'scale': 0.3, 'drop': 0.5, 'reverse': 1.0,
}  # fmt: skip


def augment_clips(clips: jax.Array, key: jax.Array, places: jax.Array, spec: Augmentation) -> jax.Array:
  """Augments a batch.

  Args:
    clips: float [B, T, H, W, C] in [0, 1], lips float [B, T, K, 2], or sound float [B, T, ROWS, BANDS].
    key: of the draws.
    places: int [B], with which the key is folded, one for each clip: its place in the whole batch, or in the dataset
      where draws are frozen. Neither depends on how many devices share the work.
    spec: what to do.

  Returns:
    The same.
  """
  if clips.shape[2:] == (ROWS, BANDS):
    return clips
  augment = augment_lips if clips.ndim == 4 else augment_clip
  keys = jax.vmap(lambda place: jax.random.fold_in(key, place))(places)
  if spec.per_frame:  # frames as clips of one, [B T, 1, ...]
    frames = clips.reshape(-1, 1, *clips.shape[2:])
    frame_keys = jax.vmap(lambda clip_key: jax.random.split(clip_key, clips.shape[1]))(keys).ravel()
    return jax.vmap(lambda frame, frame_key: augment(frame, frame_key, spec))(frames, frame_keys).reshape(clips.shape)
  return jax.vmap(lambda clip, clip_key: augment(clip, clip_key, spec))(clips, keys)


def augment_clip(clip: jax.Array, key: jax.Array, spec: Augmentation) -> jax.Array:
  """float [T, H, W, C] in [0, 1] -> the same, by one draw."""
  flip_key, brightness_key = jax.random.split(key)
  time_key, space_key, colour_key, noise_key = (jax.random.fold_in(key, stream) for stream in range(2, 6))
  clip = _change_times(clip, time_key, spec)
  clip = jnp.where(jax.random.bernoulli(flip_key, spec.flip), clip[:, :, ::-1], clip)
  clip = _change_place(clip, space_key, spec)
  clip = _change_colours(clip, colour_key, spec)
  clip = clip + _draw(brightness_key, spec.brightness)
  if spec.noise:
    strength_key, field_key = jax.random.split(noise_key)
    strength = jax.random.uniform(strength_key, maxval=spec.noise)
    clip = clip + strength * jax.random.normal(field_key, clip.shape, clip.dtype)
  return jnp.clip(clip, 0, 1)


def augment_lips(lips: jax.Array, key: jax.Array, spec: Augmentation) -> jax.Array:
  """float [T, K, 2] -> the same, by one draw, which mirrors and changes times as `augment_clip` would."""
  flip_key, _ = jax.random.split(key)
  lips = _change_times(lips, jax.random.fold_in(key, 2), spec)
  return jnp.where(jax.random.bernoulli(flip_key, spec.flip), mirror_lips(lips), lips)


def mirror_lips(lips: jax.Array) -> jax.Array:
  """Lips of the mirror image, float [..., K, 2]: about the head's middle, where x is 0."""
  return lips[..., np.array(LIP_MIRROR), :] * jnp.array((-1, 1), lips.dtype)


def _draw(key: jax.Array, largest: float) -> jax.Array:
  return jax.random.uniform(key, minval=-largest, maxval=largest)


def _change_times(clip: jax.Array, key: jax.Array, spec: Augmentation) -> jax.Array:
  drop_key, reverse_key = jax.random.split(key)
  if spec.reverse:
    clip = jnp.where(jax.random.bernoulli(reverse_key, spec.reverse), clip[::-1], clip)
  if spec.drop:
    seen = jax.random.bernoulli(drop_key, 1 - spec.drop, clip.shape[:1]).at[0].set(True)
    last_seen = jax.lax.cummax(jnp.where(seen, jnp.arange(len(seen)), 0))
    clip = clip[last_seen]
  return clip


def _change_place(clip: jax.Array, key: jax.Array, spec: Augmentation) -> jax.Array:
  """Shift, scale and blur, along rows and columns apart, as two matrix products."""
  if not (spec.shift or spec.scale or spec.blur):
    return clip
  scale_key, blur_key, *shift_keys = jax.random.split(key, 4)
  scale = 1 + _draw(scale_key, spec.scale)
  sigma = jax.random.uniform(blur_key, maxval=spec.blur)
  rows, columns = (
    _blur_matrix(size, sigma) @ _resample_matrix(size, scale, _draw(shift_key, spec.shift) * size)
    for size, shift_key in zip(clip.shape[1:3], shift_keys, strict=True)
  )
  return jnp.einsum('hy,tyxc,wx->thwc', rows, clip, columns)


def _resample_matrix(size: int, scale: jax.Array, shift: jax.Array) -> jax.Array:
  """[size, size]: linear interpolation at the place that each pixel comes from; beyond the edge is the edge."""
  pixels, middle = jnp.arange(size, dtype=jnp.float32), (size - 1) / 2
  source = jnp.clip((pixels - middle - shift) / scale + middle, 0, size - 1)
  return jnp.maximum(0, 1 - jnp.abs(source[:, None] - pixels))


def _blur_matrix(size: int, sigma: jax.Array) -> jax.Array:
  """[size, size]: Gaussian weights, each row of sum 1."""
  pixels = jnp.arange(size, dtype=jnp.float32)
  return jax.nn.softmax(-0.5 * jnp.square((pixels[:, None] - pixels) / jnp.maximum(sigma, 1e-3)), axis=1)


def _change_colours(clip: jax.Array, key: jax.Array, spec: Augmentation) -> jax.Array:
  contrast_key, saturation_key = jax.random.split(key)
  if spec.contrast:
    mean = clip.mean()
    clip = mean + (1 + _draw(contrast_key, spec.contrast)) * (clip - mean)
  if spec.saturation:
    gray = (clip @ jnp.array(GRAY, clip.dtype))[..., None]
    clip = gray + (1 + _draw(saturation_key, spec.saturation)) * (clip - gray)
  return clip
