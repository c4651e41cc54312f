"""Figures for people: tables on the terminal, plots as PNG, and one page that holds them all.

In: scores and metrics of one evaluation. Out: files beside its metrics.json.
"""

import base64
import collections
import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np

from lipfake_jax.metrics import Metrics, always_fake, roc_curve

if TYPE_CHECKING:
  from lipfake_jax.evaluate import Scores

mpl.use('Agg')
from matplotlib import pyplot as plt  # after the choice of a backend that needs no screen

COLUMNS = (
  'accuracy',
  'balanced_accuracy',
  'precision',
  'recall',
  'specificity',
  'f1',
  'mcc',
  'auc',
  'eer',
  'brier',
  'log_loss',
)
COUNTS = ('tp', 'tn', 'fp', 'fn')
COLORS = {0: '#3b6ea5', 1: '#c4513d'}
NAMES = {0: 'real', 1: 'fake'}

BINS = [i / 20 for i in range(21)]

Table = list[tuple[str, list[str]]]


def metrics_table(metrics: Metrics) -> Table:
  """A header and two rows of cells: the trivial detector that calls everything fake, then this one. '-': undefined."""
  header = [name.replace('_', ' ') for name in COLUMNS] + [name.upper() for name in COUNTS]
  trivial = always_fake(metrics)
  rows: Table = [('', header)]
  for name, values in (('always fake', trivial), ('this run', metrics)):
    figures = [_figure(values.get(column)) for column in COLUMNS]
    rows.append((name, figures + [str(values[count]) for count in COUNTS]))
  return rows


def text_table(
  title: str, metrics: Metrics, rejections: Sequence[Mapping[str, str]], warnings: Sequence[str] = ()
) -> str:
  """The table for a terminal, one metric a line, with what is not in it (the videos that gave no clip) and warnings."""
  (_, names), (_, trivial), (_, ours) = metrics_table(metrics)
  lines = ['', title, f'{metrics["n"]} videos, {metrics["n_real"]} real and {metrics["n_fake"]} fake', '']
  lines += [f'{"":20}{"always fake":>14}{"this run":>12}']
  lines += [f'{name:20}{a:>14}{b:>12}' for name, a, b in zip(names, trivial, ours, strict=True)]
  return '\n'.join([*lines, '', f'threshold {metrics["threshold"]:.3f}; {rejection_line(rejections)}', *warnings])


def rejection_line(rejections: Sequence[Mapping[str, str]]) -> str:
  """How many videos of the split have no verdict, by class and reason."""
  if not rejections:
    return 'no video without a verdict'
  counts = collections.Counter((r['label'], r['reason']) for r in rejections)
  parts = ', '.join(f'{count} {label} {reason}' for (label, reason), count in sorted(counts.items()))
  return f'{len(rejections)} videos without a verdict, not in these figures: {parts}'


def write_report(
  folder: Path,
  title: str,
  scores: 'Scores',
  metrics: Metrics,
  rejections: Sequence[Mapping[str, str]],
  warnings: Sequence[str] = (),
) -> Path:
  """Writes roc.png, confusion.png, scores.png, methods.png and a page that holds them; returns the page's path."""
  figures = {
    'scores': _plot_scores(scores, metrics),
    'confusion': _plot_confusion(metrics),
    'methods': _plot_methods(scores, metrics),
  }
  if metrics['auc'] is not None:
    figures['roc'] = _plot_roc(scores, metrics)
  for name, figure in figures.items():
    figure.savefig(folder / f'{name}.png', dpi=150, bbox_inches='tight')
    plt.close(figure)
  page = folder / 'report.html'
  page.write_text(_page(title, metrics, rejections, warnings, [folder / f'{name}.png' for name in figures]))
  return page


def _figure(value: float | None) -> str:
  return '-' if value is None else f'{value:.3f}'


def _plot_roc(scores: 'Scores', metrics: Metrics) -> plt.Figure:
  fpr, tpr, _ = roc_curve(scores.labels.astype(bool), scores.p_fake)
  figure, axes = plt.subplots(figsize=(4, 4))
  axes.plot([0, 1], [0, 1], color='0.7', linewidth=1, label='chance')
  axes.step(fpr, tpr, where='post', color=COLORS[1], label=f'AUC {metrics["auc"]:.3f}')
  axes.plot(
    1 - metrics['specificity'], metrics['recall'], 'o', color='k', label=f'threshold {metrics["threshold"]:.2f}'
  )
  axes.set(xlabel='false positive rate (real called fake)', ylabel='true positive rate (fake called fake)', title='ROC')
  axes.legend(loc='lower right')
  return figure


