"""All models on the same data and split: one table.

In: `configs/models/`, a config a model. Out: `<workdir>/<model>/`, the run of each, and `<workdir>/models.md`. A model
whose run has ended is not trained again, so a table that was stopped goes on where it was (`lipfake leaderboard`).
"""

import importlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import jax
import ml_collections

from lipfake_jax.core.errors import UserError
from lipfake_jax.core.vocabulary import PARTS
from lipfake_jax.data.dataset import open_split, read_choice
from lipfake_jax.evaluation.provenance import describe_hardware
from lipfake_jax.experiments.experiment import find_metrics, train_and_evaluate
from lipfake_jax.experiments.model_table import describe_model
from lipfake_jax.models import MODELS, create_model
from lipfake_jax.report.tables import show
from lipfake_jax.scoring.metrics import Metrics
from lipfake_jax.training.history import read_rows
from lipfake_jax.training.precision import resolve_precision

HEADER = (
  'model',
  'input',
  'parameters',
  'GFLOP a clip',
  'epochs',
  'test AUC',
  'balanced accuracy',
  'training, clips/s',
  'inference, clips/s',
)
BATCH_SIZE = 4  # of the measured speeds


def make_config(model: str, dataset: str, epochs: int) -> ml_collections.ConfigDict:
  """A model's own config, on another dataset where one is named, and with at most so many epochs where that is not 0.

  Raises:
    UserError: no such model.
  """
  if model not in MODELS:
    raise UserError(f'model {model!r}: choose one of {", ".join(MODELS)}')
  config = importlib.import_module(f'configs.models.{model}').get_config()
  config.data.dataset = dataset or config.data.dataset
  config.train.epochs = min(config.train.epochs, epochs or config.train.epochs)
  return config


def find_result(config: ml_collections.ConfigDict, folder: Path, data_dir: str | None) -> Metrics | None:
  """The metrics of a run that has ended, None where there is none yet.

  Raises:
    UserError: the folder's run is of other data, or of another model.
  """
  if not (folder / 'config.json').exists():
    return None
  stored, ours = json.loads((folder / 'config.json').read_text()), json.loads(config.to_json_best_effort())
  counted = {'data': ours['data'], 'model': ('name', 'aggregation', config.model.name)}  # not other models' arguments
  for name, fields in counted.items():
    if different := [field for field in fields if ours[name][field] != stored[name].get(field)]:
      raise UserError(f'{folder} holds a run with another {name}.{different[0]}: choose another --workdir')
  return find_metrics(config, folder, data_dir)


def check_builds(configs: Sequence[ml_collections.ConfigDict], data_dir: str | None) -> None:
  """Raises UserError where a part of a model's data is not built, before anything is trained."""
  for config in configs:
    feature = create_model(config.model.name, {}).input
    for part in PARTS:
      data = config.data
      open_split(read_choice(data), part, data_dir, feature)


def describe_result(name: str, metrics: Metrics, epochs: int, speed: Sequence[str]) -> list[str]:
  """Cells of a row: `speed` as of `model_table.describe_model`."""
  _, size, parameters, flops, *speeds = speed
  figures = (_with_interval(metrics, figure) for figure in ('auc', 'balanced_accuracy'))
  return [name, size, parameters, flops, str(epochs), *figures, *speeds]


def _with_interval(metrics: Metrics, name: str) -> str:
  interval = metrics['intervals'][name]
  return show(metrics[name]) + (f' ({interval[0]:.3f}-{interval[1]:.3f})' if interval else '')


def run_models(configs: Mapping[str, ml_collections.ConfigDict], workdir: Path, data_dir: str | None) -> str:
  """Trains what is not trained yet, and makes the table.

  Args:
    configs: of each model.
    workdir: of all runs.
    data_dir: where datasets are kept; None is TFDS's default.

  Raises:
    UserError: a dataset is not built, or a folder holds another run.
  """
  check_builds(list(configs.values()), data_dir)
  rows, tested = [], []
  for name, config in configs.items():
    folder = workdir / name
    metrics = find_result(config, folder, data_dir)
    if metrics is None:
      print(f'\n{name}')
      train_and_evaluate(config, folder, data_dir)
      metrics = find_result(config, folder, data_dir) or {}
      jax.clear_caches()  # the largest programs hold gigabytes
    speed = describe_model(name, BATCH_SIZE, resolve_precision('auto'))
    rows.append(describe_result(name, metrics, len(read_rows(folder)), speed))
    tested.append(f'{metrics["n"]} test videos of {metrics["n_people"]} people')
  lines = [f'| {" | ".join(cells)} |' for cells in (HEADER, ['---'] * len(HEADER), *rows)]
  note = (
    f'{" or ".join(dict.fromkeys(tested))}; 95 % intervals over people; thresholds as the configs say, from validation.'
    f' Speeds with batches of {BATCH_SIZE} on {describe_hardware()}.'
  )
  table = '\n'.join([*lines, '', note, ''])
  (workdir / 'models.md').write_text(table)
  return table
