"""What each choice of the paper's released code does to the figures.

Trains runs that differ in one choice, and makes their table, WORKDIR/START.md. One
that was stopped goes on where it was. --start=legacy mends one thing at a time in
the released code; --start=ours spoils one thing at a time in ours, and all of its
rows but two are tested on people whom training has not seen. --without=drop leaves
a choice out, which is ours then in every row: dropping videos leaves a small dataset
without one of its classes. --config.FIELD=VALUE changes a field of the config.

  lipfake ablation --config=configs/paper/legacy.py --workdir=runs/ablation \\
    --seeds=0,1,2
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lipfake_jax.cli.arguments import DATA_DIR_HELP, create_parser, parse_with_fields, split_commas
from lipfake_jax.core.errors import UserError

if TYPE_CHECKING:
  import ml_collections


def main(arguments: Sequence[str]) -> None:
  """Trains what is not trained yet, and prints the table."""
  parser = create_parser('ablation', __doc__)
  parser.add_argument('--config', required=True, metavar='FILE', help='a file in configs/: data, model and training')
  parser.add_argument('--workdir', metavar='FOLDER', required=True, type=Path, help='folder of all runs')
  parser.add_argument('--data_dir', metavar='FOLDER', help=DATA_DIR_HELP)
  parser.add_argument(
    '--seeds', metavar='NUMBERS', type=seeds, default=[0], help='of the runs of each variant (default: 0)'
  )
  parser.add_argument('--start', choices=('legacy', 'ours'), default='legacy', help='default: %(default)s')
  parser.add_argument('--without', metavar='NAMES', type=split_commas, default=[], help='choices to leave out')
  options, fields = parse_with_fields(parser, arguments)

  from absl import logging

  from lipfake_jax.inference.compilation import keep_compiled
  from lipfake_jax.inference.host_memory import keep_freed_memory

  logging.set_verbosity(logging.WARNING)  # libraries report each file they open
  keep_freed_memory()
  keep_compiled()
  config = load_config(options.config, fields)

  from lipfake_jax.experiments.ablation import run_ablation

  print(run_ablation(config, options.workdir, options.data_dir, options.seeds, options.start, options.without))


def load_config(path: str, fields: Sequence[str]) -> 'ml_collections.ConfigDict':
  """A config, with fields changed by flags '--config.FIELD=VALUE'.

  Raises:
    UserError: there is no such file or field, or a value is of the wrong type.
  """
  from absl import flags
  from ml_collections import config_flags

  arguments = [f'--config={path}', *fields]
  known = flags.FlagValues()
  config_flags.DEFINE_config_file('config', flag_values=known, sys_argv=arguments)
  try:
    known(['lipfake', *arguments])
    known.config.to_dict()  # a file that did not load says so only when it is used
  except (flags.Error, AttributeError, KeyError, OSError, TypeError, ValueError) as error:
    raise UserError(str(error)) from error
  return known.config


def seeds(text: str) -> list[int]:
  """'0,1' -> [0, 1]; its name is what argparse calls a wrong one."""
  return [int(seed) for seed in split_commas(text)]
