"""One experiment from its config: training, threshold, test.

In: a config and a workdir. Out: a trained run with its evaluation, see `training.loop` and `report.results`.
"""

from pathlib import Path

import ml_collections

from lipfake_jax.report.results import evaluate_workdir
from lipfake_jax.training.loop import train


def train_and_evaluate(config: ml_collections.ConfigDict, workdir: Path, data_dir: str | None) -> None:
  """Trains until the schedule ends it, then evaluates the best weights on the test part.

  Args:
    config: as documented in configs/default.py.
    workdir: of this run; made if missing, gone on with where it holds a run of this config.
    data_dir: where datasets are kept; None is TFDS's default.

  Raises:
    UserError: the data is missing or does not fit, the workdir can't be used, or a loss is not finite.
    Interrupted: a signal came; the run is saved.
  """
  train(config, workdir, data_dir)
  evaluate_workdir(workdir, [config.data.dataset], data_dir, config.eval.batch_size)
