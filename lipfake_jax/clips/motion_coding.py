"""The motion that a video codec finds: an image sequence is coded anew, and read for its block types and vectors.

In: gray crops of one face, all of one size. Out: float32 [F], see `motion_statistics`; a feature of a clip, see
`features.codec_motion`.

After Wang et al. (2020), who tell fakes by H.264's motion. Videos arrive in many codecs, at many qualities: what those
chose would tell the source of a video rather than whether it is a fake. So all are coded anew, with ENCODER; with one
quantiser for all frames, nothing depends on a rate control's memory. Brightness alone is coded.

Vectors come from FFmpeg's decoder as side data. It has no such list of block types; its debug output tells them, a row
of macroblocks a line.
"""

import re
from collections.abc import Iterable
from fractions import Fraction

import av
import numpy as np

from lipfake_jax.clips.motion_statistics import INTRA, PREDICTED, SKIPPED, Motion, summarise

SIDE = 192  # of the coded images, pixels: 12 x 12 macroblocks, of which lips in a face take 5 x 5
BLOCK = 16  # of a macroblock
# Frames in their order, each predicted from the one before alone, also across a cut; none but the first is intra.
ENCODER = {
  'preset': 'fast',
  'qp': '24',
  'x264-params': 'threads=1:ref=1:bframes=0:weightp=0:rc-lookahead=0:scenecut=0:keyint=infinite',
}
# FFmpeg's letters (libavcodec/mpegutils.c, get_type_mv_char): P, A, i, I are intra, d, g, S are skipped.
LETTERS = {**dict.fromkeys('PAiI', INTRA), **dict.fromkeys('dgS', SKIPPED), **dict.fromkeys('DG><X', PREDICTED)}
ROW = re.compile(rf'^ *\d+ ((?:[{"".join(LETTERS)}][-+| ][= ])+)$')  # a letter, how it is divided, whether interlaced


def measure_motion(crops: Iterable[np.ndarray], squares: np.ndarray, follows: np.ndarray) -> np.ndarray:
  """Statistics of how crops of a face move, as a codec sees it.

  Args:
    crops: T images, uint8 [SIDE, SIDE].
    squares: complex128 [T, 2], the lips' square in each, a placement in its pixels.
    follows: bool [T], whether a crop shows the frame after that of the crop before; the others do not count.

  Returns:
    float32 [F], see `motion_statistics.summarise`; zeros where no crop follows another.
  """
  kept = np.flatnonzero(follows[1:]) + 1  # nothing comes before the first
  if not len(kept):
    return summarise([], squares[:0], BLOCK)
  motions = read_motions(encode(crops))
  return summarise([motions[i] for i in kept], squares[kept], BLOCK)


def encode(images: Iterable[np.ndarray]) -> list[av.Packet]:
  """Codes uint8 [SIDE, SIDE] as H.264, a packet each; the same bits at every call."""
  codec = av.CodecContext.create('libx264', 'w')
  codec.width = codec.height = SIDE
  codec.pix_fmt, codec.time_base, codec.framerate, codec.options = 'gray', Fraction(1, 25), Fraction(25), ENCODER
  packets = []
  for number, image in enumerate(images):
    frame = av.VideoFrame.from_ndarray(image, format='gray')
    frame.pts = number
    packets += codec.encode(frame)
  return packets + codec.encode(None)


def read_motions(packets: Iterable[av.Packet]) -> list[Motion]:
  """Block types and vectors of every frame, in order.

  Raises:
    RuntimeError: this FFmpeg does not tell block types.
  """
  codec = av.CodecContext.create('h264', 'r')
  codec.thread_count, codec.options = 1, {'flags2': '+export_mvs', 'debug': 'mb_type'}
  level = av.logging.get_level()
  av.logging.set_level(av.logging.DEBUG)
  try:
    with av.logging.Capture() as lines:
      frames = [frame for packet in (*packets, None) for frame in codec.decode(packet)]
  finally:
    av.logging.set_level(level)
  rows = [found[1][::3] for _, name, line in lines if name == 'h264' and (found := ROW.match(line.rstrip('\n')))]
  if len(rows) != len(frames) * SIDE // BLOCK:
    raise RuntimeError(f'FFmpeg named {len(rows)} rows of macroblocks in {len(frames)} frames')
  kinds = np.array([[LETTERS[letter] for letter in row] for row in rows], np.uint8)
  return [
    _read_motion(frame, grid)
    for frame, grid in zip(frames, kinds.reshape(-1, SIDE // BLOCK, SIDE // BLOCK), strict=True)
  ]


def _read_motion(frame: av.VideoFrame, kinds: np.ndarray) -> Motion:
  found = frame.side_data.get('MOTION_VECTORS')
  if found is None:  # an intra frame
    return Motion(kinds, np.zeros(0, complex), np.zeros(0, complex), np.zeros(0))
  vectors = found.to_ndarray()
  # A vector points from a part to what it is predicted from: what is seen there came the other way.
  moves = -(vectors['motion_x'] + 1j * vectors['motion_y']) / vectors['motion_scale']
  areas = vectors['w'].astype(float) * vectors['h']
  return Motion(kinds, vectors['dst_x'] + 1j * vectors['dst_y'], moves, areas)
