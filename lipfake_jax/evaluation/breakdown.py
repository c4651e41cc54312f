"""Figures of parts of the tested videos: where a detector fails, worst first.

In: the scores of a split. Out: a row a group, by method, dataset, folder, codec, person, and quarters of a quantity.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lipfake_jax.scoring.metrics import evaluate_scores
from lipfake_jax.scoring.scores import Scores

KINDS = ('method', 'dataset', 'folder', 'codec', 'identity')
QUANTITIES = ('mouth_width', 'sharpness', 'mean_activity')
QUARTERS = 4
FIGURES = ('n', 'n_real', 'n_fake', 'balanced_accuracy', 'recall', 'specificity', 'auc')

Row = dict[str, Any]


def break_down(scores: Scores, threshold: float) -> dict[str, list[Row]]:
  """Figures of every group of every kind that has at least two groups, worst first.

  A method of making fakes is judged with all real videos beside its own. Of a group with one class 'score' is the share
  of right verdicts, of one with both it is balanced accuracy; groups are ordered by it.

  Args:
    scores: of videos.
    threshold: of the verdicts.

  Returns:
    By kind, rows of 'group', 'score' and FIGURES.
  """
  labels = scores.labels.astype(bool)
  kinds: dict[str, dict[str, np.ndarray]] = {}
  for kind in KINDS:
    names = np.array([name or 'unknown' for name in scores.table[kind]])
    kinds[kind] = {name: names == name for name in dict.fromkeys(names)}
    if kind == 'method':
      kinds[kind] = {name: chosen | ~labels for name, chosen in kinds[kind].items() if (chosen & labels).any()}
  for quantity in QUANTITIES:
    kinds[quantity] = _quarters(scores.table[quantity])
  return {
    kind: sorted((_row(name, scores, chosen, threshold) for name, chosen in groups.items()), key=lambda r: r['score'])
    for kind, groups in kinds.items()
    if len(groups) > 1
  }


def _row(name: str, scores: Scores, chosen: np.ndarray, threshold: float) -> Row:
  figures = evaluate_scores(scores.labels[chosen], scores.p_fake[chosen], threshold)
  both = figures['balanced_accuracy'] is not None
  score = figures['balanced_accuracy' if both else 'accuracy']
  return {'group': name, 'score': score, **{figure: figures[figure] for figure in FIGURES}}


def _quarters(values: Sequence[float]) -> dict[str, np.ndarray]:
  """Four parts of about the same number of videos, by name 'low to high'; fewer where values repeat."""
  known = np.asarray(values, np.float64)
  edges = np.unique(np.quantile(known, np.linspace(0, 1, QUARTERS + 1)))
  if len(edges) < 3:
    return {}
  part = np.clip(np.searchsorted(edges, known, side='right') - 1, 0, len(edges) - 2)
  return {f'{edges[i]:.4g} to {edges[i + 1]:.4g}': part == i for i in range(len(edges) - 1)}
