"""What kind of sound a clip's video has: one of `vocabulary.SOUNDS`, by its position there."""

import numpy as np

from lipfake_jax.clips.feature import ChosenFrames, Feature
from lipfake_jax.core.clip_spec import ClipSpec
from lipfake_jax.core.vocabulary import SOUNDS


def name_sound(chosen: ChosenFrames, spec: ClipSpec) -> np.ndarray:
  """uint8 [1]."""
  state = chosen.sound.name_state(chosen.until_s) if chosen.sound else 'absent'
  return np.array([SOUNDS.index(state)], np.uint8)


FEATURE = Feature(
  name='sound_state',
  dtype=np.uint8,
  shape=lambda spec: (1,),
  measure=name_sound,
  switch='sound',
)
