"""A photographed face made to talk: the pictures behind `demo_videos`.

In: a portrait that an installed package ships, and random generators. Out: RGB frames of somebody talking, and where
the mouth is in each. Next stage: `demo_videos` fakes some of them and writes video files.

Everything happens in the mouth's own frame: u to the right and v downwards from the middle of the lips, in half mouth
widths, so that the corners of the closed mouth lie at u = -1 and 1.
"""

import dataclasses
import functools
import importlib.util
from pathlib import Path

import cv2
import numpy as np
import PIL.Image

from lipfake_jax.core.errors import UserError

FPS = 25
UNIT = 40  # pixels a half mouth width in a person's picture
PERSON_SIZE = 448  # its side
PERSON_MOUTH = (224, 276)  # the middle of the lips in it, (x, y)

_OVERSAMPLING = 4  # steps a video frame in which articulation is computed
_LIP_SECONDS, _JAW_SECONDS = 0.032, 0.055  # time constants: the jaw is slower, so it lags
# (opening, rounding from -1 = spread to 1 = pursed, tongue seen), for vowels and for consonants.
_VOWELS = np.array([(1, 0, 0.3), (0.75, -0.4, 0.5), (0.42, -1, 0.6), (0.8, 0.7, 0.2), (0.4, 1, 0), (0.6, 0.1, 0.4)])
_CONSONANTS = np.array([(0, 0.1, 0), (0, -0.2, 0), (0.14, -0.2, 0), (0.3, -0.3, 1), (0.26, -0.5, 0.5), (0.25, 0.7, 0)])
_CAVITY, _TONGUE, _TEETH = np.array([(52, 18, 20), (158, 74, 78), (226, 214, 198)], np.float32)


@dataclasses.dataclass(frozen=True)
class Photograph:
  """A portrait and the lips in it, measured by Face Mesh and by eye.

  Attributes:
    package: ships the portrait.
    file: path below the package.
    left, right: the mouth's corners in pixels, (x, y).
    middle, bend: in the mouth's frame, the closed lips meet at v = middle - bend * u**2.
    gap: how far they stand open in the photograph from there upwards and downwards, at u = 0.
  """

  package: str
  file: str
  left: tuple[float, float]
  right: tuple[float, float]
  middle: float
  bend: float
  gap: tuple[float, float]


PHOTOGRAPHS = {
  'grace_hopper': Photograph(
    'matplotlib', 'mpl-data/sample_data/grace_hopper.jpg', (231.2, 280.0), (306.2, 277.0), -0.06, -0.06, (0.0, 0.0)
  ),
  'astronaut': Photograph('skimage', 'data/astronaut.png', (202.9, 139.4), (246.2, 141.4), 0.22, 0.2, (0.18, 0.2)),
}


@functools.cache
def read_photograph(name: str) -> np.ndarray:
  """Reads a portrait.

  Args:
    name: one of PHOTOGRAPHS.

  Returns:
    RGB uint8 [H, W, 3].

  Raises:
    UserError: the package that ships it is not installed, or no longer ships it.
  """
  photograph = PHOTOGRAPHS[name]
  spec = importlib.util.find_spec(photograph.package)
  path = Path(spec.origin).parent / photograph.file if spec and spec.origin else Path(photograph.file)
  if not path.is_file():
    raise UserError(f'{photograph.package} ships no {photograph.file}: install matplotlib and scikit-image.')
  with PIL.Image.open(path) as image:
    return np.array(image.convert('RGB'))


