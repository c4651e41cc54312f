"""Evaluates every run on every dataset: trained on by tested on.

What was evaluated before is read, the rest is done now. Writes matrix.md, .csv, .png
and .svg.

  lipfake matrix runs/a runs/b --datasets=celeb_df_v2,xm2vts:all
"""

from collections.abc import Sequence
from pathlib import Path

from lipfake_jax.cli.arguments import DATA_DIR_HELP, create_parser, split_commas


def main(arguments: Sequence[str]) -> None:
  """Prints the matrix and writes its files."""
  parser = create_parser('matrix', __doc__)
  parser.add_argument('runs', nargs='+', type=Path, metavar='RUN', help='workdirs')
  parser.add_argument(
    '--datasets', metavar='NAMES', type=split_commas, default=[], help='default: those the runs were trained on'
  )
  parser.add_argument('--data_dir', metavar='FOLDER', help=DATA_DIR_HELP)
  parser.add_argument(
    '--out', metavar='FOLDER', type=Path, default=Path('runs/matrix'), help='folder of the files (%(default)s)'
  )
  options = parser.parse_args(arguments)

  from lipfake_jax.experiments.matrix import gather_metrics, to_markdown, write_matrix

  cells = gather_metrics(options.runs, options.datasets, options.data_dir)
  write_matrix(options.out, cells)
  print(f'\n{to_markdown(cells)}\n\nwritten to {options.out}')
