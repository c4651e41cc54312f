"""What a feature is: one thing of a clip that models can be fed with, as its file in `features` describes it.

In: while a video passes, each face in each frame; then, the frames that a clip shows. Out: an array that is stored
under the feature's name. Neither this file nor those in `features` load a decoder: who trains reads them, too.
"""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lipfake_jax.clips.face_track import Track
from lipfake_jax.core.clip_spec import ClipSpec

if TYPE_CHECKING:
  from lipfake_jax.clips.sound import Sound
  from lipfake_jax.clips.video import Frame


@dataclasses.dataclass(frozen=True)
class FaceInFrame:
  """A face in a frame that passes.

  Attributes:
    frame: the whole of it.
    squares: complex128 [2], a placement, of each region by its name; 'mouth' is `regions.span_mouth`.
    lips: complex128 [K], see `regions.trace_lips`.
  """

  frame: 'Frame'
  squares: dict[str, np.ndarray]
  lips: np.ndarray


@dataclasses.dataclass(frozen=True)
class ChosenFrames:
  """The frames of a track that a clip shows.

  Attributes:
    track: of M frames.
    positions: int64 [T], theirs in the track, ascending.
    read: what the feature kept of frames of the track, by their positions, int64 [N], or by a slice: [N, ...].
    sound: of the video; None where it is not asked for, or comes from no file.
    until_s: when the video ends, in seconds of its clock.
  """

  track: Track
  positions: np.ndarray
  read: Callable[[np.ndarray | slice], np.ndarray]
  sound: 'Sound | None' = None
  until_s: float = 0.0


@dataclasses.dataclass(frozen=True)
class Feature:
  """How one feature is measured, and as what it is stored.

  Attributes:
    name: as datasets store it, and as models name it in their `input`.
    dtype: of its numbers.
    shape: of it in a clip of a spec.
    measure: the feature of a clip, of `dtype` and `shape`.
    keep: what `measure` needs of a frame that passes, an array; None where it needs nothing.
    regions: whose squares `keep` looks at, beside those of the clip and of the lips.
    first: of how many frames of a track `keep` is asked, the first ones.
    switch: the field of a spec that is False where the feature is left out; by default the one of its name, if any.
  """

  name: str
  dtype: npt.DTypeLike
  shape: Callable[[ClipSpec], tuple[int, ...]]
  measure: Callable[[ChosenFrames, ClipSpec], np.ndarray]
  keep: Callable[[FaceInFrame, ClipSpec], np.ndarray] | None = None
  regions: tuple[str, ...] = ()
  first: float = float('inf')
  switch: str = ''

  def is_in(self, spec: ClipSpec) -> bool:
    """Whether clips of a spec have it."""
    return bool(getattr(spec, self.switch or self.name, True))

  def count_bytes(self, spec: ClipSpec) -> int:
    """Bytes that it takes in a clip."""
    return int(np.prod(self.shape(spec))) * np.dtype(self.dtype).itemsize
