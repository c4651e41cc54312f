"""Trains all models on the same data and split: one table.

Each by its config in configs/models/, into WORKDIR/MODEL; the table is
WORKDIR/models.md. What was trained before is read.

  lipfake leaderboard --workdir=runs/models
  lipfake leaderboard --workdir=runs/mine --dataset=video_folder --models=cnn_lstm
"""

from collections.abc import Sequence
from pathlib import Path

from lipfake_jax.cli.arguments import DATA_DIR_HELP, create_parser, split_commas


def main(arguments: Sequence[str]) -> None:
  """Trains what is not trained yet, and prints the table."""
  parser = create_parser('leaderboard', __doc__)
  parser.add_argument(
    '--workdir', metavar='FOLDER', type=Path, default=Path('runs/models'), help='of all runs (default: %(default)s)'
  )
  parser.add_argument(
    '--models', metavar='NAMES', type=split_commas, help='NAME,... (default: all that `lipfake models` lists)'
  )
  parser.add_argument(
    '--dataset', metavar='NAME', default='', help='for all of them (default: that of configs/models/)'
  )
  parser.add_argument('--data_dir', metavar='FOLDER', help=DATA_DIR_HELP)
  parser.add_argument('--epochs', metavar='N', type=int, default=0, help='at most (default: those of configs/models/)')
  options = parser.parse_args(arguments)

  from lipfake_jax.experiments.leaderboard import make_config, run_models
  from lipfake_jax.inference.compilation import keep_compiled
  from lipfake_jax.inference.host_memory import keep_freed_memory
  from lipfake_jax.models import MODELS

  keep_freed_memory()
  keep_compiled()
  configs = {name: make_config(name, options.dataset, options.epochs) for name in options.models or MODELS}
  print(run_models(configs, options.workdir, options.data_dir))
