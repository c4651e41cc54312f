"""How a run's figures fall when videos are worse than those that it was trained on.

In: a run, and the videos of a dataset that is built. They are perturbed in seven ways at five levels, and faces found
anew in each. Out: the figures of each condition. Next stage: `report.robustness_tables`.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lipfake_jax.clips.clips import Rejection
from lipfake_jax.core.clip_spec import PERTURBATIONS
from lipfake_jax.core.vocabulary import LABELS, VideoRecord
from lipfake_jax.evaluation.perturbed_scores import Outcome, ScorePerturbed
from lipfake_jax.scoring import metrics

PROTOCOL = tuple(name for name, levels in PERTURBATIONS.items() if len(levels) > 1)
LEVELS = range(1, 6)
FIGURES = ('auc', 'balanced_accuracy', 'auc_all')  # that have means

Figures = dict[str, Any]


def measure_condition(videos: Sequence[VideoRecord], outcomes: Sequence[Outcome], threshold: float) -> Figures:
  """The figures of one condition.

  'auc' and 'balanced_accuracy' are of the n videos with a verdict. 'auc_all' is of all videos: a pair of a real and a
  fake one of which any has none counts half, as ties do, so that it may be compared between conditions.
  """
  judged = [(video, p) for video, p in zip(videos, outcomes, strict=True) if not isinstance(p, Rejection)]
  labels = np.array([LABELS.index(video.label) for video, _ in judged], int)
  found = metrics.evaluate_scores(labels, np.array([p for _, p in judged]), threshold)
  pairs = np.prod([sum(video.label == label for video in videos) for label in LABELS])
  share = found['n_real'] * found['n_fake'] / max(pairs, 1)
  return {
    **{name: found[name] for name in ('n', 'n_real', 'n_fake', 'auc', 'balanced_accuracy')},
    'auc_all': (found['auc'] * share if share else 0) + (1 - share) / 2 if pairs else None,
    'p_fake': {video.key: p for video, p in judged},
    'without_verdict': {p.key: f'{p.reason} ({p.detail})' for p in outcomes if isinstance(p, Rejection)},
  }


def measure_robustness(
  score: ScorePerturbed,
  videos: Sequence[VideoRecord],
  threshold: float,
  names: Sequence[str],
  levels: Sequence[int],
  on_condition: Callable[[str, Figures], None] = lambda condition, figures: None,
) -> dict[str, Any]:
  """The figures of each condition, and their means; a mean over levels one of which has no figure has none either.

  Args:
    score: as `perturbed_scores.score_perturbed`, of a run.
    videos: what is perturbed.
    threshold: above which a video is called fake; the run's.
    names: of PROTOCOL.
    levels: of LEVELS.
    on_condition: called with the name and the figures of each condition as soon as they are known.

  Returns:
    'videos', 'threshold', 'conditions': {'none' or 'NAME:LEVEL': see `measure_condition`}, and 'mean': {NAME or 'all':
    a mean over its levels, or over all, of each of FIGURES}.
  """
  conditions = {}
  for condition in ('', *(f'{name}:{level}' for name in names for level in levels)):
    figures = measure_condition(videos, score(videos, condition), threshold)
    conditions[condition or 'none'] = figures
    on_condition(condition or 'none', figures)
  groups = {name: [conditions[f'{name}:{level}'] for level in levels] for name in names}
  groups['all'] = [figures for group in groups.values() for figures in group]
  means = {name: {figure: _mean([row[figure] for row in rows]) for figure in FIGURES} for name, rows in groups.items()}
  return {'videos': len(videos), 'threshold': threshold, 'conditions': conditions, 'mean': means}


def _mean(values: Sequence[float | None]) -> float | None:
  defined = [value for value in values if value is not None]
  return float(np.mean(defined)) if defined and len(defined) == len(values) else None
