"""Landmarks of a clip: (x, y) of the mouth's and of those about it, `regions.LIP_POINTS`, upon a head that keeps still.

In widths of the mouth, the median over the clip, whatever the crop's alignment. (0, 0) is where the mean face has its
mouth, y goes down. Seen in every `landmark_stride`-th frame of the video, interpolated between.
"""

import numpy as np

from lipfake_jax.clips.feature import ChosenFrames, FaceInFrame, Feature
from lipfake_jax.clips.regions import LIP_CORNERS, LIP_POINTS
from lipfake_jax.core.clip_spec import ClipSpec


def keep_lips(face: FaceInFrame, spec: ClipSpec) -> np.ndarray:
  """complex64 [K], see `regions.trace_lips`."""
  return face.lips.astype(np.complex64)


def scale_lips(chosen: ChosenFrames, spec: ClipSpec) -> np.ndarray:
  """float32 [T, K, 2], in medians of the distance between the mouth's corners."""
  lips = chosen.read(chosen.positions)
  right, left = lips[:, LIP_CORNERS].T
  return (lips / max(np.median(np.abs(left - right)), 1e-6)).view(np.float32).reshape(*lips.shape, 2)


FEATURE = Feature(
  name='lips',
  dtype=np.float32,
  shape=lambda spec: (spec.frames, len(LIP_POINTS), 2),
  keep=keep_lips,
  measure=scale_lips,
)