def make_person(name: str, rng: np.random.Generator) -> np.ndarray:
  """Makes somebody else of a portrait: other proportions, colours and background, mirrored or not.

  Args:
    name: one of PHOTOGRAPHS.
    rng: decides who it is.

  Returns:
    RGB uint8 [PERSON_SIZE, PERSON_SIZE, 3], the mouth's frame at PERSON_MOUTH with UNIT pixels a half mouth width.
  """
  photograph = PHOTOGRAPHS[name]
  y, x = np.mgrid[:PERSON_SIZE, :PERSON_SIZE].astype(np.float32)
  u, v = (x - PERSON_MOUTH[0]) / UNIT, (y - PERSON_MOUTH[1]) / UNIT
  background = _smooth_step((np.hypot(u / 2.7, (v + 1.7) / 3.6) - 1) / 0.25)[..., None]
  u, v = _shape_person(u, v, photograph, rng)
  left, right = np.array(photograph.left), np.array(photograph.right)
  (cx, cy), (ax, ay) = (left + right) / 2, (right - left) / 2
  map_x, map_y = cx + ax * u - ay * v, cy + ay * u + ax * v
  image = cv2.remap(
    read_photograph(name), map_x.astype(np.float32), map_y.astype(np.float32), cv2.INTER_CUBIC, None, cv2.BORDER_REFLECT
  )
  return _colour_person(image.astype(np.float32), background, rng)


