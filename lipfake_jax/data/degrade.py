"""What real clips and fakes go through alike in training, so that a picture's quality tells nothing of its class.

In: frames uint8 [T, S, S, 3] and a mask. Out: the same at the size asked for. Every draw is one a clip, constant in
time but for noise. Some clips are spoiled as videos are on their way, see `clips.perturb`.
"""

import cv2
import numpy as np

from lipfake_jax.core.clip_spec import PERTURBATIONS
from lipfake_jax.data.pseudo_donors import jpeg

RATE = 25.0  # frames per second, for an encoder
# What hides texture is drawn twice as often as what doesn't.
SPOILS = ('saturation', 'contrast', 'blocks', *2 * ('noise', 'blur', 'pixelation', 'h264'))


def degrade(
  frames: np.ndarray, mask: np.ndarray, size: int, strength: float, spoil: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
  """Mirrors, moves, recolours and spoils frames.

  Args:
    frames: uint8 [T, S, S, 3].
    mask: float32 [S, S], which is mirrored and moved along.
    size: side of the result in pixels.
    strength: 0 to 1, how likely each change is, of its usual probability.
    spoil: 0 to 1, how likely it is that one of SPOILS comes on top.
    rng: of all draws.

  Returns:
    uint8 [T, size, size, 3] and float32 [size, size].
  """
  matrix = _place(frames.shape[1], size, rng)
  how = int(rng.choice((cv2.INTER_LINEAR, cv2.INTER_CUBIC)))
  moved = [cv2.warpAffine(f, matrix, (size, size), flags=how, borderMode=cv2.BORDER_REFLECT_101) for f in frames]
  mask = cv2.warpAffine(mask, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
  steps = [*_colours(rng, strength), *_quality(size, rng, strength)]
  out = []
  for frame in moved:
    for step in steps:
      frame = step(frame)
    out.append(frame)
  spoiled = _spoil(out, rng) if rng.random() < spoil else out
  return np.stack(spoiled), mask


def cut_middle(frames: np.ndarray, mask: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
  """The middle of frames and mask, as `degrade` has them where it changes nothing else."""
  first = (frames.shape[1] - size) // 2
  inside = slice(first, first + size)
  return frames[:, inside, inside], mask[inside, inside]


def _place(source: int, size: int, rng: np.random.Generator) -> np.ndarray:
  """[2, 3]: mirrored, turned, scaled and shifted at random; the middle stays in view."""
  scale, turn = rng.uniform(0.9, 1.12), rng.normal(0, 0.05)
  slack = max(0.0, (source * scale - size) / 2) + 0.02 * size
  x, y = rng.uniform(-slack, slack, 2)
  a, b = scale * np.cos(turn), scale * np.sin(turn)
  flip = -1 if rng.random() < 0.5 else 1
  middle, goal = (source - 1) / 2, (size - 1) / 2
  matrix = np.array(((a * flip, -b), (b * flip, a)))
  shift = np.array((goal + x, goal + y)) - matrix @ (middle, middle)
  return np.column_stack([matrix, shift]).astype(np.float32)


def _colours(rng: np.random.Generator, strength: float):
  if rng.random() < 0.8 * strength:
    gain, offset, gamma = rng.uniform(0.75, 1.25), rng.uniform(-20, 20), rng.uniform(0.8, 1.25)
    tint = rng.uniform(0.93, 1.07, 3)
    table = 255 * (np.arange(256) / 255)[:, None] ** gamma * gain * tint + offset
    table = np.clip(np.rint(table), 0, 255).astype(np.uint8)[None]
    yield lambda frame: cv2.LUT(frame, table)
  if rng.random() < 0.4 * strength:
    share = rng.uniform(0.2, 1.4)

    def saturate(frame: np.ndarray) -> np.ndarray:
      gray = cv2.cvtColor(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
      return cv2.addWeighted(frame, share, gray, 1 - share, 0)

    yield saturate


def _spoil(frames: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
  """Frames after one of SPOILS, as strong as any level, in the pixels of the crop."""
  from lipfake_jax.clips import perturb  # not above: it loads PyAV, which training does not need
  from lipfake_jax.clips.video import from_rgb

  name = str(rng.choice(SPOILS))
  levels = PERTURBATIONS[name]
  if name == 'h264':
    level = int(rng.integers(1, len(levels) + 1))
    stream = (from_rgb(frame, index, index / RATE) for index, frame in enumerate(frames))
    return [frame.rgb for frame in perturb.perturb(stream, f'{name}:{level}', RATE)]
  amount = float(rng.uniform(min(levels), max(levels)))
  if name == 'noise':
    return _add_noise(frames, 255 * np.exp(rng.uniform(*np.log((min(levels), max(levels))))) ** 0.5, rng)
  if name == 'blocks':
    amount = rng.uniform(0, 25)  # levels count them on 256 pixels a side, of which a crop has a part
  if name == 'blur':
    amount = 1 + 2 * round(amount / 2 * rng.uniform(1, 1.5))  # an odd side; crops are larger than what they show
  return [perturb.CHANGES[name](frame, amount, index) for index, frame in enumerate(frames)]


def _add_noise(frames: list[np.ndarray], deviation: float, rng: np.random.Generator) -> list[np.ndarray]:
  """Noise of the video's pixels, which are larger than the crop's."""
  size = len(frames[0])
  side = round(size * rng.uniform(0.4, 1))

  def add(frame: np.ndarray) -> np.ndarray:
    field = rng.standard_normal((side, side, 3), np.float32) * deviation
    return np.clip(np.rint(frame + cv2.resize(field, (size, size))), 0, 255).astype(np.uint8)

  return [add(frame) for frame in frames]


def _quality(size: int, rng: np.random.Generator, strength: float):
  """Steps in varying order; JPEG, which the others would hide, is the last."""
  steps = []
  if rng.random() < 0.4 * strength:
    small = round(size * rng.uniform(0.35, 0.95))
    down, up = (int(rng.choice((cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC))) for _ in range(2))
    steps.append(
      lambda frame: cv2.resize(cv2.resize(frame, (small, small), interpolation=down), (size, size), interpolation=up)
    )
  if rng.random() < 0.25 * strength:
    sigma = rng.uniform(0.3, 1.6)
    steps.append(lambda frame: cv2.GaussianBlur(frame, (0, 0), sigma))
  if rng.random() < 0.25 * strength:
    reach, amount = rng.uniform(0.6, 2), rng.uniform(0.2, 1.2)
    steps.append(lambda frame: cv2.addWeighted(frame, 1 + amount, cv2.GaussianBlur(frame, (0, 0), reach), -amount, 0))
  if rng.random() < 0.3 * strength:
    level, channels = rng.uniform(1, 9), int(rng.choice((1, 3)))

    def noise(frame: np.ndarray) -> np.ndarray:
      field = rng.standard_normal((size, size, channels), np.float32) * level
      return np.clip(np.rint(frame + field), 0, 255).astype(np.uint8)

    steps.append(noise)
  if rng.random() < 0.15 * strength:
    early = int(rng.integers(40, 95))
    steps.append(lambda frame: jpeg(frame, early))
  rng.shuffle(steps)  # type: ignore[arg-type]  # a list of functions will do
  if rng.random() < 0.6 * strength:
    quality = int(rng.integers(25, 96))
    steps.append(lambda frame: jpeg(frame, quality))
  return steps
