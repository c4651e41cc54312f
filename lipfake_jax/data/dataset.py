"""A part of a built dataset, opened: which clips it holds and what is known of each.

In: a `DataChoice` and the name of a part. Out: a `Split`. Next stages: `batches` reads its clips, `audit` looks for
what it leaks.
"""

import dataclasses
import fnmatch
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from lipfake_jax.clips.features import FEATURES
from lipfake_jax.core.clip_spec import SPECS, ClipSpec
from lipfake_jax.core.errors import UserError
from lipfake_jax.core.vocabulary import LABELS, Table
from lipfake_jax.data import splits
from lipfake_jax.data.records import Records, open_records


@dataclasses.dataclass(frozen=True)
class DataChoice:
  """Which clips, and how they are split: what a config names, and checkpoints store.

  Attributes:
    dataset: name of the builder; 'a+b' for the union of two.
    builder_config: name of its config, which says what a clip is.
    split: one of `splits.SPLITS`; '' is what each dataset names as its own.
    split_seed: another seed is another split.
    exclude: folders of the datasets (as `VideoRecord.folder` names them), or patterns of methods ('Wav2Lip*'), that
      are excluded.
  """

  dataset: str
  builder_config: str
  split: str = ''
  split_seed: int = 0
  exclude: tuple[str, ...] = ()


def read_choice(fields: Mapping[str, Any]) -> DataChoice:
  """The choice among other fields, as a config's `data` or a checkpoint's."""
  chosen = {field.name: fields[field.name] for field in dataclasses.fields(DataChoice)}
  return DataChoice(**{**chosen, 'exclude': tuple(chosen['exclude'])})


@dataclasses.dataclass(frozen=True)
class Split:
  """One part of a dataset, or of several.

  Attributes:
    dataset: name of the builder; of several 'a+b'.
    builder_config: name of its config, which says what a clip is.
    name: 'train', 'validation', 'test' or 'all'; 'paper_leaky' for what the paper tested on.
    rule: how the datasets are split, one of `splits.SPLITS`; of several 'a+b' where they differ.
    sources: the stored clips of each dataset, by position.
    places: int64 [N, 2], of each clip of this part: which source, and the position in it.
    labels: int32 [N], their classes.
    table: what is known of each, N entries a column: 'clip' (its key), 'key' (its video's), 'identity', 'method', ...
    spec: the fields of the `ClipSpec` that they were made by.
    rejections: the videos of this part that gave no clip: key, label, reason, detail and more of each.
    feature: what is read of each clip, the name of one of `clips.features.FEATURES`.
  """

  dataset: str
  builder_config: str
  name: str
  rule: str
  sources: tuple[Records, ...]
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
    """That of its feature: (T, S, S, 3) of pixels, say."""
    return FEATURES[self.feature].shape(ClipSpec(**self.spec))


OpenPart = Callable[[DataChoice, str, str | None, str], Split]  # as `open_split`


def open_split(choice: DataChoice, part: str, data_dir: str | None, feature: str = 'clip') -> Split:
  """Opens a part of a dataset that `tfds build` made, or of several.

  Args:
    choice: which dataset, and how it is split.
    part: 'train', 'validation', 'test' or 'all'.
    data_dir: where datasets are kept; None is TFDS's default.
    feature: what is read of each clip, the name of one of `clips.features.FEATURES`.

  Raises:
    UserError: it is not built, or nothing of it is in this part; the message says what to do.
  """
  choices = [dataclasses.replace(choice, dataset=name) for name in choice.dataset.split('+')]
  parts = [_open_one(single, part, data_dir, feature) for single in choices]
  specs = [opened.spec for opened in parts]
  if any(spec != specs[0] for spec in specs):
    raise UserError(f'{choice.dataset}: their clips differ ({specs[0]} and others): build them with the same config')
  return dataclasses.replace(join_splits(parts), dataset=choice.dataset)


def join_splits(parts: Sequence[Split]) -> Split:
  """The clips of several, made by one spec, one after the other; its name is the first one's."""
  firsts = np.cumsum([0, *(len(part.sources) for part in parts[:-1])])
  return dataclasses.replace(
    parts[0],
    rule='+'.join(dict.fromkeys(part.rule for part in parts)),
    sources=tuple(source for part in parts for source in part.sources),
    places=np.concatenate([part.places + np.array((first, 0)) for first, part in zip(firsts, parts, strict=True)]),
    labels=np.concatenate([part.labels for part in parts]),
    table={name: [value for part in parts for value in part.table[name]] for name in parts[0].table},
    rejections=[rejection for part in parts for rejection in part.rejections],
  )


def select_clips(split: Split, positions: Sequence[int]) -> Split:
  """Those of a split's clips, in this order; its rejections stay."""
  table = {name: [column[i] for i in positions] for name, column in split.table.items()}
  return dataclasses.replace(split, places=split.places[positions], labels=split.labels[positions], table=table)


def digest_split(split: Split) -> str:
  """SHA-256 over all that is known of a split's clips and rejected videos, labels included, in any order of them."""
  rows = sorted(json.dumps(row, sort_keys=True, default=str) for row in (*split.rows, *split.rejections))
  digest = hashlib.sha256('\n'.join([split.rule, *rows]).encode()).hexdigest()
  return f'sha256:{digest}'


def _is_excluded(row: Mapping[str, Any], exclude: Sequence[str]) -> bool:
  return row['folder'] in exclude or any(fnmatch.fnmatchcase(row['method'], pattern) for pattern in exclude)


def _open_one(choice: DataChoice, part: str, data_dir: str | None, feature: str) -> Split:
  dataset, builder_config, split, seed = choice.dataset, choice.builder_config, choice.split, choice.split_seed
  info, source = open_records(dataset, builder_config, data_dir)
  if feature not in info.features:
    names = [name for name, spec in SPECS.items() if FEATURES[feature].is_in(spec)]
    raise UserError(
      f'{dataset}/{builder_config}: its clips are stored without {feature!r}, which the model takes:'
      f' choose --config.data.builder_config={" or ".join(names)}'
    )
  metadata = info.metadata
  stored, rejections = metadata['clips'], metadata['rejections']
  if len(stored['clip']) != len(source):
    raise UserError(f'{dataset}/{builder_config}: its table and its clips disagree: {source.remedy}')
  clips = [dict(zip(stored, values, strict=True)) for values in zip(*stored.values(), strict=True)]
  split = split or metadata['default_split']
  # One draw over both, so that a rejected video is counted in the part that it would have been in.
  rows = [*clips, *rejections]
  chosen = [i for i in splits.select_part(rows, split, part, seed) if not _is_excluded(rows[i], choice.exclude)]
  positions = [i for i in chosen if i < len(clips)]
  if not positions:
    raise UserError(f'{dataset}/{builder_config} has no clips in {part!r}:\n{splits.split_table(rows, split, seed)}')
  return Split(
    dataset=dataset,
    builder_config=builder_config,
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
