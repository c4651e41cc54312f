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

from lipfake_jax import checkpoints, input_pipeline, parallel, report
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
  """The best weights of a run as a function from uint8 clips [B, T, S, S, 3] to float32 logits [B], and their meta."""
  params, meta = checkpoints.restore_best(workdir)
  model = create_model(meta['model']['name'], meta['model']['arguments'])
  step = parallel.parallel_eval_step(model.apply)
  return lambda clips: step(params, clips), meta


def evaluate_workdir(workdir: Path, datasets: Sequence[str], data_dir: str | None, batch_size: int) -> None:
  """Evaluates a run on splits given as 'dataset' (its test split) or 'dataset:split', and prints and writes figures.

  Raises:
    UserError: no checkpoint, or a dataset that is not built.
  """
  parallel.check_batch_size(batch_size)
  score, meta = load_run(workdir)
  threshold = read_threshold(workdir)
  for dataset in datasets:
    name, _, part = dataset.partition(':')
    split = input_pipeline.open_split(name, meta['data']['builder_config'], part or 'test', data_dir)
    scores = score_split(lambda _, clips: score(clips), None, split, batch_size)
    folder = workdir / 'eval' / f'{name}-{split.name}'
    write_results(folder, scores, threshold, split, trained_on=meta['data']['dataset'])


def score_split(step: Callable, params: Any, split: Split, batch_size: int) -> Scores:
  """Scores every clip of a split once.

  Args:
    step: from (params, uint8 clips [B, ...]) to float32 logits [B].
    params: what it wants.
    split: what to score.
    batch_size: clips at once.
  """
  columns: dict[str, list[np.ndarray]] = {}
  for batch in input_pipeline.eval_batches(split, batch_size):
    mask = batch['mask']
    # In double precision a sure logit keeps its rank: float32 would round the probability to 1.
    batch['p_fake'] = 1 / (1 + np.exp(-step(params, batch['clip']).astype(np.float64)))
    for name in ('label', 'p_fake', 'key', 'identity', 'method', 'frames'):
      columns.setdefault(name, []).append(batch[name][mask])
  table = {name: np.concatenate(parts) for name, parts in columns.items()}
  texts = {name: [str(v) for v in table[name]] for name in input_pipeline.TEXTS}
  frames = [int(v) for v in table['frames']]
  return Scores(table['label'], table['p_fake'], texts['key'], texts['identity'], texts['method'], frames)


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
    score, _ = load_run(workdir)
    scores = score_split(lambda _, clips: score(clips), None, validation, batch_size)
    threshold = best_threshold(scores.labels, scores.p_fake)
  (workdir / 'threshold.json').write_text(json.dumps({'threshold': threshold, 'rule': rule}))
  return threshold


def read_threshold(workdir: Path) -> float:
  """The threshold that `choose_threshold` kept; 0.5 where training was stopped before."""
  path = workdir / 'threshold.json'
  return float(json.loads(path.read_text())['threshold']) if path.exists() else FIXED_THRESHOLD


def write_results(folder: Path, scores: Scores, threshold: float, split: Split, trained_on: str) -> None:
  """Writes metrics.json, scores.csv, the plots and the page of one evaluation, and prints its table."""
  folder.mkdir(parents=True, exist_ok=True)
  metrics = evaluate_scores(scores.labels, scores.p_fake, threshold)
  (folder / 'metrics.json').write_text(json.dumps(metrics, indent=2))
  with open(folder / 'scores.csv', 'w', newline='') as file:
    writer = csv.writer(file)
    writer.writerow(['id', 'label', 'p_fake', 'frames_used', 'method', 'identity'])
    columns = (scores.keys, scores.labels, scores.p_fake, scores.frames, scores.methods, scores.identities)
    writer.writerows(zip(*columns, strict=True))
  title = f'trained on {trained_on}, tested on {split.dataset} ({split.name})'
  print(report.text_table(title, metrics, split.rejections))
  report.write_report(folder, title, scores, metrics, split.rejections)
