"""What an evaluation leaves behind: metrics.json, scores.csv, plots and a page in its folder, and printed tables.

In: a workdir and names of what to test. Out: `<workdir>/eval/<dataset>-<part>/`.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lipfake_jax.evaluation.measure import Evaluation, evaluate_split
from lipfake_jax.evaluation.tested import open_tested, results_folder
from lipfake_jax.inference.parallel_eval import check_batch_size, share
from lipfake_jax.inference.run import open_run
from lipfake_jax.report import tables
from lipfake_jax.report.page import write_report
from lipfake_jax.scoring.scores import write_scores
from lipfake_jax.scoring.verdict import calibrate


def evaluate_workdir(
  workdir: Path, datasets: Sequence[str], data_dir: str | None, batch_size: int, form: str = 'text'
) -> None:
  """Evaluates a run on parts of datasets, and prints and writes figures.

  Args:
    workdir: of the run.
    datasets: each 'NAME' (its test part) or 'NAME:PART'; 'NAME/CONFIG' takes another config than the run's.
    data_dir: where datasets are kept; None is TFDS's default.
    batch_size: clips at once.
    form: of the printed tables, one of `tables.FORMATS`.

  Raises:
    UserError: no checkpoint, or a dataset that is not built.
  """
  check_batch_size(batch_size)
  run = open_run(workdir)
  for dataset in datasets:
    evaluation = evaluate_split(run, open_tested(dataset, run.meta, data_dir), data_dir, batch_size)
    if share()[0] == 0:
      print(tables.FORMATS[form](evaluation.title, evaluation.metrics))  # first: a full disk does not take the figures
      write_results(workdir, evaluation, run.meta)


def write_results(workdir: Path, evaluation: Evaluation, meta: dict[str, Any]) -> Path:
  """Writes metrics.json, scores.csv, the plots and the page of one evaluation; returns their folder."""
  folder = results_folder(workdir, evaluation.split, meta)
  folder.mkdir(parents=True, exist_ok=True)
  (folder / 'metrics.json').write_text(json.dumps(evaluation.metrics, indent=2))
  scores = evaluation.scores
  write_scores(folder / 'scores.csv', scores, calibrate(scores.p_fake, evaluation.decision.temperature))
  write_report(folder, evaluation)
  return folder
