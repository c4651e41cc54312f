"""Which square of a frame shows the lips, the lower face or the face, and where the lips are upon the head.

In: the landmarks of one face in one frame. Out: a placement (see `placement`), and the lips' landmarks in a frame of
reference that is fixed to the head. `tracks` interpolates both between key frames, and smooths the aligned placements
over time; `clips` cuts the squares out.
"""

import numpy as np

from lipfake_jax.core.clip_spec import ALIGNMENTS, REGIONS

# box: the paper's, from the bounding box of some landmarks in each frame by itself (PAPER section 3.3). It moves with
# the mouth, and with every error of a landmark.
# Lips: corners (outer 61, 291, inner 78, 308), outer top and bottom (0, 17), inner top and bottom (13, 14).
LIPS = (61, 291, 0, 17, 13, 14, 78, 308)
# The mouth and what is about it, in closed rings; each begins in the middle of its top and runs clockwise as seen.
# The first two are the lips' outer and inner contour (MediaPipe's FACEMESH_LIPS), the third the mesh's next vertices
# outwards; the last, on the chin and beside the corners, goes with the jaw.
LIP_RINGS = (
  (0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146, 61, 185, 40, 39, 37),
  (13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95, 78, 191, 80, 81, 82),
  (164, 393, 391, 322, 410, 287, 273, 335, 406, 313, 18, 83, 182, 106, 43, 57, 186, 92, 165, 167),
  (200, 432, 199, 212),
)
LIP_POINTS = sum(LIP_RINGS, ())
LIP_CORNERS = tuple(LIP_POINTS.index(corner) for corner in LIPS[:2])  # positions of the outer ones
# The position of each one's mirror image: of n in a ring, the i-th's is the (n - i)-th.
LIP_MIRROR = tuple(LIP_POINTS.index(ring[-i]) for ring in LIP_RINGS for i in range(len(ring)))
LOWER_FACE = (2, 152, 61, 291)  # base of the nose, chin, corners of the mouth
BOX_POINTS = {'lips': LIPS, 'lower_face': LOWER_FACE, 'face': tuple(range(468))}
# Side of the square over the longer side of the bounding box: room for the mouth to open, and for the rim of a pasted
# patch; for the face, forehead and chin that the mesh leaves out. Ours: the paper gives no margin.
BOX_MARGIN = {'lips': 1.5, 'lower_face': 1.6, 'face': 1.2}

# aligned: the head is laid over a mean face by its stable landmarks, so that the square turns and scales with the head
# and keeps its size when the mouth opens. Coordinates: the distance of the eyes' centres is 1, their middle (0, 0), y
# goes down. Means of two faces' meshes and of their mirror images, the public-domain portraits that the demo animates.
MEAN_FACE = {
  33: (-0.723, -0.015), 133: (-0.277, 0.015), 362: (0.277, 0.015), 263: (0.723, -0.015),  # corners of the eyes
  168: (0, -0.069), 6: (0, 0.056), 197: (0, 0.17), 195: (0, 0.277), 5: (0, 0.392), 4: (0, 0.531), 1: (0, 0.63),
  98: (-0.297, 0.635), 327: (0.297, 0.635), 2: (0, 0.701),  # ridge, wings and base of the nose
  70: (-0.901, -0.237), 300: (0.901, -0.237), 105: (-0.673, -0.368), 334: (0.673, -0.368),  # brows
  127: (-1.068, 0.039), 356: (1.068, 0.039),  # temples
}  # fmt: skip
STABLE = list(MEAN_FACE)
MOUTH = (61, 291, 0, 17)  # their mean is the mouth's middle
MOUTH_DEPTH = 0.957  # its y in the mean face
# Side of the square, and y of its middle in the mean face, where the lips' square is centred on the person's own mouth
# and the lower face's keeps its distance to it. The lower face reaches from the base of the nose to the chin.
ALIGNED_SIDE = {'lips': 1.2, 'lower_face': 1.5, 'face': 2.85}
ALIGNED_DEPTH = {'lips': MOUTH_DEPTH, 'lower_face': 1.176, 'face': 0.46}

