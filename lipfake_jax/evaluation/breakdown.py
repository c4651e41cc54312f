"""Figures of parts of the tested videos: where a detector fails, the surest failures first.

In: the scores of a split. Out: a row a group, by method, dataset, folder, codec, person, and quarters of a quantity.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lipfake_jax.scoring.intervals import (
  Interval,
  count_people,
  draw_counts,
  interval_of,
  join_people,
  tail_share,
  unseen_rate,
)
from lipfake_jax.scoring.metrics import evaluate_scores
from lipfake_jax.scoring.scores import Scores

KINDS = ('method', 'dataset', 'folder', 'codec', 'identity')
QUANTITIES = ('mouth_width', 'sharpness', 'mean_activity')
QUARTERS = 4
FIGURES = ('n', 'n_real', 'n_fake', 'balanced_accuracy', 'recall', 'specificity', 'auc')

Row = dict[str, Any]


def break_down(scores: Scores, threshold: float) -> dict[str, list[Row]]:
  """Figures of every group of every kind that has at least two groups, the surest failures first.

  A method of making fakes is judged with all real videos beside its own. Of a group with one class 'score' is the share
  of right verdicts, of one with both it is balanced accuracy. 'interval' is its 95 % interval by bootstrap over people,
  for a person over this person's videos; None where a class has one of them only. Groups are ordered by its upper end,
  those without one last: a few videos, which may fail by chance, do not come before many that fail for certain.

  Args:
    scores: of videos.
    threshold: of the verdicts.

  Returns:
    By kind, rows of 'group', 'score', 'interval' and FIGURES.
  """
  people, videos = scores.groups, _videos(scores)
  over_people, over_videos = (np.stack(list(draw_counts(units))) for units in (people, videos))
  found = {}
  for kind, groups in _groups(scores).items():
    units, counts = (videos, over_videos) if kind == 'identity' else (people, over_people)
    rows = [_row(name, scores, chosen, threshold, units, counts) for name, chosen in groups.items()]
    found[kind] = sorted(rows, key=_surest_failure)
  return found


def _videos(scores: Scores) -> list[str]:
  """Each video by itself, as `Scores.groups` has people."""
  columns = (scores.table[name] for name in ('dataset', 'key'))
  return [join_people((f'{dataset}/{key}',)) for dataset, key in zip(*columns, strict=True)]


def _groups(scores: Scores) -> dict[str, dict[str, np.ndarray]]:
  """By kind and by name, which videos a group holds, bool [N]."""
  labels = scores.labels.astype(bool)
  kinds: dict[str, dict[str, np.ndarray]] = {}
  for kind in KINDS:
    names = np.array([name or 'unknown' for name in scores.table[kind]])
    kinds[kind] = {name: names == name for name in dict.fromkeys(names)}
    if kind == 'method':
      kinds[kind] = {name: chosen | ~labels for name, chosen in kinds[kind].items() if (chosen & labels).any()}
  for quantity in QUANTITIES:
    kinds[quantity] = _quarters(scores.table[quantity])
  return {kind: groups for kind, groups in kinds.items() if len(groups) > 1}


def _row(
  name: str, scores: Scores, chosen: np.ndarray, threshold: float, units: Sequence[str], counts: np.ndarray
) -> Row:
  labels, p_fake = scores.labels[chosen], scores.p_fake[chosen]
  figures = evaluate_scores(labels, p_fake, threshold)
  both = figures['balanced_accuracy'] is not None
  score = figures['balanced_accuracy' if both else 'accuracy']
  members = [units[i] for i in np.flatnonzero(chosen)]
  interval = _interval(labels, (p_fake > threshold) == labels, members, counts[:, chosen], score)
  return {'group': name, 'score': score, 'interval': interval, **{figure: figures[figure] for figure in FIGURES}}


def _interval(
  labels: np.ndarray, right: np.ndarray, units: Sequence[str], counts: np.ndarray, score: float
) -> Interval | None:
  """Of the mean over classes of the share of right verdicts.

  Args:
    labels: int [N].
    right: bool [N].
    units: who is in each, [N].
    counts: int [R, N], how often each is drawn.
    score: the figure itself. Where it is 0 or 1 the draws have no width.
  """
  rates, rooms = [], []
  for label in np.unique(labels):
    of_class = labels == label
    shown = {units[i] for i in np.flatnonzero(of_class)}
    if len(shown) < 2:
      return None
    with np.errstate(invalid='ignore'):  # none of the class was drawn
      rates.append(counts[:, of_class & right].sum(axis=1) / counts[:, of_class].sum(axis=1))
    rooms.append(unseen_rate(count_people(shown)))
  drawn, room = np.mean(rates, axis=0), float(np.mean(rooms))
  found = interval_of(drawn[np.isfinite(drawn)].tolist(), tail_share(count_people(units)))
  low, high = found or (score, score)
  return (min(low, 1 - room) if score == 1 else low, max(high, room) if score == 0 else high)


def _surest_failure(row: Row) -> tuple[bool, float, float]:
  """What groups are ordered by."""
  return (row['interval'] is None, row['interval'][1] if row['interval'] else 0.0, row['score'])


def _quarters(values: Sequence[float]) -> dict[str, np.ndarray]:
  """Four parts of about the same number of videos, by name 'lowest to highest'; fewer where values repeat."""
  known = np.asarray(values, np.float64)
  bounds = np.quantile(known, np.linspace(0, 1, QUARTERS + 1)[1:-1])
  part = np.searchsorted(bounds, known, side='right')
  found: dict[str, np.ndarray] = {}
  for number in np.unique(part):
    ends = [f'{end:.4g}' for end in (known[part == number].min(), known[part == number].max())]
    name = ' to '.join(dict.fromkeys(ends))
    found[name] = found.get(name, False) | (part == number)  # two whose ends look the same are one
  return found
