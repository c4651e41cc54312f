"""Batches of built datasets, read at random from ArrayRecord files, without TensorFlow.

In: the names of datasets, of their config, of a split, and of the feature that stands for a clip. Out: batches
{'clip': uint8 [B, T, S, S, 3] or float32 [B, T, K, 2] or [B, F], 'label': int32 [B], 'position': int64 [B], ...},
NumPy. Next stage: `steps`, which makes pixels float on the device.

The order of a training epoch is a function of (seed, epoch), and any batch of it can be had without those before it: a
run that was stopped at a step goes on there with nothing but these three numbers.
"""

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import grain
import numpy as np
import tensorflow_datasets as tfds
from tensorflow_datasets.proto import tf_example_pb2

from lipfake_jax.clips.features.motion_statistics import N_FEATURES
from lipfake_jax.clips.regions import LIP_POINTS
from lipfake_jax.core.clip_spec import SPECS
from lipfake_jax.core.errors import UserError
from lipfake_jax.core.vocabulary import LABELS
from lipfake_jax.data import splits
from lipfake_jax.data.listing import STORED, read_instructions

# What can stand for a clip, and its type: see `clips.Clip`.
FEATURES = {'clip': np.uint8, 'lips': np.float32, 'motion': np.float32}
READ_AHEAD = grain.ReadOptions(num_threads=2, prefetch_buffer_size=4)  # in batches

Table = dict[str, list]
Batch = dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Split:
  """One part of a dataset, or of several.

  Attributes:
    dataset: name of the builder; of several 'a+b'.
    name: 'train', 'validation', 'test' or 'all'; 'paper_leaky' for what the paper tested on.
    rule: how the datasets are split, one of `splits.SPLITS`; of several 'a+b' where they differ.
    sources: the stored clips of each dataset, by position.
    places: int64 [N, 2], of each clip of this part: which source, and the position in it.
    labels: int32 [N], their classes.
    table: what is known of each, N entries a column: 'clip' (its key), 'key' (its video's), 'identity', 'method', ...
    spec: the fields of the `ClipSpec` that they were made by.
    rejections: the videos of this part that gave no clip: key, label, reason, detail and more of each.
    feature: what is read of each clip: 'clip' for its pixels, 'lips' for its landmarks, 'motion' for a codec's
      statistics of the face.
  """

  dataset: str
  name: str
  rule: str
  sources: tuple[Any, ...]
  places: np.ndarray
  labels: np.ndarray
  table: Table
  spec: dict[str, Any]
  rejections: list[dict[str, str]]
  feature: str

  def __len__(self) -> int:
    return len(self.labels)

  @property
  def rows(self) -> list[dict[str, Any]]:
    """What is known of each clip, one after the other."""
    return [dict(zip(self.table, values, strict=True)) for values in zip(*self.table.values(), strict=True)]

  @property
  def clip_shape(self) -> tuple[int, ...]:
    """(T, S, S, 3), or (T, K, 2) of lips, or (F,) of motion."""
    frames, size = self.spec['frames'], self.spec['size']
    shapes = {'clip': (frames, size, size, 3), 'lips': (frames, len(LIP_POINTS), 2), 'motion': (N_FEATURES,)}
    return shapes[self.feature]


Reader = Callable[[Split, np.ndarray], Batch]


def open_split(
  dataset: str,
  builder_config: str,
  part: str,
  data_dir: str | None,
  split: str = '',
  seed: int = 0,
  exclude: Sequence[str] = (),
  feature: str = 'clip',
) -> Split:
  """Opens a part of a dataset that `tfds build` made, or of several.

  Args:
    dataset: name of the builder; 'a+b' for the union of two.
    builder_config: name of its config, which says what a clip is.
    part: 'train', 'validation', 'test' or 'all'.
    data_dir: where datasets are kept; None is TFDS's default.
    split: one of `splits.SPLITS`; '' is what each dataset names as its own.
    seed: of the split.
    exclude: folders of the datasets (as `VideoRecord.folder` names them) that are left aside.
    feature: what is read of each clip, one of FEATURES.

  Raises:
    UserError: it is not built, or nothing of it is in this part; the message says what to do.
  """
  choices = (builder_config, part, data_dir, split, seed, exclude, feature)
  parts = [_open_one(name, *choices) for name in dataset.split('+')]
  specs = [opened.spec for opened in parts]
  if any(spec != specs[0] for spec in specs):
    raise UserError(f'{dataset}: their clips differ ({specs[0]} and others): build them with the same config')
  return dataclasses.replace(
    parts[0],
    dataset=dataset,
    rule='+'.join(dict.fromkeys(opened.rule for opened in parts)),
    sources=tuple(source for opened in parts for source in opened.sources),
    places=np.concatenate([opened.places + np.array((number, 0)) for number, opened in enumerate(parts)]),
    labels=np.concatenate([opened.labels for opened in parts]),
    table={name: [value for opened in parts for value in opened.table[name]] for name in parts[0].table},
    rejections=[rejection for opened in parts for rejection in opened.rejections],
  )


