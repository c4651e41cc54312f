"""How a run's figures fall when videos are worse than those that it was trained on, and whether it knows an encoder.

  python -m lipfake_jax.robustness RUN --dataset=NAME[:PART] --manual_dir=FOLDER
  python -m lipfake_jax.robustness RUN --dataset=NAME[:PART] --manual_dir=FOLDER --control

In: a workdir, and the videos of a dataset that is built. The first perturbs them in seven ways at five levels, finds
faces anew in each, and writes robustness.json, .csv, .png and .svg into `<workdir>/eval/<dataset>-<part>/`. The second
encodes the real ones once more, and writes reencoding.json: a detector that tells these from the originals has learned
the encoder.
"""

import argparse
import dataclasses
import functools
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from lipfake_jax import evaluate, extraction, metrics, parallel, predict, robustness_report, splits
from lipfake_jax.clip_spec import PERTURBATIONS, ClipSpec
from lipfake_jax.clips import Rejection
from lipfake_jax.compilation import keep_compiled
from lipfake_jax.errors import UserError, exit_codes
from lipfake_jax.evaluate import Run
from lipfake_jax.lip_clip_builder import create_builder
from lipfake_jax.listing import LABELS, VideoRecord, shorten
from lipfake_jax.tables import show

PROTOCOL = tuple(name for name, levels in PERTURBATIONS.items() if len(levels) > 1)
LEVELS = range(1, 6)
CONTROL = 'reencode:1'
AT_ONCE = 512  # videos whose clips are in memory

Verdict = float | Rejection  # p(fake), or why there is none
Judge = Callable[[Sequence[VideoRecord], str], list[Verdict]]  # videos, 'NAME:LEVEL' or '' -> a verdict each
Figures = dict[str, Any]


def find_tested(
  dataset: str, meta: dict[str, Any], data_dir: str, manual_dir: str | None
) -> tuple[str, list[VideoRecord]]:
  """'<dataset>-<part>' and the videos of a part that a run is evaluated on, those included that gave no clip.

  Args:
    dataset: as for `evaluate.open_tested`; one that is built.
    meta: of the run.
    data_dir: where datasets are kept.
    manual_dir: the folder of its videos; None is where `tfds build` looks without one.

  Raises:
    UserError: the dataset is not built, or the folder is not the one that it was built from.
  """
  split = evaluate.open_tested(dataset, meta, data_dir)
  name, config, _ = evaluate.name_tested(dataset, meta)
  builder = create_builder(name, config, data_dir)
  folders = {'download_dir': f'{data_dir}/downloads', 'manual_dir': manual_dir or f'{data_dir}/downloads/manual'}
  root = builder.source_dir(
    tfds.download.DownloadManager(**folders, manual_dir_instructions=builder.MANUAL_DOWNLOAD_INSTRUCTIONS)
  )
  files = {(video.dataset, video.key): video for video in builder.survey(root).videos}
  rejected = [(rejection['dataset'], rejection['key']) for rejection in split.rejections]
  keys = sorted({*zip(split.table['dataset'], split.table['key'], strict=True), *rejected})
  lost = [key for key in keys if key not in files]
  if lost:
    names = shorten([key for _, key in lost])
    raise UserError(f'{len(lost)} of {len(keys)} videos are not below {root} ({names}): --manual_dir must be as built')
  return f'{split.dataset}-{split.name}', [files[key] for key in keys]


