"""What happens to videos on their way: frames with less colour, noise, blur or blocks, or encoded once more.

In: a stream of frames. Out: the same frames, changed, before any face is looked for. Next stage: `tracks`. Names and
levels are `clip_spec.PERTURBATIONS`; the definitions are those of DeeperForensics-1.0's released code
(github.com/EndlessSora/DeeperForensics-1.0, perturbation/distortions.py).

That code then stores the changed frames as a video, by a lossy codec; here they go on as they are.
"""

import collections
import functools
import itertools
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np

from lipfake_jax.clips.video import Frame, VideoError, from_rgb, read_planes
from lipfake_jax.core.clip_spec import parse_perturbation

BLOCK, BLOCK_GRAY, BLOCK_UNIT = 8, 128, 256  # side of a gray block; its brightness; the frame's side a count is for
# RGB of noise in Y, Cb and Cr of BT.601, where black and white are 16 and 235, no colour 128, and full colour 112 away.
NOISE_TO_RGB = np.array([[1, 0, 1.402], [1, -0.344, -0.714], [1, 1.772, 0]]) * (255 / 219, 255 / 224, 255 / 224)
NOISE_SHIFTS = 1 << 18  # windows of the drawn noise: a frame takes one of them
CLOCK = 90_000  # ticks a second of encoded frames


def perturb(frames: Iterator[Frame], perturbation: str, fps: float) -> Iterator[Frame]:
  """Changes a video's frames; their number, indices and times stay.

  Args:
    frames: in order.
    perturbation: 'NAME:LEVEL', see `clip_spec.PERTURBATIONS`; '' passes frames on.
    fps: frames per second, which an encoder wants to know.

  Raises:
    VideoError: a frame can't be encoded.
  """
  if not perturbation:
    return frames
  name, parameter = parse_perturbation(perturbation)
  if name not in CHANGES:
    return _encode_again(frames, int(parameter), fps)
  change = CHANGES[name]
  return (from_rgb(change(frame.rgb, parameter, frame.index), frame.index, frame.time_s) for frame in frames)


