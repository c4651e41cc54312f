"""Videos with sound, for tests."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

RATE = 16000  # of what is written


def burst(at_s: float, length_s: float = 1.0) -> np.ndarray:
  """int16 [N]: nothing, but for 50 ms of a tone of 1 kHz from a moment on."""
  t = np.arange(round(length_s * RATE)) / RATE
  return np.round(16000 * np.sin(2000 * np.pi * t) * ((t >= at_s) & (t < at_s + 0.05))).astype(np.int16)


def find_bursts(samples: np.ndarray) -> list[float]:
  """When tones begin, in seconds: a sample over a quarter of the range after 20 ms without one."""
  loud = np.flatnonzero(np.abs(samples.astype(int)) > 8000)
  return [round(float(loud[i]) / RATE, 4) for i in np.flatnonzero(np.diff(loud, prepend=-RATE) > 0.02 * RATE)]


def write_talk(
  path: Path, frames, pieces: list[tuple[float, np.ndarray]], codec='aac', film='mpeg4', delay_s: float = 0.0
) -> Path:
  """Encodes RGB frames, 25 a second, and pieces of sound, each the moment it begins at and int16 [N].

  delay_s: by how much later all of it is, by the file's timestamps.
  """
  with av.open(str(path), 'w') as container:
    stream = container.add_stream(film, rate=25)
    stream.height, stream.width = frames[0].shape[:2]
    stream.pix_fmt = 'yuv420p'
    track = container.add_stream(codec, rate=RATE, layout='mono')
    for number, image in enumerate(frames):
      frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format='rgb24')
      frame.pts, frame.time_base = number + round(delay_s * 25), Fraction(1, 25)
      container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
    for begins_s, samples in pieces:
      frame = av.AudioFrame.from_ndarray(samples[None], format='s16', layout='mono')
      frame.sample_rate, frame.time_base = RATE, Fraction(1, RATE)
      frame.pts = round((begins_s + delay_s) * RATE)
      container.mux(track.encode(frame))
    container.mux(track.encode(None))
  return path
