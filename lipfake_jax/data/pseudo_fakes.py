"""Fakes made from real clips alone, while training reads them: no generator's output is needed.

In: frames of a real clip, the clip whole, and one of another person. Out: frames in which a donor covers the mouth or
more, and the mask that says where. After self-blended images (Shiohara and Yamasaki, CVPR 2022), with donors from
another moment, another person, or a poor generator. Next stage: `degrade`, through which real clips go, too.
"""

from collections.abc import Callable

import numpy as np

from lipfake_jax.data.pseudo_donors import CHANGES, change_donor, match_colours, warp_mouth
from lipfake_jax.data.pseudo_masks import draw_mask

LOCAL = ('ellipse', 'lower_face', 'rectangle')
ANY = tuple(CHANGES)
SYNTHESIS = ('rescale', 'blur', 'sharpen', 'smooth_skin', 'compress', 'checker', 'waves', 'grain')
SLIGHT = ('rescale', 'blur', 'sharpen', 'recolour', 'warp', 'jitter', 'smooth_skin', 'compress', 'checker')
PATTERNS = ('checker', 'waves', 'smooth_skin')

Kind = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.random.Generator], tuple[np.ndarray, str]]


def make_pseudo_fake(
  clip: np.ndarray, times: np.ndarray, other: np.ndarray, kind: str, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
  """Makes a fake of some frames of a real clip.

  Args:
    clip: uint8 [N, S, S, 3], all frames that may give a moment.
    times: int [T], those that are made a fake of.
    other: uint8 [M, S, S, 3], a real clip of another person.
    kind: one of KINDS.
    rng: of all draws.

  Returns:
    uint8 [T, S, S, 3]; and float32 [S, S], how far the donor covers each pixel, the same in all frames. Where it is 0
    the frames are those of the clip.
  """
  frames = clip[times]
  donor, shape = KINDS[kind](clip, times, other, frames, rng)
  mask = draw_mask(rng, shape, clip.shape[1])
  return cover(frames, donor, mask), mask


def cover(frames: np.ndarray, donor: np.ndarray, mask: np.ndarray) -> np.ndarray:
  """Frames, uint8 [T, S, S, 3], under a donor of the same shape as far as a mask says, float32 [S, S]."""
  share = mask[None, ..., None]
  return np.rint(frames + share * (donor.astype(np.float32) - frames)).astype(np.uint8)


def _blend(clip, times, other, frames, rng):
  """The same frames, changed."""
  return change_donor(frames, rng, ANY, int(rng.integers(1, 4))), str(rng.choice(LOCAL))


def _resynthesis(clip, times, other, frames, rng):
  """The mouth anew at a low resolution, by a network that smooths and leaves patterns."""
  donor = change_donor(frames, rng, ('rescale', 'checker'), 1)
  return change_donor(donor, rng, SYNTHESIS, int(rng.integers(0, 3))), str(rng.choice(LOCAL))


def _generator(clip, times, other, frames, rng):
  """The whole crop by a network: its patterns and its smoothness are all there is to see."""
  return change_donor(frames, rng, PATTERNS, int(rng.integers(1, 3))), 'whole'


def _moment(clip, times, other, frames, rng):
  """The mouth of another moment, a few frames off or anywhere: out of step with the head."""
  moved = (np.asarray(times) + int(rng.integers(2, max(3, len(clip))))) % len(clip)
  return _slightly(clip[moved], rng), str(rng.choice(LOCAL))


def _frozen(clip, times, other, frames, rng):
  """One mouth for all frames."""
  still = clip[np.full(len(times), rng.integers(len(clip)))]
  return _slightly(still, rng), str(rng.choice(LOCAL))


def _speed(clip, times, other, frames, rng):
  """The mouth at another pace, or backwards."""
  pace = rng.choice((-2, -1, 0.5, 2, 3))
  moved = np.rint(int(rng.integers(len(clip))) + pace * (np.asarray(times) - times[0])).astype(int) % len(clip)
  return _slightly(clip[moved], rng), str(rng.choice(LOCAL))


def _reenactment(clip, times, other, frames, rng):
  """The mouth moved by a deformation; in the whole crop, or pasted."""
  donor = warp_mouth(frames, rng)
  return _slightly(donor, rng), str(rng.choice((*LOCAL, 'whole')))


def _portrait(clip, times, other, frames, rng):
  """One picture that a deformation lets talk: the whole crop comes from a single frame."""
  still = clip[np.full(len(times), rng.integers(len(clip)))]
  return change_donor(warp_mouth(still, rng), rng, ('warp', 'smooth_skin', 'checker', 'sharpen', 'waves'), 2), 'whole'


def _identity(clip, times, other, frames, rng):
  """The lower face of another person, in the colours of this one."""
  donor = other[np.arange(len(times)) % len(other)] if len(other) < len(clip) else other[times]
  return _slightly(match_colours(donor, frames), rng), str(rng.choice(('lower_face', 'rectangle', 'ellipse')))


def _slightly(donor: np.ndarray, rng: np.random.Generator) -> np.ndarray:
  return change_donor(donor, rng, SLIGHT, int(rng.integers(0, 3)))


KINDS: dict[str, Kind] = {
  'blend': _blend,
  'resynthesis': _resynthesis,
  'generator': _generator,
  'moment': _moment,
  'frozen': _frozen,
  'speed': _speed,
  'reenactment': _reenactment,
  'portrait': _portrait,
  'identity': _identity,
}
