"""Which run on which dataset: a matrix of figures, trained on by tested on.

In: workdirs. Out: matrix.md, .csv, .png and .svg. What was evaluated before is read, the rest is done now.
"""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np

from lipfake_jax.evaluation.measure import identify
from lipfake_jax.evaluation.tested import open_tested, results_folder
from lipfake_jax.inference import checkpoints
from lipfake_jax.report.results import evaluate_workdir
from lipfake_jax.scoring.metrics import Metrics

mpl.use('Agg')
from matplotlib import pyplot as plt  # after the choice of a backend that needs no screen

CSV_FIGURES = ('n', 'n_real', 'n_fake', 'auc', 'balanced_accuracy', 'recall', 'specificity', 'mcc', 'accuracy')
BATCH_SIZE = 32

Cells = Mapping[tuple[str, str], Metrics]


def gather_metrics(
  runs: Sequence[Path], datasets: Sequence[str], data_dir: str | None
) -> dict[tuple[str, str], Metrics]:
  """The metrics of every run on every dataset, by (run, dataset).

  Args:
    runs: workdirs.
    datasets: as `evaluate_workdir` takes them; none means those that the runs were trained on.
    data_dir: where datasets are kept; None is TFDS's default.
  """
  metas = {run: checkpoints.restore_best(run)[1] for run in runs}
  trained_on = dict.fromkeys(meta['data']['dataset'] for meta in metas.values())
  cells = {}
  for run, meta in metas.items():
    for dataset in datasets or trained_on:
      split = open_tested(dataset, meta, data_dir)
      stored = results_folder(run, split, meta) / 'metrics.json'
      if not _is_of(stored, identify(split, meta)):
        evaluate_workdir(run, [dataset], data_dir, BATCH_SIZE)
      cells[str(run), dataset] = json.loads(stored.read_text())
  return cells


def _is_of(stored: Path, identity: Mapping[str, str]) -> bool:
  """Whether figures are stored, and are of these weights and clips."""
  return stored.exists() and identity.items() <= json.loads(stored.read_text()).items()


def cell_text(metrics: Metrics) -> str:
  """AUC with its interval and balanced accuracy; of one class alone, the share of right verdicts."""
  if metrics['auc'] is None:
    name = 'recall' if metrics['n_fake'] else 'specificity'
    return f'{name} {metrics[name]:.3f}{_interval(metrics, name)}'
  return f'AUC {metrics["auc"]:.3f}{_interval(metrics, "auc")}, balanced {metrics["balanced_accuracy"]:.3f}'


def to_markdown(cells: Cells) -> str:
  """A row a run, a column a dataset."""
  runs, datasets = (list(dict.fromkeys(keys)) for keys in zip(*cells, strict=True))
  rows = [f'| {run} | {" | ".join(cell_text(cells[run, dataset]) for dataset in datasets)} |' for run in runs]
  header = [f'| run \\ tested on | {" | ".join(datasets)} |', '|---' * (len(datasets) + 1) + '|']
  return '\n'.join([*header, *rows])


def write_csv(path: Path, cells: Cells) -> None:
  """A row a cell; what is undefined is left empty."""
  with open(path, 'w', newline='') as file:
    writer = csv.writer(file)
    writer.writerow(['run', 'dataset', *CSV_FIGURES])
    writer.writerows([run, dataset, *(m[name] for name in CSV_FIGURES)] for (run, dataset), m in cells.items())


def write_matrix(folder: Path, cells: Cells) -> None:
  """matrix.md, .csv, .png and .svg, into a folder that is made where there is none."""
  folder.mkdir(parents=True, exist_ok=True)
  (folder / 'matrix.md').write_text(to_markdown(cells) + '\n')
  write_csv(folder / 'matrix.csv', cells)
  figure = draw_matrix(cells)
  for suffix in ('png', 'svg'):
    figure.savefig(folder / f'matrix.{suffix}', dpi=150, bbox_inches='tight')
  plt.close(figure)


def draw_matrix(cells: Cells) -> plt.Figure:
  """Balanced accuracy as colour from chance to perfect; of one class alone, the share of right verdicts."""
  runs, datasets = (list(dict.fromkeys(keys)) for keys in zip(*cells, strict=True))
  values = np.array([[_headline(cells[run, dataset]) for dataset in datasets] for run in runs])
  figure, axes = plt.subplots(figsize=(2.5 + 1.6 * len(datasets), 1.5 + 0.5 * len(runs)))
  picture = axes.imshow(values, cmap='viridis', vmin=0.5, vmax=1, aspect='auto')
  for (row, column), value in np.ndenumerate(values):
    one_sided = cells[runs[row], datasets[column]]['auc'] is None
    colour = 'white' if value < 0.8 else 'black'
    axes.text(column, row, f'{value:.3f}{"*" if one_sided else ""}', ha='center', va='center', color=colour)
  axes.set_xticks(range(len(datasets)), datasets, parse_math=False)
  axes.set_yticks(range(len(runs)), runs, parse_math=False)  # folders of users: no formula, whatever dollars they have
  axes.set(xlabel='tested on', ylabel='run')
  figure.colorbar(picture, label='balanced accuracy (* one class: accuracy)')
  return figure


def _headline(metrics: Metrics) -> float:
  return metrics['accuracy'] if metrics['balanced_accuracy'] is None else metrics['balanced_accuracy']


def _interval(metrics: Metrics, name: str) -> str:
  interval = metrics['intervals'][name]
  return f' ({interval[0]:.3f}-{interval[1]:.3f})' if interval else ''