def limit_videos(videos: Sequence[VideoRecord], limit: int) -> list[VideoRecord]:
  """At most half of `limit` of each class, drawn by name alone; 0 takes all."""
  if not limit:
    return list(videos)
  drawn = sorted(videos, key=lambda video: splits.draw(f'limit/{video.dataset}/{video.key}', seed=0))
  return [video for label in LABELS for video in [v for v in drawn if v.label == label][: limit // 2]]


def judge_videos(
  run: Run,
  cache_dir: Path,
  batch_size: int,
  videos: Sequence[VideoRecord],
  perturbation: str,
) -> list[Verdict]:
  """A run's verdict on each video after a perturbation of its frames; the clips stay in the cache."""
  spec = dataclasses.replace(ClipSpec(**run.meta['clip']), perturbation=perturbation)
  caches = extraction.extract_videos([video.path for video in videos], spec, cache_dir)
  verdicts: list[Verdict] = []
  for start in range(0, len(videos), AT_ONCE):
    some = zip(caches[start : start + AT_ONCE], videos[start : start + AT_ONCE], strict=True)
    found = [extraction.load_result(cache, video.key) for cache, video in some]
    scores = iter(predict.score_videos(run, [f for f in found if not isinstance(f, Rejection)], batch_size))
    verdicts += [f if isinstance(f, Rejection) else next(scores) for f in found]
  return verdicts


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
    name: {figure: _mean([row[figure] for row in rows]) for figure in robustness_report.FIGURES}
    for name, rows in groups.items()
  }
  return {'videos': len(videos), 'threshold': threshold, 'conditions': conditions, 'mean': means}


def reencoding_control(judge: Judge, videos: Sequence[VideoRecord], threshold: float) -> Figures:
  """Real videos against the same, encoded once more (H.264, crf 23).

  Returns:
    'auc': of telling the re-encoded ones, as if they were the fakes; .5 is right, and far from it on either side the
    detector has learned the encoder. 'n': videos with a verdict on both. 'mean_p_fake_' and 'called_fake_' 'before' and
    'after': of these n, the latter a number of videos. 'without_verdict': the others, by name.
  """
  reals = [video for video in videos if video.label == 'real']
  before, after = judge(reals, ''), judge(reals, CONTROL)
  pairs = [pair for pair in zip(before, after, strict=True) if not any(isinstance(p, Rejection) for p in pair)]
  scores = np.array(pairs, float).reshape(-1, 2).T
  labels = np.repeat([False, True], len(pairs))
  figures: Figures = {'auc': metrics.rank_metrics(labels, scores.ravel())['auc'], 'n': len(pairs)}
  for when, p_fake in zip(('before', 'after'), scores, strict=True):
    figures[f'mean_p_fake_{when}'] = _mean(list(p_fake))
    figures[f'called_fake_{when}'] = int((p_fake > threshold).sum())
  lost = {p.key: f'{p.reason} ({p.detail})' for p in (*before, *after) if isinstance(p, Rejection)}
  return {**figures, 'threshold': threshold, 'without_verdict': lost}


def _mean(values: Sequence[float | None]) -> float | None:
  defined = [value for value in values if value is not None]
  return float(np.mean(defined)) if defined and len(defined) == len(values) else None


def measure(options: argparse.Namespace) -> None:
  """What the command line asks for."""
  parallel.check_batch_size(options.batch_size)
  names, levels = _check_choice(options)
  run = evaluate.open_run(options.workdir)
  threshold = run.decision.threshold
  data_dir = str(Path(options.data_dir).expanduser())
  part, found = find_tested(options.dataset, run.meta, data_dir, options.manual_dir)
  videos = limit_videos(found, options.limit)
  judge = functools.partial(judge_videos, run, Path(data_dir) / 'clip_cache', options.batch_size)
  folder = options.workdir / 'eval' / part
  number = (
    f'{len(videos)} of {len(found)} videos, by --limit={options.limit}' if options.limit else f'{len(found)} videos'
  )
  title = f'{part}: {number}, {sum(video.label == "real" for video in videos)} real; threshold {threshold:.3f}'
  if options.control:
    control = reencoding_control(judge, videos, threshold)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'reencoding.json').write_text(json.dumps(control, indent=2))
    print(title, *(f'{name}: {value}' for name, value in control.items()), sep='\n')
  else:
    results = measure_robustness(judge, videos, threshold, names, levels)
    robustness_report.write_results(folder, {'part': part, 'of': len(found), **results})
    print(robustness_report.describe(results, title))
  split = evaluate.open_tested(options.dataset, run.meta, data_dir)
  evaluate.write_results(options.workdir, evaluate.evaluate_split(run, split, data_dir, options.batch_size))
  print(f'\nwritten to {folder}, and shown by its report.html')


def _check_choice(options: argparse.Namespace) -> tuple[list[str], list[int]]:
  """The perturbations and levels that are asked for."""
  names, levels = options.perturbations.split(','), options.levels.split(',')
  if unknown := [name for name in names if name not in PROTOCOL]:
    raise UserError(f'--perturbations: {", ".join(unknown)} is none of {", ".join(PROTOCOL)}')
  if not all(level in map(str, LEVELS) for level in levels):
    raise UserError(f'--levels={options.levels}: give some of {",".join(map(str, LEVELS))}')
  if options.limit < 0 or options.limit == 1:
    raise UserError(f'--limit={options.limit}: give at least 2, one of each class, or 0 for all')
  return list(dict.fromkeys(names)), sorted({int(level) for level in levels})


def main(arguments: Sequence[str] | None = None) -> None:
  """The command."""
  parser = argparse.ArgumentParser(
    prog='python -m lipfake_jax.robustness', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument('workdir', metavar='RUN', type=Path, help='workdir of a trained run')
  parser.add_argument('--dataset', required=True, help='a built dataset: NAME, its test part, or NAME:PART')
  parser.add_argument('--manual_dir', help='the folder of its videos, as it was built from')
  parser.add_argument('--data_dir', default=tfds.core.constants.DATA_DIR, help='of built datasets (%(default)s)')
  parser.add_argument('--perturbations', default=','.join(PROTOCOL), help='default: %(default)s')
  parser.add_argument('--levels', default=','.join(map(str, LEVELS)), help='default: %(default)s')
  parser.add_argument(
    '--limit', type=int, default=0, help='take this many videos, half of them real; the same each time'
  )
  parser.add_argument('--control', action='store_true', help='real videos against the same, encoded once more')
  parser.add_argument('--batch_size', type=int, default=32, help='clips at once (%(default)s)')
  options = parser.parse_args(arguments)
  keep_compiled()
  with exit_codes():
    measure(options)


if __name__ == '__main__':
  main()