def _shape_person(
  u: np.ndarray, v: np.ndarray, photograph: Photograph, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
  """Where a person's picture takes its pixels from. The line where the lips meet stays in place."""
  wide, tall, jaw, lip, eyes = rng.uniform((-0.1, -0.08, -0.1, -0.25, -0.08), (0.1, 0.08, 0.1, 0.2, 0.08))
  mirror = rng.choice((-1, 1))
  far = 1 - np.exp(-(u**2 + v**2) / 2.5)
  above = v - _middle(u, photograph)
  # Only outside of an open photographed mouth, whose edges must stay where they are.
  outside = np.maximum(np.where(above < 0, -above - photograph.gap[0], above - photograph.gap[1]), 0)
  v = v * (1 + tall * far) + np.sign(above) * lip * outside * np.exp(-((outside / 0.45) ** 2) - (u / 1.2) ** 2)
  u = u * (1 + far * (wide + jaw * _smooth_step((v + 0.5) / 2) + eyes * np.exp(-(((v + 2.4) / 0.9) ** 2))))
  return mirror * u, v


def _colour_person(image: np.ndarray, background: np.ndarray, rng: np.random.Generator) -> np.ndarray:
  """Gives float32 RGB another skin tone, and another tint where `background` is 1."""
  gamma, saturation = rng.uniform((0.75, 0.65), (1.45, 1.15))
  skin, tint = rng.uniform((0.92, 0.88, 0.82), (1.05, 1.02, 1.02)), rng.uniform(0.8, 1.12, 3)
  grey = image.mean(-1, keepdims=True)
  image = np.clip(grey + saturation * (image - grey), 0, 255) / 255
  image = image**gamma * (skin + background * (tint - skin))
  return np.clip(image * 255 + 0.5, 0, 255).astype(np.uint8)


def _middle(u: np.ndarray, photograph: Photograph) -> np.ndarray:
  """v at which the closed lips meet."""
  return photograph.middle - photograph.bend * u**2


def _smooth_step(x: np.ndarray) -> np.ndarray:
  """0 below 0, 1 above 1, smooth between."""
  x = np.clip(x, 0, 1)
  return x * x * (3 - 2 * x)


def speak(n_frames: int, style: np.ndarray, rng: np.random.Generator) -> np.ndarray:
  """The mouth of somebody who talks: random syllables and pauses, each blending into the next.

  Args:
    n_frames: how many video frames.
    style: float [3], the person's tempo, width of opening and strength of rounding, each about 1.
    rng: decides what is said.

  Returns:
    float32 [n_frames, 4]: lip opening and jaw drop in half mouth widths, rounding from -1 to 1, tongue from 0 to 1.
  """
  warm_up = 10
  n_steps = (n_frames + warm_up) * _OVERSAMPLING
  sounds: list[np.ndarray] = []
  while sum(map(len, sounds)) < n_steps:
    if rng.random() < 0.06:
      sounds.append(_hold(np.zeros(3), rng.uniform(0.12, 0.3)))
    for table, shortest, longest in ((_CONSONANTS, 0.06, 0.12), (_VOWELS, 0.12, 0.24)):
      target = table[rng.integers(len(table))] * rng.uniform(0.75, 1.1)
      sounds.append(_hold(target * (style[1], style[2], 1), rng.uniform(shortest, longest) / style[0]))
  targets = np.concatenate(sounds)[:n_steps]
  lips, jaw = _damp(targets, _LIP_SECONDS), _damp(targets[:, :1], _JAW_SECONDS)
  mouth = np.stack([lips[:, 0], 0.3 * jaw[:, 0], lips[:, 1], lips[:, 2]], -1)
  return mouth[warm_up * _OVERSAMPLING :: _OVERSAMPLING].astype(np.float32)


def _hold(target: np.ndarray, seconds: float) -> np.ndarray:
  return np.repeat(target[None], max(round(seconds * FPS * _OVERSAMPLING), 1), 0)


def _damp(targets: np.ndarray, seconds: float) -> np.ndarray:
  """A critically damped follower of float [steps, channels]: it never overshoots."""
  t = np.arange(64) / (FPS * _OVERSAMPLING * seconds)
  kernel = t * np.exp(-t)
  kernel /= kernel.sum()
  return np.stack([np.convolve(channel, kernel)[: len(targets)] for channel in targets.T], -1)


def move_head(n_frames: int, size: int, rng: np.random.Generator) -> np.ndarray:
  """The slow movement of a head.

  Args:
    n_frames: how many video frames.
    size: side of the video in pixels.
    rng: decides the movement.

  Returns:
    float32 [n_frames, 4]: where the mouth is, x and y in pixels, its half width in pixels, its angle in radians.
  """
  rest = rng.uniform((0.47, 0.63, 0.115, -0.06), (0.53, 0.67, 0.132, 0.06))
  swing = rng.uniform(0.4, 1, 4) * (0.014, 0.011, 0.0022, 0.03)
  frequency, phase = rng.uniform(0.1, 0.45, (2, 4)), rng.uniform(0, 2 * np.pi, (2, 4))
  t = np.arange(n_frames)[:, None] / FPS
  path = rest + swing * sum(np.sin(2 * np.pi * frequency[i] * t + phase[i]) for i in range(2))
  return (path * (size, size, size, 1)).astype(np.float32)


def draw_frame(
  person: np.ndarray, photograph: Photograph, mouth: np.ndarray, pose: np.ndarray, size: int
) -> np.ndarray:
  """Draws one frame: each pixel is interpolated once, straight from the person's picture.

  Args:
    person: RGB uint8 [PERSON_SIZE, PERSON_SIZE, 3] of `make_person`.
    photograph: what it was made from.
    mouth: float32 [4], a row of `speak`.
    pose: float32 [4], a row of `move_head`.
    size: side of the frame in pixels.

  Returns:
    RGB uint8 [size, size, 3].
  """
  flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
  frame = cv2.warpAffine(person, _head_matrix(pose), (size, size), None, flags, cv2.BORDER_REFLECT)
  x0, y0, x1, y1 = box = box_around(pose, (-3.2, -1.5, 3.2, 4.6), size)  # beyond it nothing but the head moves
  u, v, inside, height = _open_mouth(*mouth_frame(pose, box), photograph, mouth)
  map_x, map_y = UNIT * u + PERSON_MOUTH[0], UNIT * v + PERSON_MOUTH[1]
  window = cv2.remap(person, map_x, map_y, cv2.INTER_LINEAR, None, cv2.BORDER_REFLECT)
  # A ramp of one pixel at the lips' edges against stairs, and none at the corners, where they meet.
  seen = (inside * pose[2] > -0.5) & (np.abs(u) < 1)
  u, height, inside = u[seen], height[seen], inside[seen]
  cover = np.clip(inside * pose[2] + 0.5, 0, 1) * np.minimum(6 - 6 * np.abs(u), 1)
  skin = window[seen]
  window[seen] = (skin + cover[:, None] * (_draw_inside(u, height, inside, mouth) - skin) + 0.5).astype(np.uint8)
  frame[y0:y1, x0:x1] = window
  return frame


def _head_matrix(pose: np.ndarray) -> np.ndarray:
  """float64 [2, 3]: from the pixels of a frame to those of a person's picture."""
  x, y, unit, angle = pose.astype(float)
  cos, sin = UNIT / unit * np.cos(angle), UNIT / unit * np.sin(angle)
  return np.array([[cos, sin, PERSON_MOUTH[0] - cos * x - sin * y], [-sin, cos, PERSON_MOUTH[1] + sin * x - cos * y]])


def mouth_frame(pose: np.ndarray, box: tuple[int, int, int, int]) -> tuple[np.ndarray, np.ndarray]:
  """u and v of the pixels of a box.

  Args:
    pose: float32 [4], a row of `move_head`.
    box: (x0, y0, x1, y1) in pixels, the end excluded.

  Returns:
    Two float32 [y1 - y0, x1 - x0].
  """
  x, y, unit, angle = pose
  cos, sin = np.float32(np.cos(angle) / unit), np.float32(np.sin(angle) / unit)
  dx = np.arange(box[0], box[2], dtype=np.float32)[None] - x
  dy = np.arange(box[1], box[3], dtype=np.float32)[:, None] - y
  return cos * dx + sin * dy, cos * dy - sin * dx


def box_around(pose: np.ndarray, reach: tuple[float, float, float, float], size: int) -> tuple[int, int, int, int]:
  """The pixels (x0, y0, x1, y1) of a frame around u0, v0, u1, v1 (the head's slight tilt is left out of account)."""
  x, y, unit, _ = pose
  corners = np.clip(np.round(np.array(reach) * unit + (x, y, x, y)), 0, size).astype(int)
  return int(corners[0]), int(corners[1]), int(corners[2]), int(corners[3])


def _open_mouth(
  u: np.ndarray, v: np.ndarray, photograph: Photograph, mouth: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
  """Takes the talking mouth back to the photographed one.

  Args:
    u, v: float32 [h, w], positions in the talking face.
    photograph: has the lips' edges.
    mouth: float32 [4], a row of `speak`.

  Returns:
    Float32 [h, w] each: u and v in the photographed face, how far a point lies within the lips' edges (negative
    outside of the mouth), and its height, from the line where the lips meet downwards.
  """
  opening, jaw, rounding, _ = mouth
  chin = _smooth_step(v / 1.3) * np.exp(-(np.maximum(v - 1.6, 0) ** 2) / 2.2)
  v = v - jaw * chin * np.exp(-(u**2) / 3.2)
  spread = 1 / (1 - 0.24 * max(rounding, 0) - 0.12 * min(rounding, 0)) - 1
  u = u * (1 + spread * np.exp(-(u**2) / 2.9 - v**2))
  arch = np.maximum(1 - u**2, 0)
  middle = _middle(u, photograph)
  upper, lower = middle - 0.3 * opening * arch, middle + 0.7 * opening * arch
  above, below = np.maximum(upper - v, 0), np.maximum(v - lower, 0)
  up = (0.3 * opening - photograph.gap[0]) * arch * np.exp(-((above / 0.55) ** 2))
  down = (0.7 * opening - photograph.gap[1]) * arch * np.exp(-((below / 0.9) ** 2))
  return u, v + np.where(v + v < upper + lower, up, -down), np.minimum(v - upper, lower - v), v - middle


def _draw_inside(u: np.ndarray, height: np.ndarray, inside: np.ndarray, mouth: np.ndarray) -> np.ndarray:
  """The inside of the mouth: float32 RGB [n, 3] at n points of `_open_mouth`'s u, height and depth within the lips."""
  opening, _, _, tongue = mouth
  # Upper teeth hang from the skull, so a lip that rises or falls uncovers them from below.
  teeth = _smooth_step((0.13 - 0.16 * u**2 - height) / 0.05) * _smooth_step((0.86 - np.abs(u)) / 0.2)
  gaps = 1 - 0.16 * np.abs(np.cos(np.pi * 4.5 * u)) ** 8
  shade = gaps * (1 - 0.45 * u**2) * (0.6 + 0.4 * _smooth_step(inside / 0.12))
  lies_at = 0.7 * opening - 0.12 - 0.3 * tongue * opening
  flesh = _smooth_step((height - lies_at * (1 - 0.6 * u**2)) / 0.12) * _smooth_step((0.75 - np.abs(u)) / 0.3)
  colours = _CAVITY + (0.35 + 0.65 * tongue) * flesh[:, None] * (_TONGUE - _CAVITY)
  return colours + teeth[:, None] * (shade[:, None] * _TEETH - colours)
