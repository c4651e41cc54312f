"""Scores and figures of a run's best weights on a split of a dataset.

In: a workdir with checkpoints. Out: `<workdir>/eval/<dataset>-<split>/` with metrics.json, scores.csv, plots and a
page. Two more commands read what evaluations left:

  python -m lipfake_jax.evaluation.evaluate matrix RUN...        # which run on which dataset: a table
  python -m lipfake_jax.evaluation.evaluate compare RUN_A RUN_B  # is one better, or is it chance?
"""

import collections
import dataclasses
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lipfake_jax.core.clip_spec import SPECS, ClipSpec
from lipfake_jax.core.errors import UserError
from lipfake_jax.core.vocabulary import LABELS
from lipfake_jax.data import input_pipeline
from lipfake_jax.data.input_pipeline import Split
from lipfake_jax.evaluation.breakdown import break_down
from lipfake_jax.evaluation.provenance import describe_run
from lipfake_jax.evaluation.shortcut import metadata_control
from lipfake_jax.evaluation.warnings import find_caveats
from lipfake_jax.inference import checkpoints
from lipfake_jax.models import create_model
from lipfake_jax.report import page, tables
from lipfake_jax.scoring.intervals import bootstrap
from lipfake_jax.scoring.metrics import COUNTS, Metrics, count_metrics, evaluate_scores, probability_metrics
from lipfake_jax.scoring.scores import Scores, clip_scores, video_scores, write_scores
from lipfake_jax.scoring.verdict import (
  FIXED_THRESHOLD,
  Decision,
  calibrate,
  choose_decision,
  read_decision,
  write_decision,
)
from lipfake_jax.training import parallel


@dataclasses.dataclass(frozen=True)
class Evaluation:
  """All that is told of one run on one split.

  Attributes:
    title: what was trained on what and tested on what.
    scores: of the videos.
    metrics: what metrics.json holds, see `measure`; 'metadata', see `metadata_control`; and 'warnings'.
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


@dataclasses.dataclass(frozen=True)
class Run:
  """A trained run.

  Attributes:
    workdir: of it.
    score: its best weights as a function from its model's input [B, ...] to float32 logits, see `score_clips`.
    meta: what their checkpoint tells.
    decision: how it decides.
  """

  workdir: Path
  score: Callable[[np.ndarray], np.ndarray]
  meta: dict[str, Any]
  decision: Decision

  @property
  def rule(self) -> str:
    """How the scores of a video become one, see `aggregation`."""
    return self.meta['model']['aggregation']


def open_run(workdir: Path) -> Run:
  """The run in a workdir.

  Raises:
    UserError: it has no checkpoint, or a damaged one.
  """
  weights, meta = checkpoints.restore_best(workdir)
  model = create_model(meta['model']['name'], meta['model']['arguments'])
  step = parallel.parallel_eval_step(model.apply)
  return Run(workdir, lambda clips: step(weights, clips), meta, read_decision(workdir))


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
  parallel.check_batch_size(batch_size)
  run = open_run(workdir)
  for dataset in datasets:
    evaluation = evaluate_split(run, open_tested(dataset, run.meta, data_dir), data_dir, batch_size)
    if parallel.share()[0] == 0:
      write_results(workdir, evaluation)
      print(tables.FORMATS[form](evaluation.title, evaluation.metrics))


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
  return Evaluation(_title(split, run.meta), videos, metrics, split, run.decision, about)


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
    'n_people': len(set(groups)),
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


def open_tested(dataset: str, meta: dict[str, Any], data_dir: str | None) -> Split:
  """A part that a run is evaluated on. Of a dataset that it was trained on, the parts are those of its training."""
  name, config, part = name_tested(dataset, meta)
  known = [data for data in _seen_data(meta) if _datasets(name, config) & _trained_datasets(data)]
  data = known[0] if known else meta['data']
  return input_pipeline.open_split(
    name,
    config,
    part,
    data_dir,
    split=data['split'] if known else '',
    seed=data['split_seed'],
    exclude=data['exclude'],
    feature=read_input(meta),
  )


def name_tested(dataset: str, meta: dict[str, Any]) -> tuple[str, str, str]:
  """'NAME', 'NAME:PART' or 'NAME/CONFIG:PART' -> builder, config and part, with the run's own where none is named."""
  name, _, part = dataset.partition(':')
  name, _, config = name.partition('/')
  # A control's clips are named for their dataset alone; elsewhere the same clips go by their spec's name.
  common = next((known for known, spec in SPECS.items() if spec == ClipSpec(**meta['clip'])), None)
  if not config:
    config = meta['data']['builder_config'] if name == meta['data']['dataset'] or common is None else common
  return name, config, part or 'test'