def fade(rgb: np.ndarray, share: float, index: int) -> np.ndarray:
  """Keeps a share of the colour: its distance from the pixel's brightness (BT.601)."""
  gray = cv2.cvtColor(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
  return cv2.addWeighted(rgb, share, gray, 1 - share, 0)


def darken(rgb: np.ndarray, share: float, index: int) -> np.ndarray:
  """Scales towards black, which is what the released code calls contrast."""
  return cv2.convertScaleAbs(rgb, alpha=share)


def cover(rgb: np.ndarray, count: float, index: int) -> np.ndarray:
  """Puts gray blocks at random places, others in every frame: `count` for each whole 256 px of the shorter side.

  A side below 256 px counts as one; the released code leaves such frames as they are.
  """
  height, width = rgb.shape[:2]
  count = int(count) * max(min(height, width) // BLOCK_UNIT, 1)
  rng = np.random.default_rng((index, count))
  lefts, tops = rng.integers(0, (max(width - BLOCK, 1), max(height - BLOCK, 1)), (count, 2)).T
  covered = rgb.copy()
  for left, top in zip(lefts, tops, strict=True):
    covered[top : top + BLOCK, left : left + BLOCK] = BLOCK_GRAY
  return covered


def add_noise(rgb: np.ndarray, variance: float, index: int) -> np.ndarray:
  """Adds Gaussian noise in Y, Cb and Cr, of this variance where 1 is 255 of their 8-bit codes, and clips RGB."""
  height, width = rgb.shape[:2]
  noise = _draw_noise(variance, height * width)
  start = int(np.random.default_rng(index).integers(NOISE_SHIFTS))
  window = noise[start : start + height * width].reshape(height, width, 3)
  return cv2.add(rgb, window, dtype=cv2.CV_8U)


@functools.lru_cache(maxsize=1)
def _draw_noise(variance: float, pixels: int) -> np.ndarray:
  """int16 [pixels + NOISE_SHIFTS, 3], in RGB. Drawn once a video, since new noise for each frame takes ten times as
  long as all the rest; a frame's window is another one than its neighbours'."""
  deviation = 255 * variance**0.5
  noise = np.random.default_rng(0).standard_normal((pixels + NOISE_SHIFTS, 1, 3), np.float32)
  return np.round(cv2.transform(noise, NOISE_TO_RGB * deviation)).astype(np.int16)[:, 0]


def blur(rgb: np.ndarray, kernel: float, index: int) -> np.ndarray:
  """Gaussian blur; the kernel's side is six standard deviations."""
  return cv2.GaussianBlur(rgb, (int(kernel), int(kernel)), kernel / 6)


def pixelate(rgb: np.ndarray, factor: float, index: int) -> np.ndarray:
  """Makes the picture smaller by a factor and as large as before, both linearly."""
  height, width = rgb.shape[:2]
  small = cv2.resize(rgb, (max(width // int(factor), 1), max(height // int(factor), 1)))
  return cv2.resize(small, (width, height))


# (RGB uint8 [H, W, 3], parameter of the level, index of the frame) -> RGB uint8 [H, W, 3]
CHANGES: dict[str, Callable[[np.ndarray, float, int], np.ndarray]] = {
  'saturation': fade,
  'contrast': darken,
  'blocks': cover,
  'noise': add_noise,
  'blur': blur,
  'pixelation': pixelate,
}


def _encode_again(frames: Iterable[Frame], crf: int, fps: float) -> Iterator[Frame]:
  """Frames as they come back from H.264 of a constant rate factor, x264's preset and all else as ffmpeg has them."""
  for _, run in itertools.groupby(frames, key=lambda frame: frame.luma.shape):  # an encoder knows one size
    yield from _pass_encoder(run, crf, fps)


def _pass_encoder(frames: Iterator[Frame], crf: int, fps: float) -> Iterator[Frame]:
  """Frames of one size through an encoder and a decoder; only those wait that the encoder looks ahead at."""
  first = next(frames)
  encoder, decoder = _open_encoder(first, crf, fps), av.CodecContext.create('h264', 'r')
  waiting: collections.deque[tuple[int, float, np.ndarray]] = collections.deque()
  height, width = first.luma.shape

  def decode(packets: Iterable[Any]) -> Iterator[Frame]:
    for packet in packets:
      for decoded in decoder.decode(packet):
        (y, u, v), _ = read_planes(decoded)
        chroma = (u[: -(-height // 2), : -(-width // 2)], v[: -(-height // 2), : -(-width // 2)])
        index, time_s, to_rgb = waiting.popleft()
        yield Frame(index, time_s, (y[:height, :width], *chroma), to_rgb)

  try:
    for frame in itertools.chain([first], frames):
      waiting.append((frame.index, frame.time_s, frame.to_rgb))
      yield from decode(encoder.encode(_to_av(frame)))
    yield from decode([*encoder.encode(None), None])
  except av.FFmpegError as error:
    raise VideoError(f'its frames of {width}x{height} pixels can not be encoded again: {error}') from error


def _open_encoder(frame: Frame, crf: int, fps: float) -> Any:
  encoder = av.CodecContext.create('libx264', 'w')
  encoder.height, encoder.width = (side + side % 2 for side in frame.luma.shape)
  encoder.pix_fmt, encoder.time_base = 'yuv420p', Fraction(1, CLOCK)
  encoder.framerate = Fraction(fps).limit_denominator(CLOCK)
  encoder.options = {'crf': str(crf), 'threads': '1'}  # x264's bits depend on the number of its threads
  return encoder


def _to_av(frame: Frame) -> av.VideoFrame:
  """The frame as 4:2:0, which delivered videos are; an odd side gets its last row or column once more."""
  height, width = frame.luma.shape
  luma = cv2.copyMakeBorder(frame.luma, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
  size = (luma.shape[1] // 2, luma.shape[0] // 2)
  chroma = [cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in frame.planes[1:]]
  stacked = np.concatenate([plane.ravel() for plane in (luma, *chroma)]).reshape(-1, luma.shape[1])
  encoded = av.VideoFrame.from_ndarray(stacked, format='yuv420p')
  encoded.pts, encoded.time_base = round(frame.time_s * CLOCK), Fraction(1, CLOCK)
  return encoded
