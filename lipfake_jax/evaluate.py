"""Scores and figures of a run's best weights on a split of a dataset.

In: a workdir with checkpoints. Out: `<workdir>/eval/<dataset>-<split>/` with metrics.json,
scores.csv, plots and a page.
"""

import csv
import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lipfake_jax import checkpoints, input_pipeline, parallel, report, splits
from lipfake_jax.aggregation import aggregate
from lipfake_jax.clip_spec import SPECS, ClipSpec
from lipfake_jax.errors import UserError
from lipfake_jax.input_pipeline import Split
from lipfake_jax.metrics import best_threshold, evaluate_scores
from lipfake_jax.models import create_model

THRESHOLDS = ('fixed', 'balanced_accuracy')
FIXED_THRESHOLD = 0.5


@dataclasses.dataclass(frozen=True)
class Scores:
  """One entry a video: labels int32 [N], p_fake float64 [N], and what scores.csv says of each."""

  labels: np.ndarray
  p_fake: np.ndarray
  keys: list[str]
  identities: list[str]
  methods: list[str]
  frames: list[int]


def load_run(workdir: Path) -> tuple[Callable[[np.ndarray], np.ndarray], dict[str, Any]]:
  """The best weights of a run as a function from its model's input [B, ...] to float32 logits, and their meta."""
  weights, meta = checkpoints.restore_best(workdir)
  model = create_model(meta['model']['name'], meta['model']['arguments'])
  step = parallel.parallel_eval_step(model.apply)
  return lambda clips: step(weights, clips), meta


def evaluate_workdir(workdir: Path, datasets: Sequence[str], data_dir: str | None, batch_size: int) -> None:
  """Evaluates a run on parts of datasets, and prints and writes figures.

  Args:
    workdir: of the run.
    datasets: each 'NAME' (its test part) or 'NAME:PART'; 'NAME/CONFIG' takes another config than the run's.
    data_dir: where datasets are kept; None is TFDS's default.
    batch_size: clips at once.

  Raises:
    UserError: no checkpoint, or a dataset that is not built.
  """
  parallel.check_batch_size(batch_size)
  score, meta = load_run(workdir)
  threshold = read_threshold(workdir)
  for dataset in datasets:
    split = open_tested(dataset, meta, data_dir)
    if any(split.spec[name] != meta['clip'][name] for name in ('frames', 'size')):
      raise UserError(f'{dataset}: its clips are {split.spec}, the run was trained on others ({meta["clip"]})')
    scores = score_split(score, split, batch_size, meta['model']['aggregation'])
    if parallel.share()[0] == 0:
      write_results(workdir / 'eval' / f'{split.dataset}-{split.name}', scores, threshold, split, meta)


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


def score_split(score: Callable[[np.ndarray], np.ndarray], split: Split, batch_size: int, rule: str) -> Scores:
  """Scores every clip of a split once, and every video by all scores of its clips.

  Args:
    score: from clips [B, ...] to float32 logits [B], or [B, N] of N scores a clip.
    split: what to score.
    batch_size: clips at once.
    rule: of `aggregate`.
  """
  logits = np.concatenate(
    [score(batch['clip'])[batch['mask']] for batch in input_pipeline.eval_batches(split, batch_size, parallel.share())]
  )
  videos: dict[tuple[str, str], list[int]] = {}
  for position, video in enumerate(zip(split.table['dataset'], split.table['key'], strict=True)):
    videos.setdefault(video, []).append(position)
  first = [positions[0] for positions in videos.values()]
  return Scores(
    labels=split.labels[first],
    p_fake=np.array([aggregate(logits[positions].ravel(), rule) for positions in videos.values()]),
    keys=[key for _, key in videos],
    identities=[split.table['identity'][i] for i in first],
    methods=[split.table['method'][i] for i in first],
    frames=[len(positions) * split.clip_shape[0] for positions in videos.values()],
  )


def choose_threshold(workdir: Path, validation: Split, batch_size: int, rule: str) -> float:
  """Sets the run's threshold by a rule, from validation data alone, and keeps it in `<workdir>/threshold.json`.

  Args:
    workdir: of the run.
    validation: its validation split.
    batch_size: clips at once.
    rule: 'fixed' is 0.5; 'balanced_accuracy' the best one by that metric.
  """
  if rule not in THRESHOLDS:
    raise UserError(f'eval.threshold={rule!r}: choose one of {", ".join(THRESHOLDS)}')
  threshold = FIXED_THRESHOLD
  if rule == 'balanced_accuracy':
    score, meta = load_run(workdir)
    scores = score_split(score, validation, batch_size, meta['model']['aggregation'])
    threshold = best_threshold(scores.labels, scores.p_fake)
  if parallel.share()[0] == 0:
    (workdir / 'threshold.json').write_text(json.dumps({'threshold': threshold, 'rule': rule}))
  return threshold


def read_threshold(workdir: Path) -> float:
  """The threshold that `choose_threshold` kept; 0.5 where training was stopped before."""
  path = workdir / 'threshold.json'
  return float(json.loads(path.read_text())['threshold']) if path.exists() else FIXED_THRESHOLD


def write_results(folder: Path, scores: Scores, threshold: float, split: Split, meta: dict[str, Any]) -> None:
  """Writes metrics.json, scores.csv, the plots and the page of one evaluation, and prints its table.

  `meta` is what the run's checkpoint tells of it.
  """
  folder.mkdir(parents=True, exist_ok=True)
  metrics = evaluate_scores(scores.labels, scores.p_fake, threshold)
  (folder / 'metrics.json').write_text(json.dumps(metrics, indent=2))
  with open(folder / 'scores.csv', 'w', newline='') as file:
    writer = csv.writer(file)
    writer.writerow(['id', 'label', 'p_fake', 'frames_used', 'method', 'identity'])
    columns = (scores.keys, scores.labels, scores.p_fake, scores.frames, scores.methods, scores.identities)
    writer.writerows(zip(*columns, strict=True))
  part = split.name if split.name == splits.ALL else f'{split.name}, split: {split.rule}'
  trained_on = ', then on '.join(data['dataset'] for data in reversed(_seen_data(meta)))
  title = f'trained on {trained_on}, tested on {split.dataset} ({part})'
  warnings = [splits.LEAKY] if split.name == splits.LEAKY_NAME else []
  known = [data for data in _seen_data(meta) if set(split.table['dataset']) & _trained_datasets(data)]
  if known and split.name in ('train', 'validation', splits.ALL):
    warnings.append(f'warning: the run has seen videos of {split.dataset} ({split.name}) in training')
  elif len({(data['split'], data['split_seed']) for data in known}) > 1:
    warnings.append(
      f'warning: the first weights of this run were trained on {split.dataset} under another split,'
      f' and may have seen videos of {split.name}'
    )
  print(report.text_table(title, metrics, split.rejections, warnings))
  report.write_report(folder, title, scores, metrics, split.rejections, warnings)
