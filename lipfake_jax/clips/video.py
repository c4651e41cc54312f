"""Frames of one video file, streamed.

In: the path of an untrusted file. Out: upright frames one by one, with their times. Next stage: `tracks`.

A frame stays as the decoder gives it, brightness (Y) and colour (U, V) apart, mostly at half size: of a frame only the
pixels of a crop are ever turned into RGB, which costs less than turning all of them.
"""

import dataclasses
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import av
import cv2
import numpy as np

from lipfake_jax.clips.container import MAX_PIXELS, VideoError, display_matrix, open_video, orient

MAX_SIDE = 4096  # larger frames are halved: landmarks are stored in fixed point, and a mouth is large enough there
PLANAR = ('yuv420p', 'yuv422p', 'yuv444p', 'yuvj420p', 'yuvj422p', 'yuvj444p')  # read as they are, 8 bits
SQUARE = 0.01  # pixels whose sides differ by less than this share count as square

# Luma weights of red and blue (Kr, Kb) by the number that a stream gives its colour matrix (ITU-T H.273, table 4).
LUMA_WEIGHTS = {1: (0.2126, 0.0722), 9: (0.2627, 0.0593), 10: (0.2627, 0.0593)}
LUMA_WEIGHTS_DEFAULT = (0.299, 0.114)  # BT.601, also where a file does not say
FULL_RANGE = 2  # as PyAV numbers it: Y from 0 to 255, not 16 to 235


@dataclasses.dataclass(frozen=True)
class Frame:
  """One decoded frame, upright, with square pixels.

  Attributes:
    index: position in the file.
    time_s: seconds since the file begins, rising from frame to frame.
    planes: uint8 Y [H, W], U and V [H', W'], where H' and W' may be smaller than H and W.
    to_rgb: float32 [3, 4]: RGB = to_rgb @ (Y, U, V, 1).
    leaps: whether frames before it were left out.
  """

  index: int
  time_s: float
  planes: tuple[np.ndarray, np.ndarray, np.ndarray]
  to_rgb: np.ndarray
  leaps: bool = False

  @property
  def luma(self) -> np.ndarray:
    """uint8 [H, W]."""
    return self.planes[0]

  @property
  def rgb(self) -> np.ndarray:
    """The whole frame as RGB uint8 [H, W, 3], made at each call."""
    height, width = self.luma.shape
    chroma = [cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR) for plane in self.planes[1:]]
    return cv2.transform(cv2.merge([self.luma, *chroma]), self.to_rgb)


def from_rgb(rgb: np.ndarray, index: int, time_s: float) -> Frame:
  """A frame of given pixels, RGB uint8 [H, W, 3], colour at full size; its `rgb` is theirs to within two levels."""
  y, cr, cb = cv2.split(cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb))
  return Frame(index, time_s, (y, cb, cr), _rgb_matrix(*LUMA_WEIGHTS_DEFAULT, full_range=True))


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
  with open_video(path) as (container, stream):
    return describe(container, stream)


def describe(container: av.container.InputContainer, stream: av.VideoStream) -> VideoInfo:
  """What an open container says of itself."""
  duration = float(container.duration / av.time_base) if container.duration else 0.0
  codec = stream.codec_context
  return VideoInfo(read_rate(stream), codec.width, codec.height, codec.name, duration)


def read_frames(path: Path) -> Iterator[Frame]:
  """Decodes a video from its first frame to its last, one frame in memory at a time, with one thread.

  Packets that don't decode are passed over, as players do: a file damaged in the middle still yields the rest.
  Interlaced frames are deinterlaced, turned and mirrored ones shown upright, oblong pixels made square, frames over
  4096 pixels halved. Times count from the beginning of the file, which recorders and broadcasts put anywhere. A frame
  without a time, or one not after the frame before it, gets the next one by the frame rate.

  Raises:
    VideoError: the file is no video, its frames are too large, or not one of them decodes.
  """
  with open_video(path) as (container, stream):
    yield from decode_frames(container, stream)


def decode_frames(container: av.container.InputContainer, stream: av.VideoStream) -> Iterator[Frame]:
  """`read_frames` of an open container, which may go on for ever, from where it is on; indices count from there."""
  if not stream.codec_context.is_open:
    stream.codec_context.thread_count = 1
  step_s, last_s, index = 1 / read_rate(stream), None, 0
  began_s = (container.start_time or 0) / av.time_base
  try:
    for raw in _deinterlace(_decode(container, stream), stream):
      time_s = float(raw.time) - began_s if raw.time is not None else None
      if last_s is not None and (time_s is None or not time_s > last_s):
        time_s = last_s + step_s
      last_s = time_s if time_s is not None else 0.0
      planes, to_rgb = read_planes(raw)
      yield Frame(index, last_s, _upright(planes, display_matrix(raw), _pixel_aspect(stream)), to_rgb)
      index += 1
  except VideoError:
    raise
  except (av.FFmpegError, cv2.error, ValueError, MemoryError) as error:
    raise VideoError(f'frame {index} can not be read as an image: {error}') from error
  if not index:
    raise VideoError('no frame of its video stream decodes')


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
    for frame in frames:
      if frame.width * frame.height > MAX_PIXELS:
        raise VideoError(f'a frame of {frame.width}x{frame.height} pixels: {MAX_PIXELS:,} are the limit')
      yield frame


