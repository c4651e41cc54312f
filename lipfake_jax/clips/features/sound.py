"""The sound of a clip: what is heard from the moment each frame is shown, 40 ms in rows of 10.

Where frames follow one another at 25 per second, as in 'contiguous_lips_sound_60x64', the rows of a clip adjoin: [4 T,
BANDS] is its spectrogram. See `spectrum` for its constants; `sound_state` says what kind of sound it is.
"""

import numpy as np

from lipfake_jax.clips.feature import ChosenFrames, Feature
from lipfake_jax.clips.spectrum import BANDS, HOP, RATE, SILENCE, log_mel
from lipfake_jax.core.clip_spec import ClipSpec

ROWS = 4  # a frame


def hear_frames(chosen: ChosenFrames, spec: ClipSpec) -> np.ndarray:
  """float32 [T, ROWS, BANDS]: row j of a frame is the log-mel spectrum about j * 10 ms after its time."""
  times = chosen.track.times[chosen.positions]
  if chosen.sound is None:
    return np.full((len(times), ROWS, BANDS), SILENCE, np.float32)
  centres = np.round(times * RATE).astype(np.int64)[:, None] + HOP * np.arange(ROWS)
  return log_mel(chosen.sound.samples, centres.ravel()).reshape(*centres.shape, BANDS)


FEATURE = Feature(
  name='sound',
  dtype=np.float32,
  shape=lambda spec: (spec.frames, ROWS, BANDS),
  measure=hear_frames,
)
