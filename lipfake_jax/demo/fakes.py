"""The mouths of the demo's fakes: three ways in which lip fakes go wrong, blended into the frames of a real video.

In: a real video's frames, and where the head is in each. Out: the same frames with another mouth. Next stage:
`demo_videos` encodes them.
"""

import cv2
import numpy as np

from lipfake_jax.demo import face

METHODS = ('resynth', 'jitter', 'paste')

# How strong the fakes are. Each must show in a lip crop of 64x64, about 1.5 mouth widths wide.
PATCH_TINT = (0.8, 0.88, 0.96)  # the skin of every fake's mouth is too cool and dark: red, green and blue gains
RESYNTH_SHRINK = 4.0  # the mouth is synthesised with this many times fewer pixels a side ...
RESYNTH_FLICKER = 0.05  # ... each frame anew, with this much (standard deviation) change of brightness ...
RESYNTH_CONTRAST = 0.85  # ... and less contrast
JITTER_FRAMES = 4  # a mouth is from up to this many frames before or after ...
JITTER_SHIFT = 0.08  # ... and displaced by this many half mouth widths (standard deviation)
PASTE_FRAMES = (8, 20)  # for how long a mouth stays frozen
PASTE_SHIFT = 0.07  # ... how far it is misplaced, in half mouth widths (standard deviation) ...
PASTE_LIGHT = 0.05  # and how far each of its colours is off (standard deviation)
PATCH_REACH = (1.35, 1.1)  # half axes of the replaced ellipse, in half mouth widths ...
PATCH_MIDDLE = 0.25  # ... how far below the lips it lies ...
PATCH_SOFTNESS = 0.2  # ... and how much of it is the seam


def fake_mouth(frames: np.ndarray, poses: np.ndarray, method: str, rng: np.random.Generator) -> np.ndarray:
  """Replaces the mouth.

  Args:
    frames: RGB uint8 [frames, size, size, 3].
    poses: float32 [frames, 4], where the mouth is: rows of `demo_face.move_head`.
    method: one of METHODS.
    rng: decides how the mouths go wrong.

  Returns:
    RGB uint8 [frames, size, size, 3], the same as `frames` outside of a soft-edged patch around the mouth.
  """
  n_frames, size = frames.shape[:2]
  sources, shifts, gains = _plan_fake(poses, method, rng)
  faked = frames.copy()
  for i in range(n_frames):
    x0, y0, x1, y1 = box = face.box_around(poses[i], (-1.6, -1.2, 1.6, 1.7), size)
    # What lies at (x, y) in the patch is found at (x, y) + shift in the source.
    matrix = np.array([[1, 0, x0 + shifts[i, 0]], [0, 1, y0 + shifts[i, 1]]], np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    patch = cv2.warpAffine(frames[sources[i]], matrix, (x1 - x0, y1 - y0), None, flags, cv2.BORDER_REFLECT)
    if method == 'resynth':
      patch = _synthesise(patch)
    mask, window = _patch_mask(poses[i], box), np.s_[i, y0:y1, x0:x1]
    mixed = frames[window] + mask * (patch * (gains[i] * PATCH_TINT) - frames[window])
    faked[window] = np.clip(mixed + 0.5, 0, 255).astype(np.uint8)
  return faked


def mask_mouth(pose: np.ndarray, size: int) -> np.ndarray:
  """Where the mouth of one pose is replaced in a frame of `size`: float32 [size, size], 1 within, 0 outside."""
  return _patch_mask(pose, (0, 0, size, size))[..., 0]


def _plan_fake(poses: np.ndarray, method: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """For each frame, the one its mouth is from, the shift to where it lies there (x, y in pixels), and its RGB gain."""
  n_frames, moments = len(poses), np.arange(len(poses))
  unit, gains = poses[0, 2], np.ones((len(poses), 3))
  if method == 'resynth':
    return moments, np.zeros((n_frames, 2)), gains + rng.normal(0, RESYNTH_FLICKER, (n_frames, 1))
  if method == 'jitter':
    sources = np.clip(moments + rng.integers(-JITTER_FRAMES, JITTER_FRAMES + 1, n_frames), 0, n_frames - 1)
    shifts = poses[sources, :2] - poses[:, :2] + rng.normal(0, JITTER_SHIFT * unit, (n_frames, 2))
    return sources, shifts, gains
  starts = np.cumsum(rng.integers(PASTE_FRAMES[0], PASTE_FRAMES[1] + 1, n_frames))
  stretch = np.searchsorted(starts, moments, side='right')
  begins = np.concatenate([[0], starts])[stretch]
  sources = rng.integers(0, n_frames, n_frames)[stretch]
  misplaced = rng.normal(0, PASTE_SHIFT * unit, (n_frames, 2))[stretch]
  gains = gains + rng.normal(0, PASTE_LIGHT, (n_frames, 3))[stretch]
  # It stays where the mouth was when the stretch began, so the face slides away from beneath it.
  return sources, poses[sources, :2] - poses[begins, :2] + misplaced, gains


def _synthesise(patch: np.ndarray) -> np.ndarray:
  """A mouth as from a network of low resolution: float RGB [h, w, 3] without detail, noise and some contrast."""
  height, width = patch.shape[:2]
  small = cv2.resize(patch, None, fx=1 / RESYNTH_SHRINK, fy=1 / RESYNTH_SHRINK, interpolation=cv2.INTER_AREA)
  blurred = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
  mean = blurred.mean((0, 1))
  return np.clip(mean + RESYNTH_CONTRAST * (blurred - mean), 0, 255)


def _patch_mask(pose: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
  """float32 [h, w, 1]: 1 where the mouth is replaced, 0 where the face stays."""
  u, v = face.mouth_frame(pose, box)
  radius = np.hypot(u / PATCH_REACH[0], (v - PATCH_MIDDLE) / PATCH_REACH[1])
  return np.clip((1 - radius) / PATCH_SOFTNESS, 0, 1)[..., None].astype(np.float32)
