"""Writes a miniature of a dataset: its names, rendered videos.

Enough to try its build and a training by, without the data.

  lipfake dummy celeb_df_v2 FOLDER
  tfds build data_builders/celeb_df_v2 --config=flow_lips_60x64 --manual_dir=FOLDER
"""

from collections.abc import Sequence
from pathlib import Path

from lipfake_jax.cli.arguments import create_parser


def main(arguments: Sequence[str]) -> None:
  """Renders the miniature into a folder."""
  parser = create_parser('dummy', __doc__)
  parser.add_argument('dataset', metavar='DATASET', help='name of a builder in data_builders/')
  parser.add_argument('folder', metavar='FOLDER', type=Path, help='where it will lie')
  parser.add_argument(
    '--seconds', metavar='S', type=float, default=2.84, help='length of each video, 1 or more (default: %(default)s)'
  )
  options = parser.parse_args(arguments)

  from data_builders.make_dummy import load_dummy, make_dummy

  data = load_dummy(options.dataset)
  make_dummy(data, options.folder, options.seconds)
  print(f'{len(data.videos)} videos written to {options.folder}')
