"""What a run is tested on: a part of a dataset, split as in its training where it was trained on it.

In: what a checkpoint tells of its data, and the name of what to test. Out: a `Split`, and where results about it are
kept. Next stage: `measure`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lipfake_jax.core.clip_spec import SPECS, ClipSpec
from lipfake_jax.core.errors import UserError
from lipfake_jax.data.dataset import DataChoice, Split, open_split, read_choice
from lipfake_jax.inference.run import read_input


def open_tested(dataset: str, meta: dict[str, Any], data_dir: str | None) -> Split:
  """A part that a run is evaluated on: 'NAME', 'NAME:PART' or 'NAME/CONFIG:PART', see `name_tested`."""
  name, config, part = name_tested(dataset, meta)
  return open_split(choose_tested(name, config, meta), part, data_dir, read_input(meta))


def name_tested(dataset: str, meta: dict[str, Any]) -> tuple[str, str, str]:
  """'NAME', 'NAME:PART' or 'NAME/CONFIG:PART' -> builder, config and part, with the run's own where none is named."""
  name, _, part = dataset.partition(':')
  name, _, config = name.partition('/')
  return name, config or _own_config(name, meta), part or 'test'


def choose_tested(name: str, config: str, meta: dict[str, Any]) -> DataChoice:
  """Of a dataset that a run was trained on, the parts are those of its training; others are split by their own rule."""
  known = [data for data in list_seen(meta) if _datasets(name, config) & trained_datasets(data)]
  if not known:
    return DataChoice(name, config, split_seed=meta['data']['split_seed'])
  data = known[0]
  return DataChoice(name, config, data['split'], data['split_seed'], tuple(data['exclude']))


def open_training(data: Mapping[str, Any], data_dir: str | None) -> Split | None:
  """The training part that a checkpoint tells of; None where it is not built here."""
  try:
    return open_split(read_choice(data), 'train', data_dir)
  except UserError:
    return None


def open_seen(meta: dict[str, Any], data_dir: str | None) -> list[dict[str, Any]]:
  """What a run's weights were trained on, latest first, for `find_caveats`."""
  opened = [(data, open_training(data, data_dir)) for data in list_seen(meta)]
  return [{**data, 'datasets': trained_datasets(data), 'training': part} for data, part in opened]


def list_seen(meta: dict[str, Any]) -> list[dict[str, Any]]:
  """The fields of each `DataChoice` that a run's weights were trained on, latest first."""
  return [meta['data'], *meta['before']]


def trained_datasets(data: Mapping[str, Any]) -> set[str]:
  """The datasets in a `DataChoice`."""
  return _datasets(data['dataset'], data['builder_config'])


def results_folder(workdir: Path, split: Split, meta: dict[str, Any]) -> Path:
  """Where all that is found out about a run on a split is kept; another config than the run's own is in its name."""
  name = f'{split.dataset}-{split.name}'
  if split.builder_config != _own_config(split.dataset, meta):
    name += f'-{split.builder_config}'
  return workdir / 'eval' / name


def _own_config(name: str, meta: dict[str, Any]) -> str:
  # A control's clips are named for their dataset alone; elsewhere the same clips go by their spec's name.
  common = next((known for known, spec in SPECS.items() if spec == ClipSpec(**meta['clip'])), None)
  return meta['data']['builder_config'] if name == meta['data']['dataset'] or common is None else common


def _datasets(name: str, config: str) -> set[str]:
  """The datasets in 'a+b', and those in combined's config 'a+b-...'."""
  union = config.partition('-')[0] if name == 'combined' else ''
  return {*name.split('+'), *union.split('+')} - {''}