def _plot_confusion(metrics: Metrics) -> plt.Figure:
  counts = np.array([[metrics['tn'], metrics['fp']], [metrics['fn'], metrics['tp']]], int)
  figure, axes = plt.subplots(figsize=(3.4, 3.4))
  axes.imshow(counts, cmap='Blues', vmin=0, vmax=max(1, counts.max()) * 1.4)
  for (row, column), count in np.ndenumerate(counts):
    axes.text(column, row, str(count), ha='center', va='center', fontsize=16)
  axes.set(xticks=[0, 1], yticks=[0, 1], xticklabels=['real', 'fake'], yticklabels=['real', 'fake'])
  axes.set(xlabel='verdict', ylabel='truth', title='Videos')
  return figure


def _plot_scores(scores: 'Scores', metrics: Metrics) -> plt.Figure:
  figure, axes = plt.subplots(figsize=(5, 3))
  for label in (0, 1):
    axes.hist(scores.p_fake[scores.labels == label], BINS, alpha=0.6, color=COLORS[label], label=NAMES[label])
  axes.axvline(metrics['threshold'], color='k', linewidth=1, linestyle='--', label='threshold')
  axes.set(xlabel='p(fake)', ylabel='videos', title='Scores by class')
  axes.legend()
  return figure


def _plot_methods(scores: 'Scores', metrics: Metrics) -> plt.Figure:
  methods = np.array([method or NAMES[int(label)] for method, label in zip(scores.methods, scores.labels, strict=True)])
  names = sorted(set(methods), key=lambda name: (int(scores.labels[methods == name][0]), name))
  figure, axes = plt.subplots(figsize=(5, 0.8 + 0.35 * len(names)))
  jitter = np.random.default_rng(0)
  for row, name in enumerate(names):
    chosen = methods == name
    height = row + jitter.uniform(-0.2, 0.2, chosen.sum())
    axes.scatter(scores.p_fake[chosen], height, s=10, alpha=0.7, color=COLORS[int(scores.labels[chosen][0])])
  axes.axvline(metrics['threshold'], color='k', linewidth=1, linestyle='--')
  axes.set(yticks=range(len(names)), yticklabels=names, xlim=(-0.03, 1.03), xlabel='p(fake)', title='Scores by method')
  axes.invert_yaxis()
  return figure


def _page(
  title: str,
  metrics: Metrics,
  rejections: Sequence[Mapping[str, str]],
  warnings: Sequence[str],
  plots: Sequence[Path],
) -> str:
  (_, names), (_, trivial), (_, ours) = metrics_table(metrics)
  rows = ''.join(
    f'<tr><th>{name}</th><td>{a}</td><td>{b}</td></tr>' for name, a, b in zip(names, trivial, ours, strict=True)
  )
  images = ''.join(
    f'<img alt="{plot.stem}" src="data:image/png;base64,{base64.b64encode(plot.read_bytes()).decode()}">'
    for plot in plots
  )
  warned = ''.join(f'<p class="warning">{html.escape(warning.capitalize())}.</p>' for warning in warnings)
  return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(title)}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #222 }}
table {{ border-collapse: collapse }}
th, td {{ padding: .15rem .8rem; border-bottom: 1px solid #ddd; text-align: right }}
th {{ text-align: left; font-weight: normal }} img {{ max-width: 100%; height: auto; width: 28rem; margin: .5rem }}
.warning {{ color: #b00020; font-weight: bold }}
</style>
<h1>{html.escape(title[0].upper() + title[1:])}</h1>
<p>{metrics['n']} videos, {metrics['n_real']} real and {metrics['n_fake']} fake.
Fake is the positive class; the threshold is {metrics['threshold']:.3f}.
{html.escape(rejection_line(rejections).capitalize())}.</p>
{warned}
<table><tr><th></th><td>always fake</td><td><b>this run</b></td></tr>{rows}</table>
<p>Look at balanced accuracy and AUC: where most videos are fake, calling all of them fake has a high accuracy.</p>
{images}
</html>
"""