def _open_one(
  dataset: str,
  builder_config: str,
  part: str,
  data_dir: str | None,
  split: str,
  seed: int,
  exclude: Sequence[str],
  feature: str,
) -> Split:
  try:
    builder = tfds.core.read_only_builder.builder_from_files(f'{dataset}/{builder_config}', data_dir=data_dir)
  except tfds.core.DatasetNotFoundError as error:
    raise UserError(_how_to_build(dataset, builder_config, data_dir)) from error
  if feature not in builder.info.features:
    names = [name for name, spec in SPECS.items() if getattr(spec, feature, True)]
    raise UserError(
      f'{dataset}/{builder_config}: its clips are stored without {feature!r}, which the model takes:'
      f' choose --config.data.builder_config={" or ".join(names)}'
    )
  metadata, source = builder.info.metadata, builder.as_data_source(STORED).data_source
  stored, rejections = metadata['clips'], metadata['rejections']
  if len(stored['clip']) != len(source):
    raise UserError(f'{dataset}/{builder_config}: its table and its clips disagree; build it again with --overwrite')
  clips = [dict(zip(stored, values, strict=True)) for values in zip(*stored.values(), strict=True)]
  split = split or metadata['default_split']
  # One draw over both, so that a rejected video is counted in the part that it would have been in.
  rows = [*clips, *rejections]
  chosen = [i for i in splits.select_part(rows, split, part, seed) if rows[i]['folder'] not in exclude]
  positions = [i for i in chosen if i < len(clips)]
  if not positions:
    raise UserError(f'{dataset}/{builder_config} has no clips in {part!r}:\n{splits.split_table(rows, split, seed)}')
  return Split(
    dataset=dataset,
    name=splits.split_name(split, part),
    rule=split,
    sources=(source,),
    places=np.array([(0, i) for i in positions], np.int64),
    labels=np.array([LABELS.index(clips[i]['label']) for i in positions], np.int32),
    table={name: [column[i] for i in positions] for name, column in stored.items()},
    spec=metadata['spec'],
    rejections=[rows[i] for i in chosen if i >= len(clips)],
    feature=feature,
  )


def read_clip(split: Split, position: int) -> np.ndarray:
  """uint8 [T, S, S, 3], or float32 [T, K, 2] of lips, or float32 [F] of motion."""
  source, place = split.places[position]
  example = tf_example_pb2.Example.FromString(split.sources[source][int(place)])
  clip = example.features.feature[split.feature].bytes_list.value[0]
  return np.frombuffer(clip, FEATURES[split.feature]).reshape(split.clip_shape)


