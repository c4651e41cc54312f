"""Where a pseudo-fake differs from its real: soft masks over the aligned crop of the lower face.

In: a side and a random generator. Out: float32 [S, S], 1 where the donor covers the picture. Next stage:
`pseudo_fakes`. Numbers are shares of the side, as `regions` lays out the crop: the mouth's middle is at (.5, .35), half
a side wide; the base of the nose is at .18, the chin about .8.
"""

import cv2
import numpy as np

MOUTH = (0.5, 0.37)


def draw_mask(rng: np.random.Generator, shape: str, size: int) -> np.ndarray:
  """A mask of a shape, one of SHAPES, feathered and in varying opacity: float32 [S, S] in [0, 1]."""
  mask = SHAPES[shape](rng, size)
  if shape != 'whole':
    mask = cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.004, 0.055) * size)
  return mask * (1.0 if rng.random() < 0.5 else rng.uniform(0.5, 1))


def smooth_field(rng: np.random.Generator, size: int, cells: int) -> np.ndarray:
  """A smooth random field, float32 [S, S, 2], of `cells` bumps a side, each of them of unit variance."""
  coarse = rng.standard_normal((cells, cells, 2)).astype(np.float32)
  return cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)


def _ellipse(rng: np.random.Generator, size: int) -> np.ndarray:
  """About the mouth, its rim deformed."""
  centre = np.array(MOUTH) + rng.uniform(-0.04, 0.05, 2)
  return _disc(rng, size, centre, (rng.uniform(0.2, 0.4), rng.uniform(0.12, 0.32)), 0.02)


def _lower_face(rng: np.random.Generator, size: int) -> np.ndarray:
  """From the nose's base to below the chin."""
  centre = np.array((0.5, 0.48)) + rng.uniform(-0.03, 0.05, 2)
  return _disc(rng, size, centre, (rng.uniform(0.34, 0.5), rng.uniform(0.3, 0.48)), 0.03)


def _rectangle(rng: np.random.Generator, size: int) -> np.ndarray:
  """The lower half of a face's box, as Wav2Lip pastes it: often beyond the crop's own rim."""
  left, right = rng.uniform(-0.1, 0.2), 1 - rng.uniform(-0.1, 0.2)
  top, bottom = rng.uniform(0, 0.28), rng.uniform(0.7, 1.1)
  mask = np.zeros((size, size), np.float32)
  corners = [round(size * float(np.clip(x, 0, 1))) for x in (top, bottom, left, right)]
  mask[corners[0] : corners[1], corners[2] : corners[3]] = 1
  return mask


def _whole(rng: np.random.Generator, size: int) -> np.ndarray:
  del rng
  return np.ones((size, size), np.float32)


def _disc(rng: np.random.Generator, size: int, centre: np.ndarray, axes: tuple[float, float], wobble: float):
  y, x = np.mgrid[:size, :size].astype(np.float32) / size
  field = smooth_field(rng, size, 4) * wobble * rng.random()
  x, y = x + field[..., 0] - centre[0], y + field[..., 1] - centre[1]
  turn, power = rng.uniform(-0.2, 0.2), rng.uniform(1.8, 4)  # from an ellipse to nearly a rectangle
  u, v = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
  return ((np.abs(u / axes[0]) ** power + np.abs(v / axes[1]) ** power) < 1).astype(np.float32)


SHAPES = {'ellipse': _ellipse, 'lower_face': _lower_face, 'rectangle': _rectangle, 'whole': _whole}
