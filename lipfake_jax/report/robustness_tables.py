"""Tables and curves of a run under perturbations.

In: what `robustness.measure_robustness` found. Out: text for a terminal, and curves beside the part's metrics.json.
"""

import csv
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

from lipfake_jax.evaluation.robustness import FIGURES
from lipfake_jax.report.tables import show

mpl.use('Agg')
from matplotlib import pyplot as plt  # after the choice of a backend that needs no screen

MARKERS = 'osD^v<>'  # of the curves, which may lie upon each other
TITLES = {'auc': 'AUC', 'balanced_accuracy': 'Balanced accuracy', 'auc_all': 'AUC of all videos'}


def markdown_table(results: dict[str, Any], figure: str) -> str:
  """One figure as a table: a row a perturbation, a column a level, and means."""
  conditions = results['conditions']
  levels = sorted({condition.partition(':')[2] for condition in conditions} - {''})
  lines = [f'| {TITLES[figure]} | none | {" | ".join(levels)} | mean |', '|---' * (len(levels) + 3) + '|']
  for name, mean in results['mean'].items():
    cells = [show(conditions[f'{name}:{level}'][figure]) if name != 'all' else '' for level in levels]
    lines.append(f'| {name} | {show(conditions["none"][figure])} | {" | ".join(cells)} | {show(mean[figure])} |')
  return '\n'.join(lines)


def write_curves(folder: Path, results: dict[str, Any]) -> None:
  """robustness.csv, a row a condition, and the curves as .png and .svg, into a folder that exists."""
  counts = ('n', 'n_real', 'n_fake')
  with open(folder / 'robustness.csv', 'w', newline='') as file:
    writer = csv.writer(file)
    writer.writerow(['perturbation', 'level', *counts, 'without_verdict', *FIGURES])
    for condition, row in results['conditions'].items():
      name, _, level = condition.partition(':')
      numbers = [row[figure] for figure in FIGURES]
      writer.writerow([name, level, *(row[count] for count in counts), len(row['without_verdict']), *numbers])
  figure = _draw_curves(results)
  for suffix in ('png', 'svg'):
    figure.savefig(folder / f'robustness.{suffix}', dpi=150)
  plt.close(figure)


def _draw_curves(results: dict[str, Any]) -> plt.Figure:
  figure, axes = plt.subplots(figsize=(6, 4), layout='constrained')
  for name, marker in zip([name for name in results['mean'] if name != 'all'], MARKERS, strict=False):
    rows = {int(c.partition(':')[2]): row for c, row in results['conditions'].items() if c.startswith(f'{name}:')}
    values = [np.nan if row['auc_all'] is None else row['auc_all'] for row in rows.values()]
    axes.plot(list(rows), values, marker=marker, markersize=5, fillstyle='none', label=name)
  unperturbed = results['conditions']['none']['auc_all']
  if unperturbed is not None:
    axes.axhline(unperturbed, color='k', linestyle='--', linewidth=1, label='unperturbed')
  axes.axhline(0.5, color='0.6', linestyle='--', linewidth=1, label='chance')
  axes.set(
    xlabel='level',
    ylabel='AUC of all videos (pairs without a verdict count half)',
    ylim=(min(0.4, *axes.get_ylim()), 1.02),
  )
  axes.set_title('Videos without a verdict tie with all others', fontsize='small')
  axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
  axes.legend(fontsize='small')
  return figure


def describe(results: dict[str, Any], title: str) -> str:
  """The tables for people, and how many videos are behind them."""
  lost = {condition: len(row['without_verdict']) for condition, row in results['conditions'].items()}
  lost = {condition: count for condition, count in lost.items() if count}
  tables = [markdown_table(results, figure) for figure in ('auc', 'balanced_accuracy', *(['auc_all'] if lost else []))]
  without = ', '.join(f'{condition} {count}' for condition, count in lost.items()) or 'none'
  return '\n\n'.join([title, *tables, f'Videos without a verdict, of {results["videos"]}: {without}.'])
