"""Real clips with what is heard beside them: what is learnt from without any fake.

In: a `DataChoice` of a dataset that was built with sound. Out: `Pairs`, and batches of them {'look': as its feature,
'sound': float32 [B, T, R, M], 'heard': bool [B], 'person': int32 [B]}. Next stage: `training.contrastive`.

The order of an epoch is a function of (seed, epoch), as in `batches`.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from lipfake_jax.core.errors import UserError
from lipfake_jax.core.people import people
from lipfake_jax.core.vocabulary import SOUNDS
from lipfake_jax.data.batches import Batch, read_batch
from lipfake_jax.data.dataset import DataChoice, Split, open_split

HEARD, STATE = 'heard', 'sound_state'


@dataclasses.dataclass(frozen=True)
class Pairs:
  """N clips.

  Attributes:
    looks, sounds: the same part of a dataset, opened for what is seen and for what is heard.
    positions: int64 [N], of these clips in it.
    heard: bool [N], whether their videos have sound from beginning to end.
    people: of each clip, '' where they are not known.
  """

  looks: Split
  sounds: Split
  positions: np.ndarray
  heard: np.ndarray
  people: tuple[str, ...]

  def __len__(self) -> int:
    return len(self.positions)

  @property
  def keys(self) -> list[str]:
    """The video of each clip."""
    return [self.looks.table['key'][place] for place in self.positions]


def open_pairs(choice: DataChoice, part: str, data_dir: str | None, inputs: Sequence[str], label: int = 0) -> Pairs:
  """The clips of one class of a part.

  Args:
    choice, part, data_dir: as of `open_split`.
    inputs: the features of what is seen and of what is heard.
    label: 0 real, 1 fake.

  Raises:
    UserError: it is not built, or without sound.
  """
  looks, sounds, states = (open_split(choice, part, data_dir, name) for name in (*inputs, STATE))
  positions = np.flatnonzero(looks.labels == label)
  found = read_batch(states, positions)['clip'][:, 0]
  names = tuple('+'.join(people(row)) for row in looks.rows)
  return Pairs(looks, sounds, positions, found == SOUNDS.index(HEARD), tuple(names[place] for place in positions))


def keep(pairs: Pairs, which: np.ndarray) -> Pairs:
  """Some of the clips: bool [N]."""
  names = tuple(name for name, kept in zip(pairs.people, which, strict=True) if kept)
  return dataclasses.replace(pairs, positions=pairs.positions[which], heard=pairs.heard[which], people=names)


def read_pairs(pairs: Pairs, members: np.ndarray) -> Batch:
  """The clips that are named by their places in `pairs`, int64 [B]."""
  where = pairs.positions[members]
  numbers = np.unique(pairs.people, return_inverse=True)[1].astype(np.int32)
  read = {'look': read_batch(pairs.looks, where)['clip'], 'sound': read_batch(pairs.sounds, where)['clip']}
  return {**read, 'heard': pairs.heard[members], 'person': numbers[members]}


def order_moments(pairs: Pairs, batch_size: int, seed: int, epoch: int) -> np.ndarray:
  """Every clip once, but for those that fill no batch: int64 [batches, B].

  Raises:
    UserError: fewer clips than one batch.
  """
  if len(pairs) < batch_size:
    raise UserError(
      f'{pairs.looks.dataset} {pairs.looks.name} has {len(pairs)} real clips with sound: choose train.batch_size of at'
      ' most that'
    )
  order = np.random.default_rng((seed, epoch)).permutation(len(pairs))
  return order[: len(order) // batch_size * batch_size].reshape(-1, batch_size)


def order_people(pairs: Pairs, batch_size: int, seed: int, epoch: int) -> np.ndarray:
  """As many clips as there are, two of each person of a batch: int64 [batches, B].

  The two are of different videos where there are such; of a person with one clip it is the same one, augmented twice.

  Raises:
    UserError: nobody has two clips, or there are fewer people than half a batch.
  """
  members: dict[str, list[int]] = {}
  for place, name in enumerate(pairs.people):
    if name:
      members.setdefault(name, []).append(place)
  if len(members) < batch_size // 2 or not any(len(clips) > 1 for clips in members.values()):
    raise UserError(
      f'{pairs.looks.dataset} {pairs.looks.name} shows {len(members)} known people: half of train.batch_size'
      f' ({batch_size}) are needed, and two clips of some'
    )
  rng, keys, batches = np.random.default_rng((seed, epoch)), pairs.keys, []
  for _ in range(max(1, len(pairs) // batch_size)):
    chosen = rng.choice(sorted(members), batch_size // 2, replace=False)
    batches.append([place for name in chosen for place in _draw_two(members[name], keys, rng)])
  return np.array(batches)


def _draw_two(clips: Sequence[int], keys: Sequence[str], rng: np.random.Generator) -> tuple[int, int]:
  """Two clips of a person, the same twice where there is one."""
  first = int(rng.choice(clips))
  others = [place for place in clips if keys[place] != keys[first]] or [p for p in clips if p != first] or [first]
  return first, int(rng.choice(others))
