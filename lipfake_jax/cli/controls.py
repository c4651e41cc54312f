"""Where a run's figures may come from, if not from how lips move.

Scores its test part again with the frames of each clip shuffled, and with one frame
standing still. With --reencode also real videos against the same, encoded once more:
a detector that tells them apart has learned the encoder. Writes controls.json and
reencoding.json beside the run's figures, and its page anew.

  lipfake controls runs/mine
  lipfake controls runs/mine --datasets=celeb_df_v2 --reencode --manual_dir=FOLDER
"""

import functools
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lipfake_jax.cli.arguments import DATA_DIR_HELP, create_parser, split_commas

if TYPE_CHECKING:
  from lipfake_jax.inference.run import Run


def main(arguments: Sequence[str]) -> None:
  """Prints and writes the controls of a run on each dataset."""
  parser = create_parser('controls', __doc__)
  parser.add_argument('run', type=Path, metavar='RUN', help='workdir of a run')
  parser.add_argument(
    '--datasets', metavar='NAMES', type=split_commas, default=[], help='NAME or NAME:PART,... (default: its own test)'
  )
  parser.add_argument('--reencode', action='store_true', help='real videos against the same, encoded once more, too')
  parser.add_argument(
    '--manual_dir', metavar='FOLDER', help='with --reencode: the folder of its videos, as it was built from'
  )
  parser.add_argument(
    '--limit', metavar='N', type=int, default=0, help='with --reencode: take this many videos, half of them real'
  )
  parser.add_argument('--data_dir', metavar='FOLDER', help=DATA_DIR_HELP)
  parser.add_argument('--batch_size', metavar='N', type=int, default=32, help='clips at once (default: %(default)s)')
  options = parser.parse_args(arguments)

  from lipfake_jax.inference.compilation import keep_compiled
  from lipfake_jax.inference.parallel_eval import check_batch_size
  from lipfake_jax.inference.run import open_run

  keep_compiled()
  check_batch_size(options.batch_size)
  run = open_run(options.run)
  for dataset in options.datasets or [run.meta['data']['dataset']]:
    if options.reencode:
      _reencode(run, dataset, options)
    _control(run, dataset, options)


def _control(run: 'Run', dataset: str, options: Namespace) -> None:
  """The controls in time; of a model that does not look at frames only the page is written anew."""
  from lipfake_jax.evaluation.controls import run_controls
  from lipfake_jax.evaluation.measure import evaluate_split
  from lipfake_jax.evaluation.provenance import write_figures
  from lipfake_jax.evaluation.tested import open_tested, results_folder
  from lipfake_jax.report.control_table import control_table
  from lipfake_jax.report.results import write_results

  test = open_tested(dataset, run.meta, options.data_dir)
  evaluation = evaluate_split(run, test, options.data_dir, options.batch_size)
  folder = results_folder(run.workdir, test, run.meta)
  if test.feature == 'motion':
    print(f'{run.workdir}: its model takes statistics of a whole video: there are no frames to shuffle')
  else:
    controls = run_controls(run.score, test, evaluation.scores, run.decision.threshold, options.batch_size, run.rule)
    write_figures(folder / 'controls.json', run.meta, test, controls)
    print(control_table(f'controls of {run.workdir}, on {test.dataset} ({test.name})', controls))
  write_results(run.workdir, evaluation, run.meta)
  print(f'written to {folder}, and shown by its report.html')


def _reencode(run: 'Run', dataset: str, options: Namespace) -> None:
  """The control by encoding real videos once more."""
  from lipfake_jax.data.builder import find_data_dir
  from lipfake_jax.evaluation.controls import reencoding_control
  from lipfake_jax.evaluation.perturbed_scores import find_test_videos, limit_videos, score_perturbed
  from lipfake_jax.evaluation.provenance import write_figures
  from lipfake_jax.evaluation.tested import results_folder

  data_dir = find_data_dir(options.data_dir)
  split, found = find_test_videos(dataset, run.meta, data_dir, options.manual_dir)
  score = functools.partial(score_perturbed, run, Path(data_dir) / 'clip_cache', options.batch_size)
  control = reencoding_control(score, limit_videos(found, options.limit), run.decision.threshold)
  folder = results_folder(run.workdir, split, run.meta)
  write_figures(folder / 'reencoding.json', run.meta, split, control)
  print(f'\n{folder.name}, real videos encoded once more:')
  print(*(f'{name}: {value}' for name, value in control.items()), sep='\n')
