"""The most confident errors of a run, and pictures of the mouths that it misjudged.

In: scores of a split. Out: positions in the scores, and strips of frames as JPEG. Next stage: `report`.
"""

import dataclasses

import numpy as np

from lipfake_jax.data.batches import read_clip
from lipfake_jax.data.dataset import Split
from lipfake_jax.report.strip import encode_strip
from lipfake_jax.scoring.scores import Scores

COUNT = 10


def find_confident_errors(scores: Scores, threshold: float, count: int = COUNT) -> list[int]:
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
  return encode_strip(read_clip(dataclasses.replace(split, feature='clip'), position))
