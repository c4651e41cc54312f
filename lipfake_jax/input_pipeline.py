"""Batches of a built dataset, read at random from ArrayRecord files, without TensorFlow.

In: a dataset's name, config and split. Out: batches {'clip': uint8 [B, T, S, S, 3], 'label': int32 [B], ...}, NumPy.
Next stage: `steps`, which makes them float on the device.
"""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grain
import numpy as np
import tensorflow_datasets as tfds

from lipfake_jax.errors import UserError

READ_AHEAD = grain.ReadOptions(num_threads=2, prefetch_buffer_size=64)
TEXTS = ('key', 'identity', 'method')
BUILDERS = Path(__file__).parents[1] / 'data_builders'


@dataclasses.dataclass(frozen=True)
class Split:
  """One part of a built dataset.

  Attributes:
    dataset: name of the builder.
    name: 'train', 'validation' or 'test'.
    source: its N examples, as dictionaries, by position.
    labels: int32 [N], their classes.
    spec: the fields of the `ClipSpec` that they were made by.
    rejections: the videos of this part that gave no clip: key, label, reason and detail of each.
  """

  dataset: str
  name: str
  source: Any
  labels: np.ndarray
  spec: dict[str, Any]
  rejections: list[dict[str, str]]

  def __len__(self) -> int:
    return len(self.labels)

  @property
  def clip_shape(self) -> tuple[int, ...]:
    """(T, S, S, 3)."""
    return self.source[0]['clip'].shape


def open_split(dataset: str, builder_config: str, split: str, data_dir: str | None) -> Split:
  """Opens a split of a dataset that `tfds build` made.

  Args:
    dataset: name of the builder.
    builder_config: name of its config, which says what a clip is.
    split: 'train', 'validation' or 'test'.
    data_dir: where datasets are kept; None is TFDS's default.

  Raises:
    UserError: it is not built, or has no such split; the message says how to build it.
  """
  try:
    builder = tfds.core.read_only_builder.builder_from_files(f'{dataset}/{builder_config}', data_dir=data_dir)
  except tfds.core.DatasetNotFoundError as error:
    raise UserError(_how_to_build(dataset, builder_config, data_dir)) from error
  if split not in builder.info.splits:
    parts = ', '.join(f'{name} ({info.num_examples})' for name, info in builder.info.splits.items())
    remedy = 'Choose another split; of your own videos, a CSV can name the split of each'
    raise UserError(f'{dataset}/{builder_config} has no clips in {split!r}; it has {parts}. {remedy}')
  undecoded = {'clip': tfds.decode.SkipDecoding()}
  labels = [int(row['label']) for row in builder.as_data_source(split, decoders=undecoded)]
  metadata = builder.info.metadata
  rejections = [rejection for rejection in metadata['rejections'] if rejection['split'] == split]
  source = builder.as_data_source(split)
  return Split(dataset, split, source, np.array(labels, np.int32), metadata['spec'], rejections)


def train_batches(split: Split, batch_size: int, seed: int, epoch: int) -> Iterator[dict[str, np.ndarray]]:
  """One epoch in an order that is a function of (seed, epoch); the clips that fill no batch sit this epoch out.

  Raises:
    UserError: fewer clips than one batch.
  """
  if len(split) < batch_size:
    raise UserError(f'{split.dataset} {split.name} holds {len(split)} clips: choose a batch_size of at most that')
  order_seed = int(np.random.default_rng((seed, epoch)).integers(2**32))
  positions = grain.MapDataset.range(len(split)).shuffle(seed=order_seed)
  rows = positions.map(lambda position: _row(split, int(position)))
  yield from rows.batch(batch_size, drop_remainder=True).to_iter_dataset(READ_AHEAD)


def eval_batches(split: Split, batch_size: int) -> Iterator[dict[str, np.ndarray]]:
  """Every clip once, in stored order; the last batch is padded with its first clip, where 'mask' is False."""
  rows = grain.MapDataset.range(len(split)).map(lambda position: _row(split, int(position)))
  for batch in rows.batch(batch_size, drop_remainder=False).to_iter_dataset(READ_AHEAD):
    count = len(batch['label'])
    padded = {k: np.concatenate([v, np.repeat(v[:1], batch_size - count, axis=0)]) for k, v in batch.items()}
    yield {**padded, 'mask': np.arange(batch_size) < count}


def _row(split: Split, position: int) -> dict[str, np.ndarray]:
  example = split.source[position]
  return {
    'clip': example['clip'],
    'label': split.labels[position],
    'frames': np.int32(len(example['indices'])),
    **{name: np.array(example[name].decode(), np.object_) for name in TEXTS},
  }


def _how_to_build(dataset: str, builder_config: str, data_dir: str | None) -> str:
  """The remedy for a dataset that is not there: its builder's README says what to download and where to put it."""
  where = data_dir or tfds.core.constants.DATA_DIR
  readme = BUILDERS / dataset / 'README.md'
  if not readme.exists():
    known = ', '.join(sorted(path.parent.name for path in BUILDERS.glob('*/README.md')))
    return f'dataset {dataset!r}: {BUILDERS} has no such builder; it has {known}'
  flags = f'--config={builder_config}' + (f' --data_dir={data_dir}' if data_dir else '')
  return (
    f'{dataset}/{builder_config} is not built in {where}. How to get it:\n\n{readme.read_text()}\n'
    f'For this run, add to `tfds build`: {flags}'
  )
