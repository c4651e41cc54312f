"""Figures for people: tables on the terminal, plots as PNG, and one page that holds them all.

In: scores and metrics of one evaluation. Out: files beside its metrics.json.
"""

import base64
import html
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np

from lipfake_jax.metrics import Metrics, roc_curve
from lipfake_jax.tables import metrics_rows, summarise

if TYPE_CHECKING:
  from lipfake_jax.evaluate import Evaluation
  from lipfake_jax.scores import Scores

mpl.use('Agg')
from matplotlib import pyplot as plt  # after the choice of a backend that needs no screen

COLORS = {0: '#3b6ea5', 1: '#c4513d'}
NAMES = {0: 'real', 1: 'fake'}

BINS = [i / 20 for i in range(21)]


def write_report(folder: Path, evaluation: 'Evaluation') -> Path:
  """Writes roc.png, confusion.png, scores.png, methods.png and a page that holds them; returns the page's path."""
  scores, metrics = evaluation.scores, evaluation.metrics
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
  page.write_text(_page(evaluation, [folder / f'{name}.png' for name in figures]))
  return page


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
  methods = np.array(
    [method or NAMES[int(label)] for method, label in zip(scores.table['method'], scores.labels, strict=True)]
  )
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


def _page(evaluation: 'Evaluation', plots: Sequence[Path]) -> str:
  metrics, title = evaluation.metrics, evaluation.title
  rows = ''.join(
    f'<tr><th>{name}</th><td>{a}</td><td>{b}</td><td>{c}</td></tr>' for name, a, b, c in metrics_rows(metrics)
  )
  images = ''.join(
    f'<img alt="{plot.stem}" src="data:image/png;base64,{base64.b64encode(plot.read_bytes()).decode()}">'
    for plot in plots
  )
  warned = ''.join(f'<p class="warning">{html.escape(warning.capitalize())}.</p>' for warning in metrics['warnings'])
  notes = ''.join(f'<li>{html.escape(line)}</li>' for line in summarise(metrics))
  return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>
<h1>{html.escape(title)}</h1>{warned}<table>{rows}</table><ul>{notes}</ul>{images}
</html>
"""
