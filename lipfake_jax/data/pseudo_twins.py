"""A fake beside each real clip of a part that has no fakes: what a folder of reals alone is chosen and measured by.

In: a `Split` of real clips. Out: one with twice as many. They are the pseudo-fakes of `pseudo_fakes`, whole clips,
always the same: no video has them, and what is measured on them is not what a forger makes.
"""

import dataclasses
import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from tensorflow_datasets.proto import tf_example_pb2

from lipfake_jax.data.batches import read_clip
from lipfake_jax.data.dataset import Split
from lipfake_jax.data.pseudo_fakes import KINDS, make_pseudo_fake

SUFFIX = '~pseudo-fake'


@dataclasses.dataclass(frozen=True)
class Twins:
  """Serialised examples of the pseudo-fakes of a split's reals, by position, made as they are read.

  Attributes:
    split: of reals alone.
    kinds: of each clip's twin.
  """

  split: Split
  kinds: Sequence[str]

  def __len__(self) -> int:
    return len(self.split)

  def __getitem__(self, position: int) -> bytes:
    source, place = self.split.places[position]
    example = tf_example_pb2.Example.FromString(self.split.sources[source][int(place)])
    rng = np.random.default_rng(_number(self.split.table['clip'][position]))
    clip, other = read_clip(self.split, position), read_clip(self.split, self._draw_other(position, rng))
    fake, _ = make_pseudo_fake(clip, np.arange(len(clip)), other, self.kinds[position], rng)
    example.features.feature[self.split.feature].bytes_list.value[0] = fake.tobytes()
    return example.SerializeToString()

  def _draw_other(self, position: int, rng: np.random.Generator) -> int:
    """A clip of another person, where there is one."""
    shown = np.array(self.split.table['identity'])
    others = np.flatnonzero(shown != shown[position])
    return int(rng.choice(others)) if len(others) else position


def add_twins(split: Split) -> Split:
  """The split with a pseudo-fake for each of its clips, all of which are real."""
  kinds = [sorted(KINDS)[_number(key) % len(KINDS)] for key in split.table['key']]
  twins: Any = Twins(split, kinds)
  places = np.array([(len(split.sources), position) for position in range(len(split))], np.int64)
  changed = {
    'clip': [f'{name}{SUFFIX}' for name in split.table['clip']],
    'key': [f'{name}{SUFFIX}' for name in split.table['key']],
    'original': split.table['key'],
    'label': ['fake'] * len(split),
    'method': [f'pseudo-{kind}' for kind in kinds],
  }
  return dataclasses.replace(
    split,
    sources=(*split.sources, twins),
    places=np.concatenate([split.places, places]),
    labels=np.concatenate([split.labels, np.ones_like(split.labels)]),
    table={name: [*column, *changed.get(name, column)] for name, column in split.table.items()},
  )


def _number(name: str) -> int:
  """From a name alone."""
  return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], 'big')
