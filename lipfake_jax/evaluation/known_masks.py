"""Clips of which it is known what was faked in them: a map must point there.

In: real clips, or the demo's fakes. Out: clips with the truth about their cells or frames. Next stage: `explanations`.
"""

import functools

import cv2
import numpy as np

from lipfake_jax.clips import placement
from lipfake_jax.data.batches import read_fields
from lipfake_jax.data.dataset import Split
from lipfake_jax.data.pseudo_fakes import KINDS, cover
from lipfake_jax.demo.fakes import mask_mouth
from lipfake_jax.demo.videos import DemoSpec, list_videos, motion
from lipfake_jax.inference.occlusion import GRID

DEMO = 'demo_lips'
# Those whose donor may be pasted anywhere.
LOCAL_KINDS = ('blend', 'resynthesis', 'moment', 'frozen', 'speed', 'identity')
RADIUS = (0.15, 0.25)  # of a patch, as shares of the crop's side
FEATHER = 0.02  # of its rim
STRETCH = 0.25  # of the frames that are faked, where the rest is real
COVERED = 0.5  # share of a cell from which on it counts as faked


def fake_cells(clip: np.ndarray, other: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
  """A real clip, uint8 [T, S, S, 3], with a donor's patch anywhere in it, and which cells that covers, bool [G * G].

  Training lays its patches over the mouth, where pointing is easy: its middle would always hit.
  """
  side = clip.shape[1]
  mask: np.ndarray = np.zeros((side, side), np.float32)
  radius = side * rng.uniform(*RADIUS)
  centre = rng.uniform(radius, side - radius, 2)
  cv2.circle(mask, (round(centre[0]), round(centre[1])), round(radius), (1.0,), -1)
  mask = cv2.GaussianBlur(mask, (0, 0), FEATHER * side)
  return cover(clip, _donate(clip, other, rng), mask), to_cells(mask)


def fake_frames(clip: np.ndarray, other: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
  """A real clip with a donor's lower face in a quarter of its frames, which follow one another, and which, bool [T]."""
  count = max(1, round(STRETCH * len(clip)))
  first = int(rng.integers(len(clip) - count + 1))
  truth = (np.arange(len(clip)) >= first) & (np.arange(len(clip)) < first + count)
  whole = np.ones(clip.shape[1:3], np.float32)
  return np.where(truth[:, None, None, None], cover(clip, _donate(clip, other, rng), whole), clip), truth


def find_demo_cells(split: Split, position: int) -> np.ndarray:
  """Which cells of a fake of the demo are no longer those of its real, bool [G * G]: by the poses that rendered it."""
  spec, side = DemoSpec(), split.clip_shape[1]
  video = _demo_videos()[split.table['key'][position]]
  _, poses = motion(spec, video)
  fields = read_fields(split, position, ('indices', 'boxes', 'angles'))
  boxes = fields['boxes'].reshape(-1, 4)
  masks = []
  for index, box, angle in zip(fields['indices'], boxes, fields['angles'], strict=True):
    half = (box[2] - box[0]) / 2 * np.exp(1j * np.radians(angle))
    square = np.array([complex(box[0] + box[2], box[1] + box[3]) / 2, half])
    whole = np.rint(255 * mask_mouth(poses[int(index)], spec.size)).astype(np.uint8)
    masks.append(placement.cut_plane(whole, square, side) / 255)
  return to_cells(np.mean(masks, axis=0, dtype=np.float32))


def to_cells(mask: np.ndarray) -> np.ndarray:
  """Which cells a mask, float32 [S, S], covers, bool [G * G]."""
  return cv2.resize(mask, (GRID, GRID), interpolation=cv2.INTER_AREA).ravel() >= COVERED


@functools.cache
def _demo_videos():
  return {video.path: video for video in list_videos(DemoSpec())}


def _donate(clip: np.ndarray, other: np.ndarray, rng: np.random.Generator) -> np.ndarray:
  donor, _ = KINDS[str(rng.choice(LOCAL_KINDS))](clip, np.arange(len(clip)), other, clip, rng)
  return donor