def train_batches(
  split: Split,
  batch_size: int,
  seed: int,
  epoch: int,
  first: int = 0,
  weights: Sequence[float] = (),
  balanced: bool = False,
  share: tuple[int, int] = (0, 1),
  read: Reader | None = None,
) -> Iterator[Batch]:
  """The batches of one epoch, from number `first`; the clips that fill no batch sit this epoch out.

  Args:
    split: what to read.
    batch_size: clips at once.
    seed: of the order.
    epoch: its number.
    first: number of the batch to begin with.
    weights, balanced: as in `epoch_order`.
    share: (i, n) gives the i-th of n equal parts of every batch, and reads no other.
    read: how a batch is made of positions; None is `read_batch`, from disk.

  Raises:
    UserError: fewer clips than one batch.
  """
  if len(split) < batch_size:
    raise UserError(f'{split.dataset} {split.name} holds {len(split)} clips: choose a batch_size of at most that')
  order = epoch_order(split, seed, epoch, weights, balanced)
  batches = _part(order[: len(order) // batch_size * batch_size].reshape(-1, batch_size), share)
  source = grain.MapDataset.source(batches[first:])
  yield from source.map(lambda batch: (read or read_batch)(split, batch)).to_iter_dataset(READ_AHEAD)


def stack_batches(batches: Iterator[Batch], count: int) -> Iterator[Batch]:
  """Groups of `count` batches [B, ...] as [count, B, ...]; the last group may be smaller."""
  while group := list(itertools.islice(batches, count)):
    first = group[0]
    yield {name: np.stack([batch[name] for batch in group]) if count > 1 else first[name][None] for name in first}


def epoch_order(
  split: Split, seed: int, epoch: int, weights: Sequence[float] = (), balanced: bool = False
) -> np.ndarray:
  """The clips of one epoch in their order: positions, int64 [N], each once unless they are mixed by shares.

  Args:
    split: of N clips.
    seed, epoch: what the order is a function of.
    weights: of each dataset of 'a+b', in their order: the shares of an epoch's N clips that they give. Clips of a
      dataset that gives more than it has come several times. () takes each clip once.
    balanced: half of the epoch is real and half is fake; within a class, datasets keep their weights.

  Raises:
    UserError: the weights don't fit the datasets, or a class is missing that should be half.
  """
  rng = np.random.default_rng((seed, epoch))
  if not weights and not balanced:
    return rng.permutation(len(split))
  datasets = split.places[:, 0]
  sizes = np.bincount(datasets, minlength=len(split.sources))
  shares = np.array(weights or sizes, float)
  if len(shares) != len(sizes) or (shares <= 0).any():
    raise UserError(f'data.weights={tuple(weights)}: give {split.dataset} one number above 0 for each dataset')
  classes = split.labels if balanced else np.zeros(len(split), int)
  if balanced and len(np.unique(classes)) < 2:
    raise UserError(f'{split.dataset} {split.name} holds one class: balanced epochs need both')
  drawn = []
  for label in np.unique(classes):
    groups = [np.flatnonzero((classes == label) & (datasets == number)) for number in range(len(sizes))]
    held = np.array([share if len(group) else 0 for share, group in zip(shares, groups, strict=True)])
    bounds = np.round(len(split) / (1 + balanced) * np.cumsum(held) / held.sum()).astype(int)
    for group, quota in zip(groups, np.diff(bounds, prepend=0), strict=True):
      if quota:
        rounds = [rng.permutation(group) for _ in range(-(-quota // len(group)))]
        drawn.append(np.concatenate(rounds)[:quota])
  return rng.permutation(np.concatenate(drawn))


def eval_batches(split: Split, batch_size: int, share: tuple[int, int] = (0, 1)) -> Iterator[Batch]:
  """Every clip once, in stored order; the last batch is padded with its first clip, where 'mask' is False.

  Of several processes each reads the clips of its share, as in `train_batches`; 'position' and 'mask' are of the whole
  batch, since the scores of all are gathered.
  """
  count = -(-len(split) // batch_size) * batch_size
  positions, mask = np.arange(count), np.arange(count) < len(split)
  positions[~mask] = positions[(len(split) - 1) // batch_size * batch_size]
  rows = positions.reshape(-1, batch_size)
  batches = grain.MapDataset.source(_part(rows, share)).map(lambda batch: read_batch(split, batch))
  whole = zip(batches.to_iter_dataset(READ_AHEAD), rows, mask.reshape(-1, batch_size), strict=True)
  for batch, row, kept in whole:
    yield {**batch, 'position': row, 'mask': kept}


def _part(batches: np.ndarray, share: tuple[int, int]) -> np.ndarray:
  """The i-th of n equal parts of each of the batches, [N, B] -> [N, B / n]."""
  number, count = share
  return np.split(batches, count, axis=1)[number]


def read_batch(split: Split, positions: np.ndarray) -> Batch:
  """'clip' [B, ...] as `read_clip`, 'label' int32 [B] and 'position' int64 [B] of the clips at positions, int64 [B]."""
  clips = np.empty((len(positions), *split.clip_shape), FEATURES[split.feature])
  for i, position in enumerate(positions):
    clips[i] = read_clip(split, int(position))
  return {'clip': clips, **name_batch(split, positions)}


def name_batch(split: Split, positions: np.ndarray) -> Batch:
  """`read_batch` without the clips, for those who hold them already."""
  return {'label': split.labels[positions], 'position': positions}


def read_clips(split: Split, room: int, place: str) -> np.ndarray:
  """All clips of a split, [N, ...] as `read_clip`.

  Args:
    split: what to read.
    room: bytes that may be used.
    place: whose they are, for the message.

  Raises:
    UserError: they don't fit.
  """
  size = len(split) * int(np.prod(split.clip_shape)) * np.dtype(FEATURES[split.feature]).itemsize
  if size > room:
    raise UserError(
      f'the {len(split)} clips of {split.dataset} {split.name} take {size / 2**30:.1f} GiB, and {place} has'
      f' {room / 2**30:.1f} GiB free: choose data.cache=none'
    )
  return read_batch(split, np.arange(len(split)))['clip']


def _how_to_build(dataset: str, builder_config: str, data_dir: str | None) -> str:
  """The remedy for a dataset that is not there: its builder's README says what to download and where to put it."""
  where = data_dir or tfds.core.constants.DATA_DIR
  instructions = read_instructions(dataset)
  flags = f'--config={builder_config}' + (f' --data_dir={data_dir}' if data_dir else '')
  return (
    f'{dataset}/{builder_config} is not built in {where}. How to get it:\n\n{instructions}\n'
    f'For this run, add to `tfds build`: {flags}'
  )
