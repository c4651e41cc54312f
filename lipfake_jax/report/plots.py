"""The figures of one evaluation, as pictures fit for a page and for a paper.

In: scores and metrics of videos. Out: one figure a question, and each as PNG and SVG. Next stage: `report`.
"""

import collections
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lipfake_jax.core.vocabulary import LABELS
from lipfake_jax.scoring.metrics import BINS, Metrics, roc_curve
from lipfake_jax.scoring.scores import Scores
from lipfake_jax.scoring.verdict import calibrate

COLORS = ('#2f6690', '#c4513d')  # real, fake: told apart in print and by the colour-blind
# Text becomes outlines, so that it looks the same anywhere; the salt makes two files of the same figure the same bytes.
STYLE: dict[Any, Any] = {'svg.hashsalt': 'lipfake_jax', 'svg.fonttype': 'path', 'font.size': 9, 'axes.axisbelow': True}
PNG_DPI = 150
NAMES = ('roc', 'precision_recall', 'confusion', 'scores', 'methods', 'reliability', 'breakdown')
SCORE_BINS = [i / 20 for i in range(21)]
MANY = 1000  # dots beyond which an SVG holds them as one picture
WORST = 6  # groups of each kind in the breakdown
LONGEST = 28  # characters of a name beside an axis


def draw_plots(scores: Scores, metrics: Metrics) -> dict[str, Figure]:
  """All figures of `measure`'s metrics, by name; those that need two classes are left out where one lacks."""
  with mpl.rc_context(STYLE):
    figures = {
      'scores': plot_scores(scores, metrics),
      'methods': plot_methods(scores, metrics),
      'confusion': plot_confusion(metrics),
    }
    if metrics['auc'] is not None:
      figures |= {
        'roc': plot_roc(scores, metrics),
        'precision_recall': plot_precision_recall(scores, metrics),
        'reliability': plot_reliability(scores, metrics),
      }
    if metrics['breakdowns']:
      figures['breakdown'] = plot_breakdown(metrics)
  return {name: figures[name] for name in NAMES if name in figures}


def save_plots(folder: Path, figures: Mapping[str, Figure]) -> None:
  """NAME.png and NAME.svg of each; those of figures that an earlier evaluation had and this one lacks are removed."""
  for name in NAMES:
    png, svg = (folder / f'{name}.{suffix}' for suffix in ('png', 'svg'))
    if name not in figures:
      png.unlink(missing_ok=True)
      svg.unlink(missing_ok=True)
      continue
    with mpl.rc_context(STYLE):
      figures[name].savefig(png, dpi=PNG_DPI)
      figures[name].set_layout_engine('none')  # it is laid out now; a second time would take as long as the drawing
      figures[name].savefig(svg, metadata={'Date': None})


def plot_roc(scores: Scores, metrics: Metrics) -> Figure:
  """True against false positive rate, with the interval of AUC and the point at which the run decides."""
  fpr, tpr, _ = roc_curve(scores.labels.astype(bool), scores.p_fake)
  figure, axes = _square('ROC, videos', 'false positive rate (reals called fake)', 'true positive rate (fakes found)')
  axes.plot([0, 1], [0, 1], color='0.6', linestyle='--', linewidth=1, label='chance')
  axes.step(fpr, tpr, where='post', color=COLORS[1], clip_on=False, label=f'AUC {_with_interval(metrics, "auc")}')
  _mark(axes, 1 - metrics['specificity'], metrics['recall'], metrics)
  axes.legend(loc='lower right')
  return figure


def plot_precision_recall(scores: Scores, metrics: Metrics) -> Figure:
  """Precision against recall, with average precision (AP) and the share of fakes, which is the precision of chance."""
  labels = scores.labels.astype(bool)
  fpr, tpr, _ = roc_curve(labels, scores.p_fake)
  true, false, prevalence = tpr[1:] * labels.sum(), fpr[1:] * (~labels).sum(), labels.mean()
  precision = true / (true + false)
  figure, axes = _square('Precision and recall, videos', 'recall (fakes found)', 'precision (fakes among those called)')
  chance = f'share of fakes {prevalence:.3f} (chance)'
  axes.axhline(prevalence, color='0.6', linestyle='--', linewidth=1, label=chance)
  label = f'AP {_with_interval(metrics, "ap")}'
  axes.step(tpr, np.append(precision[0], precision), where='pre', color=COLORS[1], clip_on=False, label=label)
  if metrics['precision'] is not None:
    _mark(axes, metrics['recall'], metrics['precision'], metrics)
  axes.legend(loc='lower left')
  return figure


