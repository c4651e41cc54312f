"""All figures of a run on a split.

In: a `Run` and a `Split`. Out: an `Evaluation`. Next stages: `report` writes and shows it.
"""

import collections
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lipfake_jax.core.errors import UserError
from lipfake_jax.core.vocabulary import LABELS
from lipfake_jax.data.dataset import Split, digest_split
from lipfake_jax.evaluation.breakdown import break_down
from lipfake_jax.evaluation.provenance import describe_run
from lipfake_jax.evaluation.shortcut import metadata_control
from lipfake_jax.evaluation.tested import list_seen, open_seen
from lipfake_jax.evaluation.warnings import find_caveats
from lipfake_jax.inference.run import Run, digest_weights
from lipfake_jax.inference.split_scores import score_clips
from lipfake_jax.scoring.intervals import bootstrap, count_people
from lipfake_jax.scoring.metrics import COUNTS, Metrics, count_metrics, evaluate_scores, probability_metrics
from lipfake_jax.scoring.scores import Scores, clip_scores, video_scores
from lipfake_jax.scoring.verdict import FIXED_THRESHOLD, Decision, calibrate


@dataclasses.dataclass(frozen=True)
class Evaluation:
  """All that is told of one run on one split.

  Attributes:
    title: what was trained on what and tested on what.
    scores: of the videos.
    metrics: what metrics.json holds, see `measure`; 'metadata', see `metadata_control`; 'warnings'; and what they are
      of, see `identify`.
    split: what was tested.
    decision: how the run decides.
    about: what the run and this evaluation are, by name: configuration, versions, hardware, digests.
  """

  title: str
  scores: Scores
  metrics: Metrics
  split: Split
  decision: Decision
  about: dict[str, Any]


def evaluate_split(run: Run, split: Split, data_dir: str | None, batch_size: int) -> Evaluation:
  """Evaluates a run on a split, and writes nothing.

  Raises:
    UserError: the split's clips are of another shape than those that the run was trained on.
  """
  if any(split.spec[name] != run.meta['clip'][name] for name in ('frames', 'size')):
    raise UserError(f'{split.dataset}: its clips are {split.spec}, the run was trained on others ({run.meta["clip"]})')
  logits, seen = score_clips(run.score, split, batch_size), open_seen(run.meta, data_dir)
  videos, clips = (make(logits, split, run.rule) for make in (video_scores, clip_scores))
  metrics = measure(videos, clips, run.decision, split.rejections)
  training = seen[0]['training']
  metrics['metadata'] = metadata_control(training, split, videos) if training else None
  metrics['warnings'] = find_caveats(metrics, videos, split, seen)
  about = describe_run(run.workdir, run.meta, split)
  return Evaluation(_title(split, run.meta), videos, metrics | identify(split, run.meta), split, run.decision, about)


def identify(split: Split, meta: dict[str, Any]) -> dict[str, str]:
  """What figures are of: while these digests hold, they need not be measured again.

  Args:
    split: what was tested.
    meta: of the run.

  Returns:
    'weights' and 'data', digests, and 'builder_config', 'part' and 'split' in words.
  """
  return {
    'weights': digest_weights(meta),
    'data': digest_split(split),
    'builder_config': split.builder_config,
    'part': split.name,
    'split': split.rule,
  }


def measure(
  videos: Scores, clips: Scores, decision: Decision, rejections: Sequence[Mapping[str, str]], seed: int = 0
) -> Metrics:
  """All figures of one evaluation.

  Returns:
    Those of `evaluate_scores` on videos, at the run's threshold; and
    'level': 'video', which these are of,
    'n_people' and 'intervals': (low, high) of each by bootstrap over so many people, see `intervals`,
    'threshold_rule', and 'at_half': the counts' metrics at the threshold .5,
    'calibrated': brier, log_loss and ece with the run's 'temperature',
    'clip_level': those of `evaluate_scores` on clips,
    'without_verdict': number of videos that gave no clip by class, and by 'reasons'; 'counted_as_errors': the counts'
    metrics with each of them taken for a mistake,
    'breakdowns': see `break_down`.
  """
  groups, threshold = videos.groups, decision.threshold

  def figures(chosen: np.ndarray) -> Metrics:
    found = evaluate_scores(videos.labels[chosen], videos.p_fake[chosen], threshold)
    return {name: value for name, value in found.items() if name not in (*COUNTS, 'threshold')}

  metrics = evaluate_scores(videos.labels, videos.p_fake, threshold)
  missing = collections.Counter(rejection['label'] for rejection in rejections)
  reasons = collections.Counter(f'{rejection["label"]} {rejection["reason"]}' for rejection in rejections)
  wrong = {'fp': metrics['fp'] + missing['real'], 'fn': metrics['fn'] + missing['fake']}
  half = evaluate_scores(videos.labels, videos.p_fake, FIXED_THRESHOLD)
  return metrics | {
    'level': 'video',
    'n_people': count_people(groups),
    'intervals': bootstrap(figures, groups, seed=seed),
    'threshold_rule': decision.rule,
    'at_half': count_metrics(**{name: half[name] for name in ('tp', 'tn', 'fp', 'fn')}),
    'temperature': decision.temperature,
    'calibrated': probability_metrics(videos.labels.astype(bool), calibrate(videos.p_fake, decision.temperature)),
    'clip_level': evaluate_scores(clips.labels, clips.p_fake, threshold),
    'without_verdict': {**{label: missing[label] for label in LABELS}, 'reasons': dict(sorted(reasons.items()))},
    'counted_as_errors': count_metrics(metrics['tp'], metrics['tn'], **wrong),
    'breakdowns': break_down(videos, threshold),
  }


def _title(split: Split, meta: dict[str, Any]) -> str:
  part = split.name if split.name == 'all' else f'{split.name}, split: {split.rule}'
  trained_on = ', then on '.join(data['dataset'] for data in reversed(list_seen(meta)))
  return f'{meta["model"]["name"]} trained on {trained_on}, tested on {split.dataset} ({part})'
