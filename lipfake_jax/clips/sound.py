"""The sound of a video file, on the clock of its frames.

In: the path of an untrusted file. Out: 16 kHz, mono, sample i at i / 16000 seconds of the clock that `video` gives
frames by, and what kind of sound that is. Next stages: `features.sound` stores it with clips, `phones` finds speech.

Samples lie in a file without a name and come into memory where they are looked at, so that an hour takes no more than a
minute.
"""

import dataclasses
import tempfile
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.stream import Disposition

from lipfake_jax.clips.container import ASIDES, VideoError, open_container
from lipfake_jax.clips.spectrum import RATE

# Timestamps of some containers are whole milliseconds: a frame that begins so close to the end of the one before it
# follows it without a gap, or each would click.
JITTER_S = 0.02
LONGEST_S = 24 * 3600.0  # a timestamp may claim anything; sound beyond is left out
SILENT = 33  # largest sample of a sound that nobody hears, of 32768: -60 dB
SHORT_S = 0.5  # a sound that leaves so much of the video without any, before or after it, is short


@dataclasses.dataclass(frozen=True)
class Sound:
  """What is heard.

  Attributes:
    samples: int16 [N], from the beginning of the video's clock; 0 where the file has no sound.
    begins_s: of the first sample that the file has.
  """

  samples: np.ndarray
  begins_s: float = 0.0

  @property
  def ends_s(self) -> float:
    """Of the last one."""
    return len(self.samples) / RATE

  def name_state(self, until_s: float) -> str:
    """One of `vocabulary.SOUNDS`, beside a video that lasts until a moment of its clock, in seconds."""
    if not len(self.samples):
      return 'absent'
    if max(np.abs(piece.astype(np.int32)).max() for piece in _pieces(self.samples)) < SILENT:
      return 'silent'
    return 'short' if max(self.begins_s, until_s - self.ends_s) > SHORT_S else 'heard'


NO_SOUND = Sound(np.zeros(0, np.int16))


def read_sound(path: Path) -> Sound:
  """Decodes the sound of a file; NO_SOUND where it has none that decodes. No file raises.

  Time counts from the beginning of the file, as frames' times do: a stream that starts late has silence before it, and
  what an edit list cuts off, as the samples by which encoders begin, is not there.
  """
  with tempfile.TemporaryFile() as file:
    begins = ends = 0
    try:
      for place, samples in _decode(path):
        begins = begins if ends else place
        ends = max(ends, place + len(samples))
        file.seek(2 * place)
        file.write(samples.tobytes())
    except VideoError:
      return NO_SOUND
    if not ends:
      return NO_SOUND
    file.flush()
    return Sound(np.memmap(file, np.int16, 'r', shape=(ends,)), begins / RATE)


def _decode(path: Path) -> Iterator[tuple[int, np.ndarray]]:
  """Where the next samples lie, on the video's clock, and the samples, int16 [n]; what does not decode is passed over.

  Raises:
    VideoError: the file can't be opened.
  """
  with open_container(path) as container:
    stream = _choose_stream(container)
    if stream is None:
      return
    stream.codec_context.thread_count = 1
    began, follows = (container.start_time or 0) / av.time_base, None
    for frame in _resample(_frames(container, stream)):
      place = follows if frame.time is None else round((frame.time - began) * RATE)
      if follows is not None and (place is None or abs(place - follows) < JITTER_S * RATE):
        place = follows
      samples, place = frame.to_ndarray()[0], place or 0
      follows = place + len(samples)
      if 0 < follows < LONGEST_S * RATE:
        yield max(place, 0), samples[max(-place, 0) :]


def _choose_stream(container: av.container.InputContainer) -> av.AudioStream | None:
  """The stream that players play: no aside, the default, the one of most channels; None where no decoder knows one."""
  known = [stream for stream in container.streams.audio if stream.codec_context]
  return max(known, key=_rank, default=None)


def _rank(stream: av.AudioStream) -> tuple:
  default = bool(stream.disposition & Disposition.default)
  return not stream.disposition & ASIDES, default, stream.codec_context.channels


def _frames(container: av.container.InputContainer, stream: av.AudioStream) -> Iterator[av.AudioFrame]:
  packets = container.demux(stream)
  while True:
    try:
      packet = next(packets)
    except (StopIteration, EOFError, av.FFmpegError):  # what came before a broken part stands
      return
    try:
      yield from packet.decode()
    except (av.FFmpegError, ValueError):
      continue


def _resample(frames: Iterator[av.AudioFrame]) -> Iterator[av.AudioFrame]:
  """Mono at RATE; a resampler knows one kind of frames, and where that changes, the next one begins."""
  known: tuple | None = None
  resampler: av.AudioResampler | None = None
  for frame in frames:
    kind = (frame.format.name, frame.layout.name, frame.sample_rate)
    if resampler is None or kind != known:
      if resampler:
        yield from resampler.resample(None)
      known, resampler = kind, av.AudioResampler('s16', 'mono', RATE)
    yield from resampler.resample(frame)
  if resampler:
    yield from resampler.resample(None)


def _pieces(samples: np.ndarray) -> Iterator[np.ndarray]:
  """A minute each."""
  return (samples[start : start + 60 * RATE] for start in range(0, len(samples), 60 * RATE))
