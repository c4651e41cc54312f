"""The surest mistakes of a run, and pictures of the mouths that it misjudged.

In: scores of a split. Out: positions in the scores, and strips of frames as JPEG. Next stage: `report`.
"""

import dataclasses

import cv2
import numpy as np

from lipfake_jax.data.batches import read_clip
from lipfake_jax.data.dataset import Split
from lipfake_jax.scoring.scores import Scores

COUNT = 10
FRAMES = 10  # of a strip
GAP = 2  # pixels between them
QUALITY = 85  # of the JPEG


def surest_mistakes(scores: Scores, threshold: float, count: int = COUNT) -> list[int]:
  """Which videos were misjudged with the scores farthest from the threshold, the surest first; ties by name.

  Args:
    scores: of videos.
    threshold: a video is called fake where p_fake > threshold.
    count: at most so many.
  """
  wrong = np.flatnonzero((scores.p_fake > threshold) != scores.labels.astype(bool))
  distance = np.abs(scores.p_fake - threshold)
  names = list(zip(scores.table['dataset'], scores.table['key'], strict=True))
  return sorted((int(i) for i in wrong), key=lambda i: (-distance[i], names[i]))[:count]


def draw_strip(split: Split, position: int) -> bytes:
  """Evenly spaced frames of a clip in time order, side by side, as JPEG.

  Args:
    split: what holds it; pixels are read, whatever the run took.
    position: of the clip.
  """
  clip = read_clip(dataclasses.replace(split, feature='clip'), position)
  chosen = np.linspace(0, len(clip) - 1, min(FRAMES, len(clip))).round().astype(int)
  framed = np.pad(clip[chosen], ((0, 0), (0, 0), (0, GAP), (0, 0)), constant_values=255)
  strip = np.concatenate(list(framed), axis=1)[:, :-GAP]
  _, encoded = cv2.imencode('.jpg', cv2.cvtColor(strip, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
  return encoded.tobytes()
