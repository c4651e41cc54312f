"""Trains on everyone but the test part, and scores those left out.

The people of training and validation are put into folds. A run without each fold scores
its people; one more is trained on all, which `lipfake ship` ships. Nothing is chosen by
a fold, and the test part is not looked at. What was stopped goes on;
--config.FIELD=VALUE changes a field. Processes may share the work by --only; the same
command without it then prints the table.

  lipfake crossfit --config=configs/shipped.py --workdir=runs/shipped --folds=4
"""

from collections.abc import Sequence
from pathlib import Path

from lipfake_jax.cli.ablation import load_config
from lipfake_jax.cli.arguments import DATA_DIR_HELP, create_parser, parse_with_fields, split_commas


def main(arguments: Sequence[str]) -> None:
  """Trains what is not trained yet, prints the table, and writes it to WORKDIR/crossfit.md."""
  parser = create_parser('crossfit', __doc__)
  parser.add_argument('--config', required=True, metavar='FILE', help='a file in configs/: data, model and training')
  parser.add_argument('--workdir', metavar='FOLDER', required=True, type=Path, help='folder of all runs')
  parser.add_argument('--data_dir', metavar='FOLDER', help=DATA_DIR_HELP)
  parser.add_argument('--folds', metavar='N', type=int, default=4, help='of people (default: 4)')
  parser.add_argument(
    '--only', metavar='NAMES', type=split_commas, help='train these runs, fold_0,...,all, and stop (default: all)'
  )
  options, fields = parse_with_fields(parser, arguments)
  config = load_config(options.config, fields)

  from lipfake_jax.experiments.crossfit import crossfit, to_markdown, train_runs
  from lipfake_jax.inference.compilation import keep_compiled
  from lipfake_jax.inference.host_memory import keep_freed_memory

  keep_freed_memory()
  keep_compiled()
  if options.only:
    train_runs(config, options.workdir, options.folds, options.data_dir, options.only)
    return
  table = to_markdown(crossfit(config, options.workdir, options.folds, options.data_dir))
  (options.workdir / 'crossfit.md').write_text(f'{table}\n')
  print(f'\n{table}')
