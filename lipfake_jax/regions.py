"""Face and lip crops.

In: an RGB frame and its landmarks. Out: a square box in pixels of the frame, and the crop that it frames.
Next stage: `flow` measures how much the crop moves, `selection` picks frames by it.
"""

import cv2
import numpy as np

# The lip landmarks of PAPER section 3.3: corners (outer 61, 291, inner 78, 308), outer top and bottom (0, 17),
# inner top and bottom (13, 14).
LIPS = (61, 291, 0, 17, 13, 14, 78, 308)
REGIONS = ('lips', 'face')

# Side of the square box over the longer side of the landmarks' bounding box: room for the mouth to open, and for the
# rim of a pasted patch; for the face, forehead and chin that the mesh leaves out. Ours: the paper gives no margin.
MARGIN = {'lips': 1.5, 'face': 1.2}


def region_box(landmarks: np.ndarray, region: str) -> np.ndarray:
  """The square box around the lips or the face, as in the paper: from this frame's landmarks alone.

  Args:
    landmarks: float32 [468, 2], (x, y) in pixels.
    region: 'lips' or 'face'.

  Returns:
    float32 [4]: left, top, right, bottom in pixels; it may reach over the frame's border.

  Raises:
    ValueError: an unknown region.
  """
  if region not in REGIONS:
    raise ValueError(f'region {region!r}: known are {", ".join(REGIONS)}')
  points = landmarks[list(LIPS)] if region == 'lips' else landmarks
  low, high = points.min(axis=0), points.max(axis=0)
  centre, half = (low + high) / 2, max(float((high - low).max()) * MARGIN[region] / 2, 1.0)
  return np.concatenate([centre - half, centre + half]).astype(np.float32)


def crop_box(rgb: np.ndarray, box: np.ndarray, size: int) -> np.ndarray:
  """Cuts a square box out of a frame and scales it, at sub-pixel precision (rounding would shake the crop).

  Args:
    rgb: uint8 [H, W, 3].
    box: float32 [4], left, top, right, bottom in pixels; outside of the frame its border pixels are repeated.
    size: side of the crop in pixels.

  Returns:
    uint8 [size, size, 3]. Larger boxes are averaged over their pixels, smaller ones interpolated linearly.
  """
  left, top, right, _ = (float(v) for v in box)
  fold = max(1, round((right - left) / size))  # source pixels to a crop pixel: sample them all, then average
  scale = (right - left) / (size * fold)
  # Pixel centres: output pixel i covers [left + i * scale, left + (i + 1) * scale).
  matrix = np.array([[scale, 0, left + scale / 2 - 0.5], [0, scale, top + scale / 2 - 0.5]], np.float32)
  flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
  crop = cv2.warpAffine(rgb, matrix, (size * fold, size * fold), flags=flags, borderMode=cv2.BORDER_REPLICATE)
  return cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA) if fold > 1 else crop
