"""The stored examples of a built dataset: opened, and read by position, without TensorFlow or the builder.

In: the name of a dataset. Out: its metadata and `Records`. Next stage: `dataset` chooses a part of them.

Files may have been cut short or changed since they were written: each is named, with the line that builds it anew.
"""

import bisect
import dataclasses
import itertools
from pathlib import Path
from typing import Any

import tensorflow_datasets as tfds
from array_record.python import array_record_module
from google.protobuf.json_format import ParseError

from lipfake_jax.core.errors import UserError
from lipfake_jax.data.listing import STORED, read_instructions


@dataclasses.dataclass(frozen=True)
class Records:
  """Serialised examples by position.

  Attributes:
    source: where they are read from.
    files: that hold them, in order.
    ends: of each file, the number of examples in it and in those before it.
    remedy: what to do where a file is damaged.
  """

  source: Any
  files: tuple[Path, ...]
  ends: tuple[int, ...]
  remedy: str

  def __len__(self) -> int:
    return len(self.source)

  def __getitem__(self, position: int) -> bytes:
    try:
      return self.source[position]
    except RuntimeError as error:
      raise _damaged(self.files[bisect.bisect_right(self.ends, position)], error, self.remedy) from error


def open_records(dataset: str, builder_config: str, data_dir: str | None) -> tuple[tfds.core.DatasetInfo, Records]:
  """What a dataset tells of itself, and its examples.

  Raises:
    UserError: it is not built, or one of its files is missing or damaged; the message says what to do.
  """
  place = Path(data_dir or tfds.core.constants.DATA_DIR) / dataset / builder_config
  remedy = how_to_rebuild(place, dataset, builder_config, data_dir)
  try:
    builder = tfds.core.read_only_builder.builder_from_files(f'{dataset}/{builder_config}', data_dir=data_dir)
    if not builder.info.metadata:
      raise ValueError('its metadata.json is missing')
  except tfds.core.DatasetNotFoundError as error:
    raise UserError(how_to_build(dataset, builder_config, data_dir)) from error
  except (ParseError, ValueError, OSError) as error:  # of its descriptions, which are JSON
    raise _damaged(place, error, remedy) from error
  stored = builder.info.splits[STORED]
  files = tuple(Path(path) for path in stored.filepaths)
  for path, count in zip(files, stored.shard_lengths, strict=True):
    _check_file(path, count, remedy)
  ends = tuple(itertools.accumulate(stored.shard_lengths))
  return builder.info, Records(builder.as_data_source(STORED).data_source, files, ends, remedy)


def how_to_build(dataset: str, builder_config: str, data_dir: str | None) -> str:
  """The remedy for a dataset that is not there: its builder's README says what to download and where to put it."""
  where = data_dir or tfds.core.constants.DATA_DIR
  return (
    f'{dataset}/{builder_config} is not built in {where}. How to get it:\n\n{read_instructions(dataset)}\n'
    f'For this run, add to `tfds build`: {_flags(builder_config, data_dir)}'
  )


def how_to_rebuild(place: Path, dataset: str, builder_config: str, data_dir: str | None) -> str:
  """The remedy for a dataset of which something is damaged; clips are kept apart from it, and not extracted again."""
  flags = _flags(builder_config, data_dir)
  return f'delete {place} and build it anew, with --manual_dir as at first: tfds build data_builders/{dataset} {flags}'


def _flags(builder_config: str, data_dir: str | None) -> str:
  return f'--config={builder_config}' + (f' --data_dir={data_dir}' if data_dir else '')


def _check_file(path: Path, count: int, remedy: str) -> None:
  """Raises UserError unless a file is as long as it was when it was written: its end tells how much it holds."""
  try:
    reader = array_record_module.ArrayRecordReader(str(path))
    found = reader.num_records()
    reader.close()
  except RuntimeError as error:
    raise _damaged(path, error, remedy) from error
  if found != count:
    raise _damaged(path, ValueError(f'it holds {found} clips, not {count}'), remedy)


def _damaged(path: Path, error: Exception, remedy: str) -> UserError:
  return UserError(f'{path} is missing or damaged ({str(error).splitlines()[0][:160]}): {remedy}')
