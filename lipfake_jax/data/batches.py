"""Batches of a split, read at random from ArrayRecord files, without TensorFlow.

In: a `Split`. Out: batches {'clip': uint8 [B, T, S, S, 3] or float32 [B, T, K, 2] or [B, F], 'label': int32 [B],
'position': int64 [B], ...}, NumPy. Next stage: `training.steps`, which makes pixels float on the device.

The order of a training epoch is a function of (seed, epoch), and any batch of it can be had without those before it: a
run that was stopped at a step goes on there with nothing but these three numbers.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence

import grain
import numpy as np
from tensorflow_datasets.proto import tf_example_pb2

from lipfake_jax.clips.features import FEATURES
from lipfake_jax.core.clip_spec import ClipSpec
from lipfake_jax.core.errors import UserError
from lipfake_jax.data.batch_sizes import size_batches
from lipfake_jax.data.dataset import Split

READ_AHEAD = grain.ReadOptions(num_threads=2, prefetch_buffer_size=4)  # in batches

Batch = dict[str, np.ndarray]
Reader = Callable[[Split, np.ndarray], Batch]


def read_clip(split: Split, position: int) -> np.ndarray:
  """A clip's feature, of its type and shape: uint8 [T, S, S, 3] of pixels, say."""
  clip = _read_example(split, position)[split.feature].bytes_list.value[0]
  return np.frombuffer(clip, FEATURES[split.feature].dtype).reshape(split.clip_shape)


def read_fields(split: Split, position: int, names: Sequence[str]) -> dict[str, np.ndarray]:
  """Other numbers of a clip, flat, float32 or int64: 'boxes', say, see `clips.Clip`."""
  example = _read_example(split, position)
  return {name: np.array(example[name].float_list.value or example[name].int64_list.value) for name in names}


def _read_example(split: Split, position: int):
  source, place = split.places[position]
  return tf_example_pb2.Example.FromString(split.sources[source][int(place)]).features.feature


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
  datasets, shares = split.places[:, 0], _dataset_shares(split, weights)
  classes = split.labels if balanced else np.zeros(len(split), int)
  if balanced and len(np.unique(classes)) < 2:
    raise UserError(f'{split.dataset} {split.name} holds one class: balanced epochs need both')
  drawn = []
  for label in np.unique(classes):
    groups = [np.flatnonzero((classes == label) & (datasets == number)) for number in range(len(shares))]
    held = np.array([share if len(group) else 0 for share, group in zip(shares, groups, strict=True)])
    bounds = np.round(len(split) / (1 + balanced) * np.cumsum(held) / held.sum()).astype(int)
    for group, quota in zip(groups, np.diff(bounds, prepend=0), strict=True):
      if quota:
        rounds = [rng.permutation(group) for _ in range(-(-quota // len(group)))]
        drawn.append(np.concatenate(rounds)[:quota])
  return rng.permutation(np.concatenate(drawn))


def class_shares(split: Split, weights: Sequence[float] = (), balanced: bool = False) -> np.ndarray:
  """The shares of reals and of fakes among the clips that epochs show, float64 [2]; arguments as of `epoch_order`."""
  if balanced:
    return np.array((0.5, 0.5))
  datasets, shares = split.places[:, 0], _dataset_shares(split, weights)
  of_clip = (shares / shares.sum() / np.bincount(datasets, minlength=len(shares)))[datasets]
  return np.bincount(split.labels, of_clip, minlength=2)


def _dataset_shares(split: Split, weights: Sequence[float]) -> np.ndarray:
  """What each dataset of 'a+b' gives to an epoch, float64 [K], up to a factor. Raises UserError as `epoch_order`."""
  sizes = np.bincount(split.places[:, 0], minlength=len(split.sources))
  shares = np.array(weights or sizes, float)
  if len(shares) != len(sizes) or (shares <= 0).any():
    raise UserError(f'data.weights={tuple(weights)}: give {split.dataset} one number above 0 for each dataset')
  return shares


def eval_batches(split: Split, batch_size: int, share: tuple[int, int] = (0, 1), unit: int = 1) -> Iterator[Batch]:
  """Every clip once, in stored order; the last batch is padded with its first clip, where 'mask' is False.

  Of several processes each reads the clips of its share, as in `train_batches`; 'position' and 'mask' are of the whole
  batch, since the scores of all are gathered. Sizes are those of `size_batches`.
  """
  rows, first = [], 0
  for size in size_batches(len(split), batch_size, unit):
    rows.append(np.where((row := np.arange(first, first + size)) < len(split), row, first))
    first += size
  number, count = share
  source = grain.MapDataset.source([np.split(row, count)[number] for row in rows])
  batches = source.map(lambda batch: read_batch(split, batch)).to_iter_dataset(READ_AHEAD)
  first = 0
  for batch, row in zip(batches, rows, strict=True):
    yield {**batch, 'position': row, 'mask': np.arange(first, first + len(row)) < len(split)}
    first += len(row)


def _part(batches: np.ndarray, share: tuple[int, int]) -> np.ndarray:
  """The i-th of n equal parts of each of the batches, [N, B] -> [N, B / n]."""
  number, count = share
  return np.split(batches, count, axis=1)[number]


def read_batch(split: Split, positions: np.ndarray) -> Batch:
  """'clip' [B, ...] as `read_clip`, 'label' int32 [B] and 'position' int64 [B] of the clips at positions, int64 [B]."""
  clips = np.empty((len(positions), *split.clip_shape), FEATURES[split.feature].dtype)
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
  size = len(split) * FEATURES[split.feature].count_bytes(ClipSpec(**split.spec))
  if size > room:
    raise UserError(
      f'the {len(split)} clips of {split.dataset} {split.name} take {size / 2**30:.1f} GiB, and {place} has'
      f' {room / 2**30:.1f} GiB free: choose data.cache=none'
    )
  return read_batch(split, np.arange(len(split)))['clip']