def open_training(data: Mapping[str, Any], data_dir: str | None) -> Split | None:
  """The training part that a checkpoint tells of; None where it is not built here."""
  choices = (data['split'], data['split_seed'], data['exclude'])
  try:
    return input_pipeline.open_split(data['dataset'], data['builder_config'], 'train', data_dir, *choices)
  except UserError:
    return None


def open_seen(meta: dict[str, Any], data_dir: str | None) -> list[dict[str, Any]]:
  """What a run's weights were trained on, latest first, for `find_caveats`."""
  opened = [(data, open_training(data, data_dir)) for data in _seen_data(meta)]
  return [{**data, 'datasets': _trained_datasets(data), 'training': part} for data, part in opened]


def read_input(meta: dict[str, Any]) -> str:
  """The feature that a run's model takes, one of `input_pipeline.FEATURES`."""
  return create_model(meta['model']['name'], meta['model']['arguments']).input


def _seen_data(meta: dict[str, Any]) -> list[dict[str, Any]]:
  """What a run's weights were trained on, latest first."""
  return [meta['data'], *meta['before']]


def _trained_datasets(data: dict[str, Any]) -> set[str]:
  return _datasets(data['dataset'], data['builder_config'])


def _datasets(name: str, config: str) -> set[str]:
  """The datasets in 'a+b', and those in combined's config 'a+b-...'."""
  union = config.partition('-')[0] if name == 'combined' else ''
  return {*name.split('+'), *union.split('+')} - {''}


def score_clips(score: Callable[[np.ndarray], np.ndarray], split: Split, batch_size: int) -> np.ndarray:
  """Scores every clip of a split once.

  Args:
    score: from clips [B, ...] to float32 logits [B], or [B, M] of M scores a clip.
    split: what to score.
    batch_size: clips at once.

  Returns:
    float32 [N] or [N, M].
  """
  batches = input_pipeline.eval_batches(split, batch_size, parallel.share())
  return np.concatenate([score(batch['clip'])[batch['mask']] for batch in batches])


def decide(workdir: Path, validation: Split, batch_size: int, rule: str) -> Decision:
  """Sets a run's threshold and temperature, from validation data alone, and keeps them.

  Args:
    workdir: of the run.
    validation: its validation split.
    batch_size: clips at once.
    rule: of `decision.choose_threshold`.
  """
  run = open_run(workdir)
  scores = video_scores(score_clips(run.score, validation, batch_size), validation, run.rule)
  decision = choose_decision(scores.labels, scores.p_fake, rule)
  if parallel.share()[0] == 0:
    write_decision(workdir, decision)
  return decision


def write_results(workdir: Path, evaluation: Evaluation) -> None:
  """Writes metrics.json, scores.csv, the plots and the page of one evaluation."""
  folder = results_folder(workdir, evaluation.split)
  folder.mkdir(parents=True, exist_ok=True)
  (folder / 'metrics.json').write_text(json.dumps(evaluation.metrics, indent=2))
  scores = evaluation.scores
  write_scores(folder / 'scores.csv', scores, calibrate(scores.p_fake, evaluation.decision.temperature))
  page.write_report(folder, evaluation)


def results_folder(workdir: Path, split: Split) -> Path:
  """Where all that is found out about a run on a split is kept."""
  return workdir / 'eval' / f'{split.dataset}-{split.name}'


def _title(split: Split, meta: dict[str, Any]) -> str:
  part = split.name if split.name == 'all' else f'{split.name}, split: {split.rule}'
  trained_on = ', then on '.join(data['dataset'] for data in reversed(_seen_data(meta)))
  return f'{meta["model"]["name"]} trained on {trained_on}, tested on {split.dataset} ({part})'


def main(arguments: Sequence[str] | None = None) -> None:
  """`python -m lipfake_jax.evaluation.evaluate matrix|compare`: here is where a user looks for them."""
  from lipfake_jax.evaluation import compare, matrix

  commands = {'matrix': matrix.main, 'compare': compare.main}
  arguments = sys.argv[1:] if arguments is None else arguments
  if not arguments or arguments[0] not in commands:
    sys.exit(f'usage: python -m lipfake_jax.evaluation.evaluate {{{",".join(commands)}}} [--help]')
  commands[arguments[0]](arguments[1:])


if __name__ == '__main__':
  main()