_MEAN = np.array([complex(*point) for point in MEAN_FACE.values()])
_MEAN_CENTRED = _MEAN - _MEAN.mean()


def place_region(landmarks: np.ndarray, region: str, alignment: str) -> np.ndarray:
  """The square of a region in one frame.

  Args:
    landmarks: float32 [468, 2], (x, y) in pixels.
    region: 'lips', 'lower_face' (nose base to chin, 1.5 eye distances wide) or 'face'.
    alignment: 'box' for an upright square about the region's landmarks, as in the paper; 'aligned' for one that turns
      and scales with the head.

  Returns:
    complex128 [2], a placement; it may reach over the frame's border.

  Raises:
    ValueError: an unknown region or alignment.
  """
  if region not in REGIONS or alignment not in ALIGNMENTS:
    raise ValueError(f'region {region!r}, alignment {alignment!r}: known are {REGIONS} and {ALIGNMENTS}')
  points = _to_complex(landmarks)
  return _aligned(points, region) if alignment == 'aligned' else _box(points, region)


def span_mouth(landmarks: np.ndarray) -> np.ndarray:
  """complex128 [2]: the middle between the mouth's outer corners, and the vector from there to the one on its right."""
  right, left = landmarks[list(LIPS[:2])].astype(np.float64) @ [1, 1j]
  return np.array([(right + left) / 2, (left - right) / 2])


def trace_lips(landmarks: np.ndarray) -> np.ndarray:
  """The lips upon a head that keeps still: float32 [468, 2] in pixels -> complex128 [K], as LIP_POINTS.

  The head is laid over the mean face by its stable landmarks, none of which is the mouth's, and takes its turn, size
  and place along. Unit: the distance of the eyes' centres. (0, 0) is where the mean face has its mouth, y goes down.

  In each look by itself, unlike the crop: of a photograph that sways, turns and shakes by 2 pixels at 4 Hz, its mouth
  was seen to move by .010 of its width from frame to frame, and by .019 upon a head that is smoothed as the crop is,
  which lags behind; without the shaking by .005 and .006. Errors that all landmarks share cancel, too.
  A head that turns aside or nods moves its lips in this plane all the same.
  """
  points = _to_complex(landmarks)
  turn, shift = _lay_over(points)
  return (points[list(LIP_POINTS)] - shift) / turn - 1j * MOUTH_DEPTH


def _to_complex(landmarks: np.ndarray) -> np.ndarray:
  return landmarks.astype(np.float64).view(np.complex128).ravel()  # x + iy


def _lay_over(points: np.ndarray) -> tuple[complex, complex]:
  """Least squares over the stable points: points ~ turn * mean face + shift; |turn| is the eye distance in pixels."""
  stable = points[STABLE]
  turn = (_MEAN_CENTRED.conj() @ stable) / (_MEAN_CENTRED.conj() @ _MEAN_CENTRED)
  return turn, stable.mean() - turn * _MEAN.mean()


def _box(points: np.ndarray, region: str) -> np.ndarray:
  chosen = points[list(BOX_POINTS[region])]
  low, high = complex(chosen.real.min(), chosen.imag.min()), complex(chosen.real.max(), chosen.imag.max())
  spread = high - low
  return np.array([(low + high) / 2, max(max(spread.real, spread.imag) * BOX_MARGIN[region] / 2, 1.0)])


def _aligned(points: np.ndarray, region: str) -> np.ndarray:
  turn, shift = _lay_over(points)
  if region == 'face':
    centre = shift + turn * 1j * ALIGNED_DEPTH['face']
  else:
    centre = points[list(MOUTH)].mean() + turn * 1j * (ALIGNED_DEPTH[region] - MOUTH_DEPTH)
  return np.array([centre, turn * ALIGNED_SIDE[region] / 2])