def plot_confusion(metrics: Metrics) -> Figure:
  """Truth by row, verdict by column: number of videos, and its share of the row."""
  counts = np.array([[metrics['tn'], metrics['fp']], [metrics['fn'], metrics['tp']]], int)
  shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
  figure, axes = _new_figure(3.6, 3.6)
  axes.imshow(shares, cmap='Blues', vmin=0, vmax=1)
  for (row, column), count in np.ndenumerate(counts):
    colour = 'white' if shares[row, column] > 0.6 else 'black'
    share = f'\n{shares[row, column]:.1%}' if counts[row].any() else ''
    axes.text(column, row, f'{count}{share}', ha='center', va='center', color=colour, fontsize=12)
  truths = [f'{name} ({count})' for name, count in zip(LABELS, counts.sum(axis=1), strict=True)]
  axes.set(xticks=[0, 1], yticks=[0, 1], xticklabels=LABELS, yticklabels=truths)
  axes.set(xlabel=f'verdict at threshold {metrics["threshold"]:.3f}', ylabel='truth', title='Verdicts, videos')
  return figure


def plot_scores(scores: Scores, metrics: Metrics) -> Figure:
  """Histogram of each class: shares, since the classes may differ in size."""
  figure, axes = _new_figure(5.4, 3.2)
  for label, name in enumerate(LABELS):
    p_fake = scores.p_fake[scores.labels == label]
    if len(p_fake):
      weights, title = np.full(len(p_fake), 1 / len(p_fake)), f'{name} ({len(p_fake)} videos)'
      axes.hist(p_fake, SCORE_BINS, weights=weights, alpha=0.6, color=COLORS[label], label=title)
  _draw_threshold(axes, metrics)
  axes.set(xlabel='score p(fake)', ylabel='share of the class', xlim=(0, 1), title='Scores by class, videos')
  axes.legend()
  return figure


def plot_methods(scores: Scores, metrics: Metrics) -> Figure:
  """Every score, a row a method: reals first."""
  labels = scores.labels.tolist()
  groups = [(label, method or LABELS[label]) for label, method in zip(labels, scores.table['method'], strict=True)]
  counts = collections.Counter(groups)
  place = {group: number for number, group in enumerate(sorted(counts))}
  heights = np.random.default_rng(0).uniform(-0.25, 0.25, len(scores)) + [place[group] for group in groups]
  colors, rasterized = [COLORS[label] for label in labels], len(scores) > MANY
  figure, axes = _new_figure(5.4, 1.0 + 0.32 * len(place))
  axes.scatter(scores.p_fake, heights, s=9, alpha=0.6, c=colors, linewidths=0, rasterized=rasterized, clip_on=False)
  _draw_threshold(axes, metrics)
  _name_rows(axes, [f'{_shorten(name)} ({LABELS[label]}, {counts[label, name]})' for label, name in place])
  axes.set(xlabel='score p(fake)', xlim=(0, 1), title='Scores by method, videos')
  return figure


def plot_reliability(scores: Scores, metrics: Metrics) -> Figure:
  """Share of fakes among videos of about the same score, raw and calibrated, and how many these are."""
  figure = Figure(figsize=(4.2, 4.8), layout='constrained')
  curves, bars = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
  curves.plot([0, 1], [0, 1], color='0.6', linestyle='--', linewidth=1, label='perfect')
  _draw_reliability(curves, scores.labels, scores.p_fake, f'raw, ECE {metrics["ece"]:.3f}', 'o-', COLORS[1])
  n = _draw_bins(bars, scores.p_fake, COLORS[1], fill=True, alpha=0.5)
  for i in np.flatnonzero(n):
    bars.text((i + 0.5) / BINS, n[i], str(n[i]), ha='center', va='bottom', fontsize=7)
  if metrics['temperature'] != 1:
    calibrated, ece = calibrate(scores.p_fake, metrics['temperature']), metrics['calibrated']['ece']
    _draw_reliability(curves, scores.labels, calibrated, f'calibrated, ECE {ece:.3f}', 's--', COLORS[0])
    _draw_bins(bars, calibrated, COLORS[0])
  curves.set(ylabel='share of fakes', xlim=(0, 1), ylim=(0, 1), title='Reliability, videos')
  curves.legend(loc='upper left')
  bars.set(xlabel='score p(fake)', ylabel='videos')
  bars.margins(y=0.25)
  return figure


