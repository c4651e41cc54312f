"""Trains the shipped weights on with own videos, and measures it.

FOLDER/anna/001.mp4 shows anna; a list at the top of FOLDER may say so instead. A third
to a quarter of the people are held out, by whom before and after are compared. Without
--fake, pseudo-fakes made of the reals stand for fakes. --config.FIELD=VALUE changes a
field of configs/adapt.py. The same command goes on with what was stopped.

  lipfake adapt --real=mine/real --fake=mine/fake --out=runs/adapted
  lipfake detect a.mp4 --weights=runs/adapted
"""

from collections.abc import Sequence
from pathlib import Path

from lipfake_jax.cli.arguments import create_parser, parse_with_fields
from lipfake_jax.core.errors import loading


def main(arguments: Sequence[str]) -> None:
  """Adapts, and prints whether it helped."""
  parser = create_parser('adapt', __doc__)
  parser.add_argument('--real', metavar='FOLDER', type=Path, help='real videos; pseudo-fakes are made of them, too')
  parser.add_argument('--fake', metavar='FOLDER', type=Path, help='fake videos')
  parser.add_argument(
    '--out', metavar='RUN', type=Path, default=Path('runs/adapted'), help='folder of the run (default: %(default)s)'
  )
  options, fields = parse_with_fields(parser, arguments)
  folders = {label: getattr(options, label) for label in ('real', 'fake') if getattr(options, label)}
  if not folders:
    parser.error('name --real=FOLDER, --fake=FOLDER or both')

  with loading():
    from absl import logging

    import configs.adapt
    from lipfake_jax.cli.ablation import load_config
    from lipfake_jax.inference.compilation import keep_compiled
    from lipfake_jax.inference.host_memory import keep_freed_memory

  logging.set_verbosity(logging.WARNING)  # libraries report each file they open
  keep_freed_memory()
  keep_compiled()
  config = load_config(configs.adapt.__file__, fields)
  with loading():
    from lipfake_jax.experiments.adapt import adapt

  print(f'\n{adapt(folders, config, options.out)}')
  print(f'\nlipfake detect VIDEO --weights={options.out}')
