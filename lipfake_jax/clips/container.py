"""A video file, opened as players open it: which of its streams is the film, and which way up it is shown.

In: the path of an untrusted file. Out: its container and stream, and what turns a decoded picture upright. Next stage:
`video` decodes the frames.

FFmpeg is given an open file in place of a name: a name may be a protocol to it ('23:50.mp4'), or a pattern. It may
open nothing else, and knows no format whose content is a list of other files: a text that names its neighbour is no
video.
"""

import contextlib
import itertools
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.sidedata.sidedata import SideDataContainer
from av.sidedata.sidedata import Type as SideData
from av.stream import Disposition

MAX_PIXELS = 40_000_000  # of a frame; 8K has 33 million. A header may claim anything, and memory is taken by it

# The containers that are read, and raw streams whose beginning is unmistakable. Those that name other files, addresses
# or devices (concat, dash, hls, image2, lavfi, rtp, rtsp, sap, sdp, vobsub, ...) must never be among them.
FORMATS = (
  '4xm', 'apng', 'asf', 'av1', 'avi', 'bink', 'cavsvideo', 'cine', 'dhav', 'dirac', 'dnxhd', 'dv', 'film_cpk', 'flic',
  'flv', 'gif', 'gxf', 'h264', 'hevc', 'ifv', 'ivf', 'jpegxl_anim', 'kux', 'live_flv', 'luodat', 'lvf', 'lxf', 'm4v',
  'matroska', 'mjpeg', 'mlv', 'mov', 'mpeg', 'mpegts', 'mpegvideo', 'mpjpeg', 'mv', 'mxf', 'mxg', 'nsv', 'nut', 'nuv',
  'obu', 'ogg', 'pva', 'rm', 'roq', 'smjpeg', 'smk', 'swf', 'thp', 'ty', 'vc1', 'vc1test', 'vividas', 'vivo', 'vvc',
  'wc3movie', 'wtv', 'xmv', 'yuv4mpegpipe',
)  # fmt: skip

# Streams that are no film: cover pictures and the pictures of chapters.
PICTURES = Disposition.attached_pic | Disposition.timed_thumbnails
# Films that accompany another: a commentator, an interpreter in sign language.
ASIDES = (
  Disposition.comment
  | Disposition.hearing_impaired
  | Disposition.visual_impaired
  | Disposition.dependent
  | Disposition.still_image
)

# Codecs of pictures, in the first place: beside another stream they hold a cover that is not marked as one.
STILLS = ('bmp', 'gif', 'jpeg2000', 'jpegxl', 'mjpeg', 'png', 'tiff', 'webp')

GLANCE_BYTES, GLANCE_PACKETS = 32768, 64  # by which a file is taken for a video, or not

SPECIAL = {
  stat.S_IFIFO: 'a named pipe',
  stat.S_IFSOCK: 'a socket',
  stat.S_IFCHR: 'a device',
  stat.S_IFBLK: 'a device',
  stat.S_IFDIR: 'a folder',
}


class VideoError(ValueError):
  """The file can't be read as a video; the message says why, and leaves its name to the caller."""


@contextlib.contextmanager
def open_video(path: Path) -> Iterator[tuple[av.container.InputContainer, av.VideoStream]]:
  """The container of a file and the stream of it that is the film, open as long as the context.

  Raises:
    VideoError: the file is missing or no regular file, is no video, has no film, or frames over MAX_PIXELS.
  """
  with open_container(path) as container:
    yield container, choose_film(container)


@contextlib.contextmanager
def open_container(path: Path, **options: str) -> Iterator[av.container.InputContainer]:
  """The container of a file, open as long as the context; `options` are FFmpeg's.

  Raises:
    VideoError: the file is missing or no regular file, or its content is in none of FORMATS.
  """
  try:
    check_regular(path)
    if not os.stat(path).st_size:
      raise VideoError('the file is empty')
    descriptor = os.open(path, os.O_RDONLY)
  except OSError as error:
    raise VideoError(error.strerror or str(error)) from error
  try:
    container = open_descriptor(descriptor, **options)
  finally:
    os.close(descriptor)  # FFmpeg has one of its own
  with container:
    yield container


def open_descriptor(descriptor: int, **options: str) -> av.container.InputContainer:
  """The container of an open file or pipe. Raises VideoError where its content is in none of FORMATS."""
  options |= {'fd': str(descriptor), 'protocol_whitelist': 'fd', 'format_whitelist': ','.join(FORMATS)}
  return open_name('fd:', options)