def _draw_reliability(axes: Axes, labels: np.ndarray, p_fake: np.ndarray, label: str, style: str, color: str) -> None:
  mean, share, n = bin_reliability(labels, p_fake)
  axes.plot(mean[n > 0], share[n > 0], style, color=color, markersize=4, label=label, clip_on=False)


def _draw_bins(axes: Axes, p_fake: np.ndarray, color: str, **style: Any) -> np.ndarray:
  """Returns the number of videos in each bin."""
  *_, n = bin_reliability(np.zeros(len(p_fake)), p_fake)
  axes.stairs(n, np.linspace(0, 1, BINS + 1), color=color, **style)
  return n


def bin_reliability(labels: np.ndarray, p_fake: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """Mean score, share of fakes (NaN in an empty bin) and number of videos in each of BINS bins of equal width: those of
  the calibration error in `metrics.probability_metrics`."""
  bins = np.minimum((p_fake * BINS).astype(int), BINS - 1)
  n = np.bincount(bins, minlength=BINS)
  with np.errstate(invalid='ignore'):
    mean, share = (np.bincount(bins, weights=values, minlength=BINS) / n for values in (p_fake, labels))
  return mean, share, n


def plot_breakdown(metrics: Metrics) -> Figure:
  """The surest failures of each kind, with their 95 % intervals; beside each its number of videos."""
  rows = list(_breakdown_rows(metrics['breakdowns']))
  figure, axes = _new_figure(5.4, 1.0 + 0.2 * len(rows))
  for place, (_, row) in enumerate(rows):
    if row:
      color = COLORS[1] if row['score'] <= 0.5 else COLORS[0]
      axes.plot(row['interval'] or (), [place] * 2 if row['interval'] else (), color=color, alpha=0.5)
      axes.plot(row['score'], place, 'o', color=color)
  axes.axvline(0.5, color='0.6', linestyle='--', linewidth=1)
  _name_rows(axes, [name for name, _ in rows])
  for tick, (_, row) in zip(axes.get_yticklabels(), rows, strict=True):
    tick.set_fontweight('normal' if row else 'bold')
  axes.set(xlabel='share judged right, balanced over classes', xlim=(-0.03, 1.03))
  axes.set(title='Groups of videos, surest failures first')
  axes.grid(axis='x', color='0.9')
  axes.tick_params(axis='y', length=0)
  return figure


def _breakdown_rows(breakdowns: Mapping[str, Sequence[dict]]) -> Iterator[tuple[str, dict | None]]:
  for kind, groups in breakdowns.items():
    rest = f', {WORST} of {len(groups)}' if len(groups) > WORST else ''
    yield kind.replace('_', ' ') + rest, None
    for row in groups[:WORST]:
      yield f'{_shorten(row["group"])} ({row["n"]})', row


def _new_figure(width: float, height: float) -> tuple[Figure, Axes]:
  figure = Figure(figsize=(width, height), layout='constrained')
  return figure, figure.subplots()


def _square(title: str, xlabel: str, ylabel: str) -> tuple[Figure, Axes]:
  figure, axes = _new_figure(4.2, 4.2)
  axes.set(title=title, xlabel=xlabel, ylabel=ylabel, xlim=(0, 1), ylim=(0, 1), aspect='equal')
  return figure, axes


def _mark(axes: Axes, x: float, y: float, metrics: Metrics) -> None:
  """The operating point."""
  axes.plot(x, y, 'o', color='k', clip_on=False, label=f'threshold {metrics["threshold"]:.3f}')


def _draw_threshold(axes: Axes, metrics: Metrics) -> None:
  label = f'threshold {metrics["threshold"]:.3f}'
  axes.axvline(metrics['threshold'], color='k', linewidth=1, linestyle='--', label=label)


def _name_rows(axes: Axes, names: Sequence[str]) -> None:
  """Names of rows from the top down; what comes from data is no formula."""
  axes.set_yticks(range(len(names)), names, parse_math=False)
  axes.set_ylim(len(names) - 0.5, -0.5)


def _shorten(name: str) -> str:
  """A name that fits beside an axis, in characters that can be drawn."""
  shown = ''.join(c if c.isprintable() else '?' for c in name)
  return shown if len(shown) <= LONGEST else f'...{shown[3 - LONGEST :]}'


def _with_interval(metrics: Metrics, name: str) -> str:
  interval = metrics['intervals'].get(name)
  return f'{metrics[name]:.3f}' + (f' ({interval[0]:.3f} to {interval[1]:.3f})' if interval else '')
