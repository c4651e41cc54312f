"""Frames of one video file, streamed.

In: the path of an untrusted file. Out: upright RGB frames one by one, with their times. Next stage: `landmarks`.
"""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

VIDEO_SUFFIXES = ('.avi', '.gif', '.m4v', '.mkv', '.mov', '.mp4', '.mpeg', '.mpg', '.webm')


class VideoError(ValueError):
  """The file can't be read as a video; the message says why, and leaves its name to the caller."""


@dataclasses.dataclass(frozen=True)
class Frame:
  """One decoded frame: its position in the file, its time in seconds and its pixels, RGB uint8 [H, W, 3]."""

  index: int
  time_s: float
  rgb: np.ndarray


@dataclasses.dataclass(frozen=True)
class VideoInfo:
  """What the container says of itself: frames per second, stored width and height in pixels, codec, seconds (or 0)."""

  fps: float
  width: int
  height: int
  codec: str
  duration_s: float


def probe(path: Path) -> VideoInfo:
  """Reads the header of a video file.

  Raises:
    VideoError: the file is missing, is no video or has no video stream.
  """
  with _open(path) as container:
    stream = container.streams.video[0]
    duration = float(container.duration / av.time_base) if container.duration else 0.0
    return VideoInfo(
      _fps(stream), stream.codec_context.width, stream.codec_context.height, stream.codec_context.name, duration
    )


def read_frames(path: Path) -> Iterator[Frame]:
  """Decodes a video from its first frame to its last, one frame in memory at a time, with one thread.

  Packets that don't decode are passed over, as players do: a file damaged in the middle still yields the rest.
  Frames are turned upright where the file carries a display rotation.

  Raises:
    VideoError: the file is no video, or not one frame of it decodes.
  """
  with _open(path) as container:
    stream = container.streams.video[0]
    stream.codec_context.thread_count = 1
    fps, index = _fps(stream), 0
    for frame in _decode(container, stream):
      time_s = frame.time if frame.time is not None else index / fps
      try:
        rgb = _upright_rgb(frame)
      except (av.FFmpegError, ValueError, MemoryError) as error:
        raise VideoError(f'frame {index} does not turn into RGB: {error}') from error
      yield Frame(index, float(time_s), rgb)
      index += 1
  if not index:
    raise VideoError('no frame of its video stream decodes')


def _open(path: Path) -> av.container.InputContainer:
  try:
    container = av.open(str(path), metadata_errors='replace')  # names and comments may be in any encoding
  except (OSError, av.FFmpegError) as error:
    raise VideoError(getattr(error, 'strerror', None) or str(error)) from error
  streams = container.streams.video
  if streams and streams[0].codec_context:
    return container
  container.close()
  raise VideoError('no decoder knows its video stream' if streams else 'the file has no video stream')


def _decode(container, stream) -> Iterator[av.VideoFrame]:
  packets = container.demux(stream)
  while True:
    try:
      packet = next(packets)
    except (StopIteration, EOFError):
      return
    except av.FFmpegError:  # the container itself is broken from here on: what came before stands
      return
    try:
      frames = packet.decode()
    except av.FFmpegError:
      continue
    yield from frames


def _upright_rgb(frame: av.VideoFrame) -> np.ndarray:
  rgb = frame.to_ndarray(format='rgb24')
  quarter_turns = round((frame.rotation or 0) / 90) % 4  # the display matrix turns counter-clockwise, as rot90 does
  return np.rot90(rgb, quarter_turns) if quarter_turns else rgb


def _fps(stream) -> float:
  """Frames per second; 25 where the file does not say (only used for times that the file lacks too)."""
  rate = stream.average_rate or stream.guessed_rate or 25
  return float(rate)
