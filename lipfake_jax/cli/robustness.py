"""How a run's figures fall when videos are worse than in training.

Perturbs the videos of a test part in seven ways at five levels, finds the faces
anew in each, and scores them. Writes robustness.json, .csv, .png and .svg beside the
run's figures, and its page anew.

  lipfake robustness runs/mine --dataset=celeb_df_v2 --manual_dir=FOLDER --limit=40
"""

import functools
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lipfake_jax.cli.arguments import DATA_DIR_HELP, create_parser, split_commas
from lipfake_jax.core.errors import UserError

if TYPE_CHECKING:
  from lipfake_jax.data.dataset import Split
  from lipfake_jax.inference.run import Run


def main(arguments: Sequence[str]) -> None:
  """Prints and writes a run's figures under perturbations."""
  parser = create_parser('robustness', __doc__)
  parser.add_argument('run', type=Path, metavar='RUN', help='workdir of a run')
  parser.add_argument(
    '--dataset', metavar='NAME', required=True, help='a built dataset: NAME, its test part, or NAME:PART'
  )
  parser.add_argument('--manual_dir', metavar='FOLDER', help='the folder of its videos, as it was built from')
  parser.add_argument('--data_dir', metavar='FOLDER', help=DATA_DIR_HELP)
  parser.add_argument(
    '--perturbations', metavar='NAMES', type=split_commas, help='some of the seven, NAME,... (default: all)'
  )
  parser.add_argument('--levels', metavar='NUMBERS', type=split_commas, help='some of 1,2,3,4,5 (default: all)')
  parser.add_argument('--limit', metavar='N', type=int, default=0, help='take this many videos, half of them real')
  parser.add_argument('--batch_size', metavar='N', type=int, default=32, help='clips at once (default: %(default)s)')
  options = parser.parse_args(arguments)

  from lipfake_jax.evaluation.measure import evaluate_split
  from lipfake_jax.inference.compilation import keep_compiled
  from lipfake_jax.inference.parallel_eval import check_batch_size
  from lipfake_jax.inference.run import open_run
  from lipfake_jax.report.results import write_results

  keep_compiled()
  check_batch_size(options.batch_size)
  names, levels = choose_conditions(options.perturbations, options.levels)
  run = open_run(options.run)
  split = _measure(run, names, levels, options)
  folder = write_results(run.workdir, evaluate_split(run, split, options.data_dir, options.batch_size), run.meta)
  print(f'\nwritten to {folder}, and shown by its report.html')


def choose_conditions(names: Sequence[str] | None, levels: Sequence[str] | None) -> tuple[list[str], list[int]]:
  """The perturbations and the levels that are asked for, each once; all where none is named.

  Raises:
    UserError: there is none of such a name.
  """
  from lipfake_jax.evaluation.robustness import LEVELS, PROTOCOL

  names, levels = names or PROTOCOL, levels or [str(level) for level in LEVELS]
  if unknown := [name for name in names if name not in PROTOCOL]:
    raise UserError(f'--perturbations: {", ".join(unknown)} is none of {", ".join(PROTOCOL)}')
  if not all(level in map(str, LEVELS) for level in levels):
    raise UserError(f'--levels={",".join(levels)}: give some of {",".join(map(str, LEVELS))}')
  return list(dict.fromkeys(names)), sorted({int(level) for level in levels})


def _measure(run: 'Run', names: Sequence[str], levels: Sequence[int], options: Namespace) -> 'Split':
  """Prints the tables and writes the files; returns the part that they are of."""
  from lipfake_jax.data.builder import find_data_dir
  from lipfake_jax.evaluation.perturbed_scores import find_test_videos, limit_videos, score_perturbed
  from lipfake_jax.evaluation.provenance import write_figures
  from lipfake_jax.evaluation.robustness import measure_robustness
  from lipfake_jax.evaluation.tested import results_folder
  from lipfake_jax.report.robustness_tables import describe, write_curves

  data_dir, threshold = find_data_dir(options.data_dir), run.decision.threshold
  split, found = find_test_videos(options.dataset, run.meta, data_dir, options.manual_dir)
  videos = limit_videos(found, options.limit)
  score = functools.partial(score_perturbed, run, Path(data_dir) / 'clip_cache', options.batch_size)
  results = measure_robustness(score, videos, threshold, names, levels, on_condition=_print_progress)
  folder = results_folder(run.workdir, split, run.meta)
  write_figures(folder / 'robustness.json', run.meta, split, {'part': folder.name, 'of': len(found), **results})
  write_curves(folder, results)
  chosen = f' of {len(found)} videos, by --limit={options.limit}' if options.limit else ' videos'
  real = sum(video.label == 'real' for video in videos)
  print(describe(results, f'{folder.name}: {len(videos)}{chosen}, {real} real; threshold {threshold:.3f}'))
  return split


def _print_progress(condition: str, figures: dict[str, Any]) -> None:
  from lipfake_jax.report.tables import show

  print(f'{condition}: AUC {show(figures["auc"])}', file=sys.stderr)
