"""What a codec's motion amounts to: block types and vectors of many frames as one row of numbers.

In: of each frame, what `motion_coding` read in the coded video. Out: float32 [F], the feature 'motion' of a clip, which
`models/motion_svm.py` reads.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

INTRA, PREDICTED, SKIPPED = range(3)
KINDS = 3
LENGTHS = (0.0, 0.5, 1.0, 2.0, 4.0)  # upper ends of the classes of vectors' lengths, pixels per frame; one has no end
DIRECTIONS = 8  # classes of 45 degrees, the first about 'to the right', then clockwise as seen
PER_REGION = KINDS + len(LENGTHS) + 1 + DIRECTIONS
REGIONS = 2  # the whole crop and the lips
N_FEATURES = 2 * REGIONS * PER_REGION  # their means over time, then their standard deviations: F = 68


@dataclasses.dataclass(frozen=True)
class Motion:
  """How one frame was coded; places in pixels of the coded image, (x, y) as x + iy.

  Attributes:
    kinds: uint8 [M, M], INTRA, PREDICTED or SKIPPED of each macroblock.
    centres: complex128 [N], middles of the parts that have a vector.
    moves: complex128 [N], how far what is in each has moved since the frame before.
    areas: float64 [N], pixels of each.
  """

  kinds: np.ndarray
  centres: np.ndarray
  moves: np.ndarray
  areas: np.ndarray


def summarise(frames: Sequence[Motion], squares: np.ndarray, block: int) -> np.ndarray:
  """Mean and standard deviation over time of every share.

  Args:
    frames: T of them; none gives zeros.
    squares: complex128 [T, 2], placements of the lips' square in the coded images.
    block: side of a macroblock in pixels.

  Returns:
    float32 [F]: the means of the whole image's shares, see `shares`, those of the lips', then the deviations likewise.
  """
  if not frames:
    return np.zeros(N_FEATURES, np.float32)
  table = np.array([_shares_of_regions(frame, square, block) for frame, square in zip(frames, squares, strict=True)])
  return np.concatenate([table.mean(0), table.std(0)]).astype(np.float32)


def shares(kinds: np.ndarray, moves: np.ndarray, areas: np.ndarray) -> np.ndarray:
  """Shares of a region of one frame.

  Args:
    kinds: uint8 [K] of its macroblocks.
    moves: complex128 [N] of its vectors.
    areas: float64 [N] of them.

  Returns:
    float64 [17]: intra, predicted and skipped macroblocks, a share of all; classes of the vectors' lengths (0; up to
    .5, 1, 2, 4 pixels; longer), a share of the area that has vectors; classes of their directions, a share of the area
    that moves. What is a share of nothing is 0.
  """
  of_kind = np.bincount(kinds, minlength=KINDS)
  lengths = np.abs(moves)
  of_length = np.bincount(np.searchsorted(LENGTHS, lengths), areas, len(LENGTHS) + 1)
  turns = np.round(np.angle(moves) / (2 * np.pi / DIRECTIONS)).astype(int) % DIRECTIONS
  of_direction = np.bincount(turns, areas * (lengths > 0), DIRECTIONS)
  return np.concatenate([count / max(count.sum(), 1) for count in (of_kind, of_length, of_direction)])


def _shares_of_regions(frame: Motion, square: np.ndarray, block: int) -> np.ndarray:
  rows, columns = np.indices(frame.kinds.shape)
  middles = (columns + 0.5 + 1j * (rows + 0.5)) * block
  inside, within = holds(square, middles), holds(square, frame.centres)
  whole = shares(frame.kinds.ravel(), frame.moves, frame.areas)
  return np.concatenate([whole, shares(frame.kinds[inside], frame.moves[within], frame.areas[within])])


def holds(square: np.ndarray, points: np.ndarray) -> np.ndarray:
  """bool [...]: which points, complex [...], lie in a square, complex128 [2], a placement."""
  seen = (points - square[0]) / square[1]  # from the square: its sides lie at -1 and 1
  return np.maximum(np.abs(seen.real), np.abs(seen.imag)) <= 1