def _deinterlace(frames: Iterator[av.VideoFrame], stream) -> Iterator[av.VideoFrame]:
  """Passes frames through; from the first interlaced one on by way of FFmpeg's yadif, which mends interlaced ones.

  A filter knows one shape of frames: where it changes, as in broadcasts, the next filter begins.
  """
  shape, ends = None, None
  for frame in frames:
    if ends and shape != _shape(frame):
      yield from _drain(ends)
      ends = None
    if not ends and frame.interlaced_frame:
      shape, ends = _shape(frame), _open_yadif(frame, stream)
    if ends:
      ends.source.push(frame)
      yield from _pull(ends.sink)
    else:
      yield frame
  if ends:
    yield from _drain(ends)


def _shape(frame: av.VideoFrame) -> tuple[int, int, str]:
  return frame.width, frame.height, frame.format.name


class _Yadif(NamedTuple):
  """A filter's two ends, and the graph that must live as long as they do."""

  graph: av.filter.Graph
  source: av.filter.context.FilterContext
  sink: av.filter.context.FilterContext


def _open_yadif(first: av.VideoFrame, stream) -> _Yadif:
  """A deinterlacing filter for frames like the first one."""
  graph = av.filter.Graph()
  source = graph.add_buffer(
    width=first.width, height=first.height, format=first.format, time_base=first.time_base or stream.time_base
  )
  yadif = graph.add('yadif', 'mode=send_frame:deint=interlaced')
  sink = graph.add('buffersink')
  source.link_to(yadif)
  yadif.link_to(sink)
  graph.configure()
  return _Yadif(graph, source, sink)


def _drain(ends: _Yadif) -> Iterator[av.VideoFrame]:
  """The frames that a filter still holds."""
  ends.source.push(None)
  yield from _pull(ends.sink)


def _pull(sink) -> Iterator[av.VideoFrame]:
  while True:
    try:
      yield sink.pull()
    except (BlockingIOError, EOFError):
      return


def read_planes(frame: av.VideoFrame) -> tuple[tuple, np.ndarray]:
  """The frame's three planes, without a copy where its pixels are of a common kind, and their way to RGB."""
  full_range = frame.color_range == FULL_RANGE or frame.format.name.startswith('yuvj')
  weights = LUMA_WEIGHTS.get(int(frame.colorspace), LUMA_WEIGHTS_DEFAULT)
  if frame.format.name not in PLANAR or any(plane.line_size <= 0 for plane in frame.planes):
    # More bits, gray, palettes, RGB, transparency: FFmpeg's scaler knows them all.
    frame = frame.reformat(format='yuv444p', dst_colorspace='ITU601', dst_color_range='MPEG')
    full_range, weights = False, LUMA_WEIGHTS_DEFAULT
  planes = tuple(
    np.frombuffer(memoryview(p), np.uint8, p.line_size * p.height).reshape(p.height, p.line_size)[:, : p.width]
    for p in frame.planes[:3]
  )
  return planes, _rgb_matrix(*weights, full_range)


@functools.cache
def _rgb_matrix(red: float, blue: float, full_range: bool) -> np.ndarray:
  """float32 [3, 4], from the luma weights (ITU-T H.273, section 8.3)."""
  black, light, colour = (0, 1, 1) if full_range else (16, 255 / 219, 255 / 224)
  green = 1 - red - blue
  u = np.array([0, -2 * blue * (1 - blue) / green, 2 * (1 - blue)]) * colour
  v = np.array([2 * (1 - red), -2 * red * (1 - red) / green, 0]) * colour
  return np.stack([np.full(3, light), u, v, -light * black - 128 * (u + v)], axis=1).astype(np.float32)


def _pixel_aspect(stream) -> float:
  """Width of a pixel over its height; 1 where the file does not say."""
  ratio = stream.sample_aspect_ratio
  return float(ratio) if ratio and 0.25 <= ratio <= 4 else 1.0


def _upright(planes: tuple, matrix: np.ndarray | None, aspect: float) -> tuple:
  if abs(aspect - 1) > SQUARE:
    planes = tuple(_resize(plane, max(aspect, 1), max(1 / aspect, 1)) for plane in planes)
  if max(planes[0].shape) > MAX_SIDE:
    planes = tuple(_resize(plane, 0.5, 0.5) for plane in planes)
  return tuple(np.ascontiguousarray(orient(plane, matrix)) for plane in planes) if matrix is not None else planes


def _resize(plane: np.ndarray, x: float, y: float) -> np.ndarray:
  size = (max(1, round(plane.shape[1] * x)), max(1, round(plane.shape[0] * y)))
  return cv2.resize(plane, size, interpolation=cv2.INTER_AREA if min(x, y) < 1 else cv2.INTER_LINEAR)


def read_rate(stream) -> float:
  """Frames per second; 25 where the file does not say (only used for times that the file lacks too)."""
  rate = stream.average_rate or stream.guessed_rate or 25
  return float(rate)
