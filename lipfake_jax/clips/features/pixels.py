"""The pixels of a clip: the crop of each of its frames."""

import numpy as np

from lipfake_jax.clips.feature import ChosenFrames, FaceInFrame, Feature
from lipfake_jax.core.clip_spec import ClipSpec


def cut_crop(face: FaceInFrame, spec: ClipSpec) -> np.ndarray:
  """RGB uint8 [S, S, 3]."""
  from lipfake_jax.clips import placement

  return placement.cut(face.frame, face.squares[spec.region], spec.size)


def read_crops(chosen: ChosenFrames, spec: ClipSpec) -> np.ndarray:
  """RGB uint8 [T, S, S, 3]."""
  return chosen.read(chosen.positions)


FEATURE = Feature(
  name='clip',
  dtype=np.uint8,
  shape=lambda spec: (spec.frames, spec.size, spec.size, 3),
  keep=cut_crop,
  measure=read_crops,
)
