"""Whether what is seen of a face is enough for a verdict: a mouth that shows, is large enough, moves and is seen often.

In: key frames with their faces, while a video passes (`watch`); then, a track. Out: its fault by name, or none.
Used by `analysis` and `clips`.

Landmarks come without visibility: of a mouth behind a mask the mesh draws the one that it expects. So pixels are asked:
between lips lies a line darker than they are, or teeth that are brighter, and from the skin above to the skin below the
brightness changes. Limits were chosen on 228 real videos, real and fake, of the training and validation parts, and on
half of them with painted covers. Of 113 each are found: all masks of one colour (blue, white, black, red, the skin's
own), bars, stickers, soft patches of skin and blurs; 112 microphones, 90 hands, 72 patterned masks, 54 coarse scarves,
51 mosaics. The 76 videos of the test part were only counted.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from lipfake_jax.clips.face_track import Track
from lipfake_jax.clips.placement import cut_plane
from lipfake_jax.clips.regions import LIP_RINGS, place_region
from lipfake_jax.clips.tracks import FrameFaces
from lipfake_jax.clips.video import Frame
from lipfake_jax.core.clip_spec import ClipSpec

LOOK_S = 0.25  # seconds from one look at a face's mouth to the next
FACE_SIDE = 96  # pixels of the square of the face that is looked at; a mouth is 27 wide in it
SEEN = 75  # percentile over the looks at a face: a mouth that shows in a quarter of them is there

# Of a track. Beside each limit, the least of the tracks of those 304 videos, of either class: none is lost.
MIN_RATE = 5.0  # frames per second, the median: 7.5, then 15. A sound takes a fifth of a second
MIN_MOUTH = 15.0  # px, the median width: 17.2, then 18.4
MIN_NEAR_SIDE = -0.25  # see `near_side`, the median: -.14 and -.05, heads turned far aside, then .13
MIN_EDGE = 0.06  # see `Look`, the percentile above, where relief is small too: .071, then .089
LEAST_EDGE = 0.02  # whatever the relief: rendered fakes with mouths of low resolution have .023, then .052
MUCH_RELIEF = 0.1  # with so much of it, LEAST_EDGE is enough: those fakes have .112 and more, masks of one colour .02
MIN_RELIEF = 0.05  # likewise: .078, then .087; a photograph of a smile, which has little, .063
MIN_MOVEMENT = 1.25  # px per second in a crop of 64 px, the mean on the lips: 4.7; a picture that stands still 0

TOP, BOTTOM = (17, 18, 19, 0, 1, 2, 3), (13, 12, 11, 10, 9, 8, 7)  # positions in a ring of the lips, left to right
CHEEKS_AND_FOREHEAD = (50, 280, 205, 425, 36, 266, 9, 151, 8)
NOSE_TIP, TEMPLES, EYES = 1, (234, 454), (33, 263)


class Look(NamedTuple):
  """What one look at a face shows of its mouth.

  Attributes:
    edge: by how much the line between the lips is darker than the lower lip, or teeth are brighter than both, as a
      share of the skin's brightness.
    relief: how much brightness varies from the skin above the mouth over lips and line to the skin below, likewise.
    near_side: see `near_side`.
  """

  edge: float
  relief: float
  near_side: float


Fault = tuple[str, str]  # a reason, one of REASONS, and a sentence for people


def watch(seen: Iterable[FrameFaces], looks: dict[int, list[Look]]) -> Iterator[FrameFaces]:
  """Passes frames through and notes, by track, what its faces show every `LOOK_S`."""
  next_s: dict[int, float] = {}
  for frame, faces in seen:
    for face in faces or ():
      if frame.time_s >= next_s.get(face.track, -np.inf):
        next_s[face.track] = frame.time_s + LOOK_S
        looks.setdefault(face.track, []).append(look_at(frame, face.landmarks))
    next_s = {track: due_s for track, due_s in next_s.items() if due_s > frame.time_s}  # new tracks never end
    yield frame, faces


def look_at(frame: Frame, landmarks: np.ndarray) -> Look:
  """A look at a face in a frame; landmarks: float32 [468, 2], in pixels."""
  square = place_region(landmarks, 'face', 'aligned')
  gray = cut_plane(frame.luma, square, FACE_SIDE).astype(np.float32)
  points = ((landmarks.astype(np.float64) @ (1, 1j) - square[0]) / square[1] + 1 + 1j) * FACE_SIDE / 2 - (0.5 + 0.5j)
  outer, inner, around = (points[list(ring)] for ring in LIP_RINGS[:3])
  top, bottom = list(TOP), list(BOTTOM)
  above, below = (_read(gray, around[side]) for side in (top, bottom))
  upper, lower = (_read(gray, (outer[side] + inner[side]) / 2) for side in (top, bottom))
  between = _read(gray, np.linspace(inner[top], inner[bottom], 5))
  darkest, brightest = between.min(axis=0), between.max(axis=0)
  skin = max(float(np.median(_read(gray, points[list(CHEEKS_AND_FOREHEAD)]))), 16.0)
  edge = max(np.median(lower - darkest), np.median(brightest - np.maximum(upper, lower)))
  reliefs = [np.std(np.median([above, upper, line, lower, below], axis=1)) for line in (darkest, brightest)]
  return Look(float(edge) / skin, float(max(reliefs)) / skin, near_side(landmarks))


def near_side(landmarks: np.ndarray) -> float:
  """How far the nose's tip is from the nearer temple, as a share of its way to the other one.

  1 from the front, 0 where the tip is above a temple, as in a profile, less beyond; float32 [468, 2] in.
  """
  points = landmarks.astype(np.float64) @ (1, 1j)
  axis = points[EYES[1]] - points[EYES[0]]
  right, left = ((points[temple] - points[NOSE_TIP]) / axis for temple in TEMPLES)
  near, far = sorted((-right.real, left.real))
  return float(near / max(far, 1e-6))


def share_hidden(track: Track) -> float:
  """Share of the looks at a track that show no mouth."""
  edge, relief, _ = track.looks.T
  return float(np.mean((edge < MIN_EDGE) | (relief < MIN_RELIEF)))


def find_fault(track: Track, spec: ClipSpec) -> Fault | None:
  """The first thing that keeps a track from a verdict; None where all is well."""
  rate, mouth = track.rate, float(np.median(track.mouth_widths))
  movement = float(track.lips_activity.mean()) * rate * 64 / spec.size
  edge, relief, _ = np.percentile(track.looks, SEEN, axis=0)
  turned = np.median(track.looks[:, 2])
  faults: Mapping[str, tuple[bool, str]] = {
    'rate_too_low': (rate < MIN_RATE, f'{rate:.3g} frames per second, at least {MIN_RATE:g} are needed'),
    'mouth_too_small': (mouth < MIN_MOUTH, f'its mouth is {mouth:.0f} px wide, at least {MIN_MOUTH:.0f} are needed'),
    'profile': (turned < MIN_NEAR_SIDE, 'the face is seen from the side'),
    'mouth_hidden': (not shows_mouth(edge, relief), 'no lips show where its mouth must be'),
    'still': (movement < MIN_MOVEMENT, f'its mouth moves by {movement:.2g} px a second, like a picture of somebody'),
  }
  return next(((reason, detail) for reason, (fails, detail) in faults.items() if fails), None)


def shows_mouth(edge: float, relief: float) -> bool:
  """Whether what was seen, see `Look`, is a mouth's."""
  return relief >= MIN_RELIEF and edge >= (LEAST_EDGE if relief >= MUCH_RELIEF else MIN_EDGE)


def _read(gray: np.ndarray, points: np.ndarray) -> np.ndarray:
  """float32, brightness at points, complex of any shape, between pixels; at the border where they lie outside."""
  last = np.array(gray.shape[::-1]) - 1
  x, y = np.clip(points.real, 0, last[0] - 1e-3), np.clip(points.imag, 0, last[1] - 1e-3)
  column, row = x.astype(int), y.astype(int)
  right, down = x - column, y - row
  upper = gray[row, column] * (1 - right) + gray[row, column + 1] * right
  lower = gray[row + 1, column] * (1 - right) + gray[row + 1, column + 1] * right
  return upper * (1 - down) + lower * down
