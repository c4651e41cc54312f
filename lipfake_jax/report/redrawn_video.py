"""A video with something drawn on its frames: an mp4 (H.264, AAC) that shows and sounds like it, at the same moments.

In: the path of an untrusted video, and what draws. Out: the file. Frames are upright, with square pixels, at their own
times, whatever the rate. Of the sound the stream that players choose is kept, encoded anew. No more than a few frames
are in memory.
"""

import gc
import heapq
import itertools
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Literal, cast

import av
import cv2
import numpy as np

from lipfake_jax.clips.container import open_container
from lipfake_jax.clips.video import Frame, read_frames
from lipfake_jax.clips.whole_file import write_whole
from lipfake_jax.core.errors import UserError

ENCODER: Literal['libx264'] = 'libx264'
QUALITY = {'crf': '23', 'preset': 'veryfast', 'threads': '2'}
CLOCK = Fraction(1, 90_000)  # seconds of a tick, as in MPEG: all common frame rates are whole numbers of them
BT709 = 1  # as H.273 numbers the colour matrix, the primaries and the transfer
RATE, SAMPLES = 48_000, 1024  # of the sound a second, and in a packet of AAC
FREED = 8  # frames, after which those that passed are freed: in PyAV they and their side data hold each other

Draw = Callable[[np.ndarray, float], None]  # on RGB uint8 [H, W, 3], in place; the frame's time in seconds


def check_encoder() -> None:
  """Raises UserError where this build of FFmpeg writes no H.264."""
  if ENCODER not in av.codecs_available:
    raise UserError(f'the installed PyAV has no encoder {ENCODER}: install the one in requirements.txt, from a wheel')


def redraw_video(video: Path, path: Path, draw: Draw) -> None:
  """Writes the file, whole or not at all.

  Raises:
    VideoError: the video can't be read.
    FFmpegError, ValueError: its sound can't be followed, as where it changes its channels on the way.
  """
  frames = read_frames(video)
  first = next(frames)
  with (
    write_whole(path) as file,
    av.open(file, 'w', format='mp4', options={'fflags': '+bitexact'}) as output,
    open_container(video) as source,
  ):
    streams = [_draw_picture(_open_picture(output, first), itertools.chain([first], frames), draw)]
    if source.streams.audio:
      streams.append(_copy_sound(output.add_stream('aac', rate=RATE), source))
    for packet in heapq.merge(*streams, key=_due):
      output.mux(packet)


def _open_picture(output: av.container.OutputContainer, first: Frame) -> av.VideoStream:
  """A stream for frames of the first one's size, less a row or column where it is odd: H.264 counts in pairs."""
  stream = output.add_stream(ENCODER, options=QUALITY)
  context = stream.codec_context
  stream.height, stream.width = (side - side % 2 for side in first.luma.shape)
  stream.pix_fmt = 'yuv420p'
  context.time_base = stream.time_base = CLOCK
  context.colorspace = context.color_primaries = context.color_trc = BT709
  return stream


def _draw_picture(stream: av.VideoStream, frames: Iterator[Frame], draw: Draw) -> Iterator[av.Packet]:
  for frame in frames:
    rgb = frame.rgb
    draw(rgb, frame.time_s)
    image = av.VideoFrame.from_ndarray(_fit(rgb, stream.width, stream.height), format='rgb24')
    image = image.reformat(format=stream.pix_fmt, dst_colorspace='ITU709', dst_color_range='MPEG')
    image.pts, image.time_base = round(frame.time_s / CLOCK), CLOCK
    yield from stream.encode(image)
    if frame.index % FREED == 0:
      gc.collect(1)
  yield from stream.encode(None)


def _fit(rgb: np.ndarray, width: int, height: int) -> np.ndarray:
  """A frame of the stream's size; some broadcasts change theirs on the way."""
  if max(abs(rgb.shape[0] - height), abs(rgb.shape[1] - width)) > 1:
    return cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
  return np.ascontiguousarray(rgb[:height, :width])


def _copy_sound(stream: av.AudioStream, source: av.container.InputContainer) -> Iterator[av.Packet]:
  """Packets of the sound, with silence where the video has none: times count as those of its frames do."""
  sound = cast(av.AudioStream, source.streams.best('audio'))
  stream.layout = 'mono' if sound.codec_context.layout.nb_channels == 1 else 'stereo'
  began_s = Fraction(source.start_time or 0, av.time_base)
  resampler = av.AudioResampler(
    'fltp', stream.layout, RATE, frame_size=SAMPLES, options={'async': '1', 'first_pts': '0'}
  )
  for packet in source.demux(sound):
    for frame in _decode(packet):
      if frame.pts is not None:
        frame.pts -= round(began_s / (frame.time_base or Fraction(1, frame.sample_rate)))
      for piece in resampler.resample(frame):
        yield from stream.encode(piece)
  for piece in resampler.resample(None):
    yield from stream.encode(piece)
  yield from stream.encode(None)


def _due(packet: av.Packet) -> Fraction:
  """When a packet is decoded, seconds: the order in which a player wants them."""
  return (packet.dts or 0) * (packet.time_base or CLOCK)


def _decode(packet: 'av.Packet[av.AudioStream]') -> list[av.AudioFrame]:
  """Its frames; none of a damaged packet, as with pictures."""
  try:
    return packet.decode()
  except av.FFmpegError:
    return []
