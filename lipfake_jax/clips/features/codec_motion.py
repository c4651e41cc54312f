"""How a video codec sees the whole face move (see `motion_coding`), in its first 300 frames, whichever a clip shows."""

import numpy as np

from lipfake_jax.clips.feature import ChosenFrames, FaceInFrame, Feature
from lipfake_jax.clips.motion_statistics import N_FEATURES
from lipfake_jax.core.clip_spec import ClipSpec

MAX_FRAMES = 300  # of a face that are coded, its first; 12 s at 25 frames per second


def cut_face(face: FaceInFrame, spec: ClipSpec) -> np.ndarray:
  """The lips' square in the face, complex128 [2], and the face for the codec, uint8 [SIDE, SIDE]."""
  from lipfake_jax.clips import motion_coding, placement

  square, side = face.squares['face'], motion_coding.SIDE
  lips = placement.move_into(face.squares['lips'], square, side)
  image = placement.cut_plane(face.frame.luma, square, side)
  return np.array((lips, image), [('lips', complex, 2), ('image', np.uint8, (side, side))])


def measure_motion(chosen: ChosenFrames, spec: ClipSpec) -> np.ndarray:
  """float32 [F], see `motion_statistics`."""
  from lipfake_jax.clips import motion_coding

  kept = chosen.read(slice(None))
  return motion_coding.measure_motion(kept['image'], kept['lips'], chosen.track.follows[: len(kept)])


FEATURE = Feature(
  name='motion',
  dtype=np.float32,
  shape=lambda spec: (N_FEATURES,),
  keep=cut_face,
  measure=measure_motion,
  regions=('face',),
  first=MAX_FRAMES,
)
