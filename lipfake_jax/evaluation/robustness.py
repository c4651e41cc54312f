"""How a run's figures fall when videos are worse than those that it was trained on.

  python -m lipfake_jax.evaluation.robustness RUN --dataset=NAME[:PART] --manual_dir=FOLDER

In: a workdir, and the videos of a dataset that is built. They are perturbed in seven ways at five levels, and faces
found anew in each. Out: robustness.json, .csv, .png and .svg in `<workdir>/eval/<dataset>-<part>/`.
"""

import argparse
import functools
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lipfake_jax.clips.clips import Rejection
from lipfake_jax.core.clip_spec import PERTURBATIONS
from lipfake_jax.core.errors import UserError, exit_codes
from lipfake_jax.core.vocabulary import LABELS, VideoRecord
from lipfake_jax.evaluation.measure import evaluate_split
from lipfake_jax.evaluation.perturbed import Judge, Verdict, find_data_dir, find_tested, judge_videos, limit_videos
from lipfake_jax.evaluation.tested import open_tested
from lipfake_jax.inference.compilation import keep_compiled
from lipfake_jax.inference.parallel_eval import check_batch_size
from lipfake_jax.inference.run import digest_weights, open_run
from lipfake_jax.report import robustness_tables
from lipfake_jax.report.results import write_results
from lipfake_jax.report.tables import show
from lipfake_jax.scoring import metrics

PROTOCOL = tuple(name for name, levels in PERTURBATIONS.items() if len(levels) > 1)
LEVELS = range(1, 6)

Figures = dict[str, Any]


def summarise(videos: Sequence[VideoRecord], verdicts: Sequence[Verdict], threshold: float) -> Figures:
  """The figures of one condition.

  'auc' and 'balanced_accuracy' are of the n videos with a verdict. 'auc_all' is of all videos: a pair of a real and a
  fake one of which any has none counts half, as ties do, so that it may be compared between conditions.
  """
  judged = [(video, p) for video, p in zip(videos, verdicts, strict=True) if not isinstance(p, Rejection)]
  labels = np.array([LABELS.index(video.label) for video, _ in judged], int)
  found = metrics.evaluate_scores(labels, np.array([p for _, p in judged]), threshold)
  pairs = np.prod([sum(video.label == label for video in videos) for label in LABELS])
  share = found['n_real'] * found['n_fake'] / max(pairs, 1)
  return {
    **{name: found[name] for name in ('n', 'n_real', 'n_fake', 'auc', 'balanced_accuracy')},
    'auc_all': (found['auc'] * share if share else 0) + (1 - share) / 2 if pairs else None,
    'p_fake': {video.key: p for video, p in judged},
    'without_verdict': {p.key: f'{p.reason} ({p.detail})' for p in verdicts if isinstance(p, Rejection)},
  }


def measure_robustness(
  judge: Judge, videos: Sequence[VideoRecord], threshold: float, names: Sequence[str], levels: Sequence[int]
) -> dict[str, Any]:
  """The figures of each condition, and their means; a mean over levels one of which has no figure has none either.

  Args:
    judge: see `judge_videos`.
    videos: what is perturbed.
    threshold: above which a video is called fake; the run's.
    names: of PROTOCOL.
    levels: from 1 to 5.

  Returns:
    'videos', 'threshold', 'conditions': {'none' or 'NAME:LEVEL': see `summarise`}, and 'mean': {NAME or 'all': a mean
    over its levels, or over all, of each of `robustness_report.FIGURES`}.
  """
  conditions = {'none': summarise(videos, judge(videos, ''), threshold)}
  for name in names:
    for level in levels:
      condition = f'{name}:{level}'
      conditions[condition] = summarise(videos, judge(videos, condition), threshold)
      print(f'{condition}: AUC {show(conditions[condition]["auc"])}', file=sys.stderr)
  groups = {name: [conditions[f'{name}:{level}'] for level in levels] for name in names}
  groups['all'] = [figures for group in groups.values() for figures in group]
  means = {
    name: {figure: _mean([row[figure] for row in rows]) for figure in robustness_tables.FIGURES}
    for name, rows in groups.items()
  }
  return {'videos': len(videos), 'threshold': threshold, 'conditions': conditions, 'mean': means}


def _mean(values: Sequence[float | None]) -> float | None:
  defined = [value for value in values if value is not None]
  return float(np.mean(defined)) if defined and len(defined) == len(values) else None


def measure(options: argparse.Namespace) -> None:
  """What the command line asks for."""
  check_batch_size(options.batch_size)
  names, levels = _check_choice(options)
  run = open_run(options.workdir)
  threshold = run.decision.threshold
  data_dir = find_data_dir(options.data_dir)
  part, found = find_tested(options.dataset, run.meta, data_dir, options.manual_dir)
  videos = limit_videos(found, options.limit)
  judge = functools.partial(judge_videos, run, Path(data_dir) / 'clip_cache', options.batch_size)
  folder = options.workdir / 'eval' / part
  number = (
    f'{len(videos)} of {len(found)} videos, by --limit={options.limit}' if options.limit else f'{len(found)} videos'
  )
  title = f'{part}: {number}, {sum(video.label == "real" for video in videos)} real; threshold {threshold:.3f}'
  results = measure_robustness(judge, videos, threshold, names, levels)
  about = {'weights': digest_weights(run.meta), 'part': part, 'of': len(found)}
  robustness_tables.write_results(folder, {**about, **results})
  print(robustness_tables.describe(results, title))
  split = open_tested(options.dataset, run.meta, data_dir)
  write_results(options.workdir, evaluate_split(run, split, data_dir, options.batch_size), run.meta)
  print(f'\nwritten to {folder}, and shown by its report.html')


def _check_choice(options: argparse.Namespace) -> tuple[list[str], list[int]]:
  """The perturbations and levels that are asked for."""
  names, levels = options.perturbations.split(','), options.levels.split(',')
  if unknown := [name for name in names if name not in PROTOCOL]:
    raise UserError(f'--perturbations: {", ".join(unknown)} is none of {", ".join(PROTOCOL)}')
  if not all(level in map(str, LEVELS) for level in levels):
    raise UserError(f'--levels={options.levels}: give some of {",".join(map(str, LEVELS))}')
  return list(dict.fromkeys(names)), sorted({int(level) for level in levels})


def main(arguments: Sequence[str] | None = None) -> None:
  """The command."""
  parser = argparse.ArgumentParser(
    prog='python -m lipfake_jax.evaluation.robustness',
    description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )
  parser.add_argument('workdir', metavar='RUN', type=Path, help='workdir of a trained run')
  parser.add_argument('--dataset', required=True, help='a built dataset: NAME, its test part, or NAME:PART')
  parser.add_argument('--manual_dir', help='the folder of its videos, as it was built from')
  parser.add_argument('--data_dir', help="folder of the built datasets (default: TFDS's)")
  parser.add_argument('--perturbations', default=','.join(PROTOCOL), help='default: %(default)s')
  parser.add_argument('--levels', default=','.join(map(str, LEVELS)), help='default: %(default)s')
  parser.add_argument(
    '--limit', type=int, default=0, help='take this many videos, half of them real; the same each time'
  )
  parser.add_argument('--batch_size', type=int, default=32, help='clips at once (%(default)s)')
  options = parser.parse_args(arguments)
  keep_compiled()
  with exit_codes():
    measure(options)


if __name__ == '__main__':
  main()
