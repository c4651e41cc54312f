"""One experiment from its config: training, threshold, test.

In: a config and a workdir. Out: a trained run with its evaluation, see `training.loop` and `report.results`; of towers,
see `towers`.
"""

import json
from pathlib import Path

import ml_collections

from lipfake_jax.data.dataset import digest_split, open_split, read_choice
from lipfake_jax.data.splits import split_name
from lipfake_jax.experiments.towers import measure_run, train_and_calibrate
from lipfake_jax.models import TOWERS
from lipfake_jax.report.results import evaluate_workdir
from lipfake_jax.scoring.metrics import Metrics
from lipfake_jax.training.loop import train


def train_and_evaluate(config: ml_collections.ConfigDict, workdir: Path, data_dir: str | None) -> None:
  """Trains until the schedule ends it, then evaluates the best weights on the test part; towers on validation.

  Args:
    config: as documented in configs/default.py.
    workdir: of this run; made if missing, gone on with where it holds a run of this config.
    data_dir: where datasets are kept; None is TFDS's default.

  Raises:
    UserError: the data is missing or does not fit, the workdir can't be used, or a loss is not finite.
    Interrupted: a signal came; the run is saved.
  """
  if config.model.name in TOWERS:
    train_and_calibrate(config, workdir, data_dir)
    print(measure_run(workdir, data_dir, 'validation'))
    return
  train(config, workdir, data_dir)
  evaluate_workdir(workdir, [config.data.dataset], data_dir, config.eval.batch_size)


def find_metrics(config: ml_collections.ConfigDict, workdir: Path, data_dir: str | None) -> Metrics | None:
  """The figures of an experiment that has ended; None where there are none yet, or of an earlier build.

  Raises:
    UserError: the data is not built.
  """
  path = workdir / 'eval' / f'{config.data.dataset}-{split_name(config.data.split, "test")}' / 'metrics.json'
  if not path.exists():
    return None
  stored = json.loads(path.read_text())
  return stored if stored['data'] == digest_split(open_split(read_choice(config.data), 'test', data_dir)) else None
