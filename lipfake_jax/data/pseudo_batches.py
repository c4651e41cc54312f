"""Training batches in which most fakes are made from the reals beside them, and both are degraded alike.

In: a split, its reals at least, and `PseudoFakes`. Out: batches {'clip': uint8 [B, T, size, size, 3], 'label': int32
[B], 'position': int64 [B], 'patches': float32 [B, G, G]}: how far each patch of 16 pixels is a donor's; -1 where the
clip is another's fake, of which nobody knows. Of lips' landmarks 'clip' is float32 [B, T, K, 2], whole clips, and there
are no patches. Next stage: `training.steps`.

A batch is a function of (seed, epoch, its number). Half of it is real. Each pseudo-fake has the real frames that it was
made from beside it, degraded by the same draws: nothing but the forgery tells them apart (Shiohara and Yamasaki 2022).
"""

import dataclasses
from collections.abc import Iterator, Mapping

import cv2
import grain
import numpy as np

from lipfake_jax.core.errors import UserError
from lipfake_jax.data import pseudo_motion
from lipfake_jax.data.batches import READ_AHEAD, Batch, read_clip
from lipfake_jax.data.dataset import Split
from lipfake_jax.data.degrade import cut_middle, degrade
from lipfake_jax.data.pseudo_fakes import KINDS, make_pseudo_fake

PATCH = 16  # pixels a side, as the encoder's last stride
STEPS, CHANCES = (0, 1, 2), (0.1, 0.65, 0.25)  # frames from one to the next, and how often


@dataclasses.dataclass(frozen=True)
class PseudoFakes:
  """What a training batch is made of.

  Attributes:
    share: of the fakes that are pseudo-fakes, 0 to 1; at 0 batches are plain and nothing here counts.
    kinds: how often each of `pseudo_fakes.KINDS` is drawn, relative to the others.
    frames: of a clip that a batch holds, in their order or backwards.
    size: side of its crop in pixels, cut from the clip's at random.
    strength: of the degradation, 0 to 1, see `degrade`.
    untouched: share of the clips that are not degraded, 0 to 1.
    spoil: share of the clips that are spoiled on top, 0 to 1.
    rounds: how many times as many clips as there are make an epoch.

  Raises:
    UserError: a value out of its range, or an unknown kind.
  """

  share: float = 0.0
  kinds: Mapping[str, float] = dataclasses.field(default_factory=lambda: dict.fromkeys(KINDS, 1.0))
  frames: int = 2
  size: int = 112
  strength: float = 1.0
  untouched: float = 0.0
  spoil: float = 0.0
  rounds: int = 1

  def __post_init__(self):
    for name in ('share', 'strength', 'untouched', 'spoil'):
      if not 0 <= getattr(self, name) <= 1:
        raise UserError(f'pseudo.{name}={getattr(self, name)}: choose from 0 to 1')
    if unknown := set(self.kinds) - set(KINDS):
      raise UserError(f'pseudo.kinds: unknown {", ".join(sorted(unknown))}; there are {", ".join(KINDS)}')
    if self.share and not sum(self.kinds.values()) > 0:
      raise UserError('pseudo.kinds: give one of them a share above 0')
    if self.frames < 1 or self.size < 2 * PATCH or self.rounds < 1:
      raise UserError(f'pseudo.frames={self.frames}, size={self.size}, rounds={self.rounds}: at least 1, 32 and 1')


