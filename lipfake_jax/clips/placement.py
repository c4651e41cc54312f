"""Where a square lies in a frame: as two complex numbers, so that turning, scaling and averaging are plain arithmetic.

A placement is complex128 [2]: the centre x + iy in pixels of the frame, and the vector from the centre to the middle of
the square's right side, whose length is half the side and whose angle is the square's turn.
In: a frame and a placement. Out: the pixels of that square, upright. Used by `landmarks` and `clips`.
"""

import cv2
import numpy as np

from lipfake_jax.clips.video import Frame


def cut(frame: Frame, placement: np.ndarray, size: int, average: bool = True) -> np.ndarray:
  """Cuts a square out of a frame, turns it upright and scales it, at sub-pixel precision (rounding shakes a crop).

  Args:
    frame: of H x W pixels.
    placement: complex128 [2]; outside of the frame its border pixels are repeated.
    size: side of the result in pixels.
    average: of a larger square, average all pixels. Otherwise they are sampled, as MediaPipe does.

  Returns:
    RGB uint8 [size, size, 3]; smaller squares are interpolated linearly.
  """
  height, width = frame.luma.shape
  crops = []
  for plane in frame.planes:
    scale = (plane.shape[1] / width, plane.shape[0] / height)
    # Sampled colour of half the resolution is cut at half the size: a quarter of the work, for the same pixels.
    side = size // 2 if max(scale) < 0.6 and not average else size
    crop = cut_plane(plane, placement, side, average, scale)
    crops.append(crop if side == size else cv2.resize(crop, (size, size), interpolation=cv2.INTER_LINEAR))
  return cv2.transform(cv2.merge(crops), frame.to_rgb)


def cut_plane(
  plane: np.ndarray, placement: np.ndarray, size: int, average: bool = True, scale: tuple[float, float] = (1, 1)
) -> np.ndarray:
  """`cut` of one plane, uint8 [H', W'] -> uint8 [size, size]; scale: its columns and rows to a pixel of the frame."""
  x_scale, y_scale = scale
  centre, half = complex(placement[0]), complex(placement[1])
  # Source pixels to a pixel of the result: all are sampled, then averaged; 16 of them say enough.
  fold = min(max(1, round(2 * abs(half) * max(scale) / size)), 16) if average else 1
  step = 2 * half / (size * fold)  # in the frame, from one sample to the next on its right
  corner = centre + (step / 2 - half) * (1 + 1j)  # of the first sample; pixel i covers [i, i + 1)
  matrix = np.array(
    [
      [step.real * x_scale, -step.imag * x_scale, corner.real * x_scale - 0.5],
      [step.imag * y_scale, step.real * y_scale, corner.imag * y_scale - 0.5],
    ]
  )
  flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
  crop = cv2.warpAffine(plane, matrix, (size * fold, size * fold), flags=flags, borderMode=cv2.BORDER_REPLICATE)
  return cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA) if fold > 1 else crop


def to_box(placement: np.ndarray) -> np.ndarray:
  """float32 [..., 4]: left, top, right and bottom of the squares before their turn; complex128 [..., 2] in."""
  centre, half = placement[..., 0], np.abs(placement[..., 1])
  sides = [centre.real - half, centre.imag - half, centre.real + half, centre.imag + half]
  return np.stack(sides, axis=-1).astype(np.float32)


def move_into(placement: np.ndarray, square: np.ndarray, size: int) -> np.ndarray:
  """A placement in the frame as one in what `cut` makes of a square: complex128 [2] twice -> complex128 [2]."""
  centre, half = (placement - [square[0], 0]) / square[1]
  return np.array([centre + 1 + 1j, half]) * size / 2


def to_points(placement: np.ndarray, unit: np.ndarray) -> np.ndarray:
  """Maps points of the square, (x, y) from -1 to 1, to pixels of the frame: [N, 2] -> float64 [N, 2]."""
  mapped = placement[0] + placement[1] * (unit[:, 0] + 1j * unit[:, 1])
  return np.stack([mapped.real, mapped.imag], axis=-1)
