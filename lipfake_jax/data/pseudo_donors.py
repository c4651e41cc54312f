"""What the donor of a pseudo-fake goes through before it is blended in: the traces that generators leave.

Each takes frames uint8 [T, S, S, 3] and a random generator, draws its strength once for all frames, and gives frames of
the same shape. Next stage: `pseudo_fakes`.
"""

from collections.abc import Callable

import cv2
import numpy as np

from lipfake_jax.data.pseudo_masks import smooth_field

SMOOTH = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4, cv2.INTER_AREA)

Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def change_donor(frames: np.ndarray, rng: np.random.Generator, names: tuple[str, ...], count: int) -> np.ndarray:
  """`count` different changes of those named, one after the other."""
  for name in rng.choice(names, min(count, len(names)), replace=False):
    frames = CHANGES[name](frames, rng)
  return frames


def rescale(frames: np.ndarray, rng: np.random.Generator) -> np.ndarray:
  """Made smaller and large again, as a patch of 96 pixels a face or fewer."""
  size, factor = frames.shape[1], rng.uniform(0.22, 0.75)
  small, down, up = max(8, round(size * factor)), rng.choice((cv2.INTER_AREA, cv2.INTER_LINEAR)), rng.choice(SMOOTH)
  return _each(frames, lambda frame: _resize(_resize(frame, small, int(down)), size, int(up)))


def blur(frames: np.ndarray, rng: np.random.Generator) -> np.ndarray:
  """A Gaussian blur."""
  sigma = rng.uniform(0.5, 2.0)
  return _each(frames, lambda frame: cv2.GaussianBlur(frame, (0, 0), sigma))


def sharpen(frames: np.ndarray, rng: np.random.Generator) -> np.ndarray:
  """An unsharp mask, as after a super-resolution network."""
  sigma, amount = rng.uniform(0.6, 2.5), rng.uniform(0.4, 1.6)
  return _each(frames, lambda frame: _unsharp(frame, sigma, amount))


def smooth_skin(frames: np.ndarray, rng: np.random.Generator) -> np.ndarray:
  """Texture lost and edges kept, as by an autoencoder."""
  if rng.random() < 0.4:
    kernel = int(rng.choice((3, 5)))
    return _each(frames, lambda frame: cv2.medianBlur(frame, kernel))
  reach, levels = int(rng.integers(5, 9)), rng.uniform(15, 50)
  return _each(frames, lambda frame: cv2.bilateralFilter(frame, reach, levels, reach))


def recolour(frames: np.ndarray, rng: np.random.Generator) -> np.ndarray:
  """Gain and offset of each channel, and a gamma, which a colour match leaves over."""
  gain, offset, gamma = rng.uniform(0.92, 1.08, 3), rng.uniform(-8, 8, 3), rng.uniform(0.88, 1.14)
  table = 255 * (np.arange(256) / 255)[:, None] ** gamma * gain + offset
  return _look_up(frames, table)


def warp(frames: np.ndarray, rng: np.random.Generator) -> np.ndarray:
  """A small smooth deformation, the same in all frames or turning from one to another."""
  size = frames.shape[1]
  first, last = (smooth_field(rng, size, int(rng.integers(3, 7))) * rng.uniform(0.004, 0.025) * size for _ in range(2))
  last = first if rng.random() < 0.5 else last
  shares = np.linspace(0, 1, len(frames))
  return _remap(frames, [(1 - share) * first + share * last for share in shares])


def jitter(frames: np.ndarray, rng: np.random.Generator) -> np.ndarray:
  """Out of place by a little, anew in each frame, in scale too."""
  size, reach = frames.shape[1], rng.uniform(0.003, 0.015)
  steady = rng.normal(0, reach, 3)
  moves = steady + rng.normal(0, reach * rng.random(), (len(frames), 3))
  return np.stack([_move(frame, x * size, y * size, 1 + z) for frame, (x, y, z) in zip(frames, moves, strict=True)])


def compress(frames: np.ndarray, rng: np.random.Generator) -> np.ndarray:
  """JPEG, on a grid of its own."""
  quality, x, y = int(rng.integers(20, 75)), *rng.integers(0, 8, 2)
  return _each(frames, lambda frame: np.roll(jpeg(np.roll(frame, (y, x), (0, 1)), quality), (-y, -x), (0, 1)))


def checker(frames: np.ndarray, rng: np.random.Generator) -> np.ndarray:
  """The pattern of transposed convolutions: made larger by zeros between pixels and a filter whose phases differ.

  After Zhang, Karaman and Chang 2019 (AutoGAN), with random filters.
  """
  size, factor = frames.shape[1], rng.uniform(0.35, 0.8)
  small = max(8, round(size * factor / 2))
  gains = 1 + rng.uniform(0.015, 0.08) * rng.standard_normal((2, 2, 3 if rng.random() < 0.5 else 1))
  pattern = np.tile(gains, (small, small, 1)).astype(np.float32)
  nearest = rng.random() < 0.4

  def make(frame: np.ndarray) -> np.ndarray:
    half = _resize(frame, small, cv2.INTER_AREA)
    large = _resize(half, 2 * small, cv2.INTER_NEAREST if nearest else cv2.INTER_CUBIC)
    return _resize(_to_bytes(large * pattern), size, cv2.INTER_CUBIC)

  return _each(frames, make)