def open_name(name: str, options: dict[str, str], **arguments: Any) -> av.container.InputContainer:
  """`av.open`, to which `arguments` go. FFmpeg's `options` must have 'protocol_whitelist' and 'format_whitelist'.

  Raises:
    VideoError: it does not open; from an OSError where that is no fault of the content.
  """
  try:
    return av.open(name, options=options, metadata_errors='replace', **arguments)  # comments may be in any encoding
  except av.error.ArgumentError as error:
    raise VideoError('the file has no video stream: its content is in no format of videos') from error
  except av.error.InvalidDataError as error:
    raise VideoError(f'{error.strerror}: it is no video, or a damaged one') from error
  except (OSError, av.FFmpegError) as error:
    raise VideoError(getattr(error, 'strerror', None) or str(error)) from error


def check_regular(path: Path) -> None:
  """Raises VideoError unless a path is a regular file: a pipe, say, would be waited for for ever."""
  kind = stat.S_IFMT(os.stat(path).st_mode)
  if kind != stat.S_IFREG:
    fault = OSError('no regular file')  # of the path, as where it is missing, and of no content
    raise VideoError(f'it is {SPECIAL.get(kind, "something else")}, not a file') from fault


def choose_film(container: av.container.InputContainer) -> av.VideoStream:
  """`choose_stream`, of which frames are not too large.

  Raises:
    VideoError: there is none, or its frames are over MAX_PIXELS.
  """
  stream = choose_stream(container)
  size = stream.codec_context.width, stream.codec_context.height
  if size[0] * size[1] > MAX_PIXELS:
    raise VideoError(
      f'its frames have {size[0]}x{size[1]} pixels, more than {MAX_PIXELS:,}: scale the video down first'
    )
  return stream


def choose_stream(container: av.container.InputContainer) -> av.VideoStream:
  """The stream that is the film: no cover picture, and of several the one that players show.

  Raises:
    VideoError: there is none, or none that a decoder knows.
  """
  films = [stream for stream in container.streams.video if not stream.disposition & PICTURES]
  if not films:
    pictures = ', only a picture' if container.streams.video else ''
    raise VideoError(f'the file has no video stream{pictures}')
  known = [stream for stream in films if stream.codec_context]
  if not known:
    raise VideoError('no decoder knows its video stream')
  return max(known, key=_rank)


def _rank(stream: av.VideoStream) -> tuple:
  """Of two streams the film has a size, is no aside, moves, is the default, is larger, is longer; in this order."""
  size = stream.codec_context.width * stream.codec_context.height
  seconds = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0
  default = bool(stream.disposition & Disposition.default)
  moves = stream.frames > 1 if stream.frames else stream.codec_context.name not in STILLS  # not all files count
  return size > 0, not stream.disposition & ASIDES, moves, default, size, seconds


def holds_video(path: Path) -> bool:
  """Whether a file of any name is a video, by its first bytes and frames: takes a few milliseconds."""
  try:
    with open_container(path, formatprobesize=str(GLANCE_BYTES)) as container:
      stream = choose_stream(container)
      packets = itertools.islice(container.demux(stream), GLANCE_PACKETS)
      return stream.frames != 1 and any(packet.decode() for packet in packets)
  except (VideoError, av.FFmpegError, ValueError):
    return False


def display_matrix(frame: av.VideoFrame) -> np.ndarray | None:
  """How a frame is shown, int32 [2, 2] of 16.16 fixed point; None where the file does not say.

  A pixel at (x, y), y down, is shown at (x, y) @ matrix, moved back into the picture (ISO/IEC 14496-12, section 8.3.2).
  """
  # Not `frame.side_data`, which keeps the frame until the garbage of a hundred is collected.
  data = SideDataContainer(frame).get(SideData.DISPLAYMATRIX)  # type: ignore[call-arg]  # its stub has no constructor
  return None if data is None else np.frombuffer(bytes(data), np.int32, 9).reshape(3, 3)[:2, :2]


def orient(plane: np.ndarray, matrix: np.ndarray | None) -> np.ndarray:
  """A plane [H, W] as the display matrix shows it, turned and mirrored; angles to the nearest quarter turn."""
  if matrix is None:
    return plane
  (xx, xy), (yx, yy) = matrix.astype(float)
  if abs(xx) + abs(yy) < abs(xy) + abs(yx):
    plane, xx, yy = plane.T, yx, xy
  return plane[:: -1 if yy < 0 else 1, :: -1 if xx < 0 else 1]