def mixed_batches(
  split: Split,
  batch_size: int,
  seed: int,
  epoch: int,
  settings: PseudoFakes,
  first: int = 0,
  share: tuple[int, int] = (0, 1),
) -> Iterator[Batch]:
  """The batches of one epoch, from number `first`.

  Args:
    split: to train on.
    batch_size: clips at once, even.
    seed, epoch: what the batches are a function of.
    settings: of the pseudo-fakes.
    first: number of the batch to begin with.
    share: (i, n) gives the i-th of n equal parts of every batch.

  Raises:
    UserError: an odd batch size, a class without a clip that is to be drawn, or a feature that no fakes are made of.
  """
  kinds = _find_kinds(split.feature, settings.kinds)
  videos = [_by_video(split, label) for label in (0, 1)]
  true = count_true(batch_size, settings.share)
  if batch_size % 2 or not videos[0] or (true and not videos[1]):
    raise UserError(
      f'batch_size={batch_size}, {len(videos[0])} real and {len(videos[1])} fake videos: pseudo-fakes need an even'
      ' batch and reals, and fakes unless pseudo.share=1'
    )
  cv2.setNumThreads(1)  # batches are made in threads, beside the training
  numbers = np.arange(len(split) * settings.rounds // batch_size)[first:]

  def make(number: int) -> Batch:
    rng = np.random.default_rng((seed, epoch, number))
    batch = _make_batch(split, videos, batch_size, true, kinds, settings, rng)
    return {name: np.split(column, share[1])[share[0]] for name, column in batch.items()}

  yield from grain.MapDataset.source(numbers).map(make).to_iter_dataset(READ_AHEAD)


def count_true(batch_size: int, share: float) -> int:
  """How many of the batch's fakes are no pseudo-fakes."""
  return round(batch_size / 2 * (1 - share))


def _by_video(split: Split, label: int) -> list[np.ndarray]:
  """The positions of the clips of each video of a class."""
  keys, wanted = np.array(split.table['key']), split.labels == label
  return [np.flatnonzero(wanted & (keys == key)) for key in dict.fromkeys(keys[wanted])]


def _find_kinds(feature: str, wanted: Mapping[str, float]) -> dict[str, float]:
  """Those of the kinds that a feature can show."""
  shown = {'clip': list(KINDS), 'lips': list(pseudo_motion.KINDS)}.get(feature, [])
  kinds = {name: share for name, share in wanted.items() if name in shown}
  if not sum(kinds.values()) > 0:
    raise UserError(f'pseudo.kinds: none of {", ".join(wanted)} is made of the feature {feature!r}')
  return kinds


def _make_batch(split: Split, videos, size: int, true: int, kinds, settings: PseudoFakes, rng) -> Batch:
  reals, fakes = ([_draw(videos[label], rng) for _ in range(count)] for label, count in ((0, size // 2), (1, true)))
  examples = [_example(split, position, None, settings, rng) for position in fakes]
  for number, position in enumerate(reals):
    pair_rng, twin_rng = (np.random.default_rng(seed) for seed in rng.integers(2**63, size=1).repeat(2))
    examples.append(_example(split, position, '', settings, pair_rng))
    if number < size // 2 - true:
      kind = str(rng.choice(list(kinds), p=_shares(kinds)))
      other = read_clip(split, _draw(videos[0], rng))
      examples.append(_example(split, position, kind, settings, twin_rng, other, rng))
  return {name: np.stack([example[name] for example in examples]) for name in examples[0]}


def _example(split, position, kind, settings, rng, other=None, own_rng=None) -> dict[str, np.ndarray]:
  """One clip: of another's making where `kind` is None, real where it is '', else made a pseudo-fake."""
  clip = read_clip(split, position)
  known: dict[str, np.ndarray] = {'label': np.array(kind != '', np.int32), 'position': np.array(position, np.int64)}
  if split.feature == 'lips':
    lips = pseudo_motion.make_pseudo_motion(clip, other, kind, own_rng) if kind else clip
    return {'clip': pseudo_motion.disturb(lips, settings.strength, rng), **known}
  times = _draw_times(len(clip), settings.frames, rng)
  mask = np.zeros(clip.shape[1:3], np.float32)
  frames = clip[times]
  if kind:
    frames, mask = make_pseudo_fake(clip, times, other, kind, own_rng)
  if rng.random() < settings.untouched:
    frames, mask = cut_middle(frames, mask, settings.size)
  else:
    frames, mask = degrade(frames, mask, settings.size, settings.strength, settings.spoil, rng)
  grid = settings.size // PATCH
  patches = cv2.resize(mask, (grid, grid), interpolation=cv2.INTER_AREA)
  return {
    'clip': frames,
    **known,
    'patches': np.full_like(patches, -1) if kind is None else patches,
  }


def _draw(videos: list[np.ndarray], rng: np.random.Generator) -> int:
  """A clip of any video, each video as likely as another."""
  return int(rng.choice(videos[rng.integers(len(videos))]))


def _draw_times(count: int, frames: int, rng: np.random.Generator) -> np.ndarray:
  """int [frames]: moments of a clip, at a pace that is drawn, since the rates of videos differ; or backwards."""
  step = int(rng.choice(STEPS, p=CHANCES)) if frames < count // 2 else 1
  first = int(rng.integers(count - step * (frames - 1)))
  times = first + step * np.arange(frames)
  return times[::-1] if rng.random() < 0.5 else times


def _shares(kinds: Mapping[str, float]) -> np.ndarray:
  weights = np.array(list(kinds.values()), float)
  return weights / weights.sum()