def waves(frames: np.ndarray, rng: np.random.Generator) -> np.ndarray:
  """A faint periodic pattern: a peak in the spectrum, as generators leave."""
  size = frames.shape[1]
  y, x = np.mgrid[:size, :size]
  angle, period = rng.uniform(0, np.pi), rng.choice((2, 2.67, 4, 5.3, 8))
  if rng.random() < 0.5:
    angle = 0.0
  phase, strength = rng.uniform(0, 6.28), rng.uniform(1.2, 5)
  wave = np.cos(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / period + phase)
  if rng.random() < 0.5:
    wave = wave * np.cos(2 * np.pi * (y * np.cos(angle) - x * np.sin(angle)) / period + phase)
  pattern = (strength * wave[..., None] * rng.uniform(0.5, 1, 3)).astype(np.float32)
  return _each(frames, lambda frame: _to_bytes(frame + pattern))


def grain(frames: np.ndarray, rng: np.random.Generator) -> np.ndarray:
  """Noise of another strength or coarseness than the camera's."""
  size, sigma, coarse = frames.shape[1], rng.uniform(1.5, 6), rng.uniform(0.4, 1)
  side = max(8, round(size * coarse))

  def add(frame: np.ndarray) -> np.ndarray:
    noise = rng.standard_normal((side, side, 3 if sigma > 3 else 1)).astype(np.float32) * sigma
    noise = noise if side == size else _resize(noise, size, cv2.INTER_LINEAR)
    return _to_bytes(frame + noise.reshape(size, size, -1))

  return _each(frames, add)


CHANGES: dict[str, Change] = {
  'rescale': rescale,
  'blur': blur,
  'sharpen': sharpen,
  'smooth_skin': smooth_skin,
  'recolour': recolour,
  'warp': warp,
  'jitter': jitter,
  'compress': compress,
  'checker': checker,
  'waves': waves,
  'grain': grain,
}


def match_colours(donor: np.ndarray, frames: np.ndarray) -> np.ndarray:
  """The donor with the mean and deviation of each channel of Lab that the frames have: uint8 [T, S, S, 3]."""
  ours, theirs = (np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2LAB) for frame in x]) for x in (donor, frames))
  (mean, deviation), (goal, spread) = ((x.mean((0, 1, 2)), x.std((0, 1, 2))) for x in (ours, theirs))
  table = (np.arange(256)[:, None] - mean) * np.clip(spread / (deviation + 1e-3), 0.6, 1.6) + goal
  return np.stack([cv2.cvtColor(lab, cv2.COLOR_LAB2RGB) for lab in _look_up(ours, table)])


def jpeg(frame: np.ndarray, quality: int) -> np.ndarray:
  """A frame through JPEG, uint8 [H, W, 3]."""
  _, data = cv2.imencode('.jpg', frame, (cv2.IMWRITE_JPEG_QUALITY, quality))
  return cv2.imdecode(data, cv2.IMREAD_COLOR)


def warp_mouth(frames: np.ndarray, rng: np.random.Generator) -> np.ndarray:
  """The mouth opened, shut or pulled aside by a deformation about it that moves from frame to frame."""
  size, count = frames.shape[1], len(frames)
  y, x = np.mgrid[:size, :size].astype(np.float32) / size
  near = np.exp(
    -(((x - 0.5) / rng.uniform(0.2, 0.35)) ** 2) - ((y - rng.uniform(0.36, 0.55)) / rng.uniform(0.12, 0.25)) ** 2
  )
  reach = rng.uniform(0.015, 0.05) * size
  steps = np.cumsum(rng.normal(0, rng.uniform(0.1, 0.6), (count, 3)), axis=0) + rng.normal(0, 1, 3)
  fields = []
  for wide, high, aside in np.tanh(steps):
    fields.append(
      np.stack([near * ((x - 0.5) * 4 * wide + 0.4 * aside), near * (np.sign(y - 0.4) * 0.3 + 1) * high], -1) * reach
    )
  return _remap(frames, fields)


def _each(frames: np.ndarray, change: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
  return np.stack([change(frame) for frame in frames])


def _resize(frame: np.ndarray, side: int, how: int) -> np.ndarray:
  return cv2.resize(frame, (side, side), interpolation=how)


def _unsharp(frame: np.ndarray, sigma: float, amount: float) -> np.ndarray:
  return cv2.addWeighted(frame, 1 + amount, cv2.GaussianBlur(frame, (0, 0), sigma), -amount, 0)


def _look_up(frames: np.ndarray, table: np.ndarray) -> np.ndarray:
  """Each channel through its column of a table [256, 3]."""
  return np.stack([cv2.LUT(frame, _to_bytes(table)[None]) for frame in frames])


def _to_bytes(x: np.ndarray) -> np.ndarray:
  return np.clip(np.rint(x), 0, 255).astype(np.uint8)


def _move(frame: np.ndarray, x: float, y: float, scale: float) -> np.ndarray:
  size = len(frame)
  middle = size / 2 * (1 - scale)
  matrix = np.array(((scale, 0, middle + x), (0, scale, middle + y)), np.float32)
  return cv2.warpAffine(frame, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _remap(frames: np.ndarray, fields) -> np.ndarray:
  size = frames.shape[1]
  y, x = np.mgrid[:size, :size].astype(np.float32)
  return np.stack(
    [
      cv2.remap(
        frame,
        (x + field[..., 0]).astype(np.float32),
        (y + field[..., 1]).astype(np.float32),
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
      )
      for frame, field in zip(frames, fields, strict=True)
    ]
  )
