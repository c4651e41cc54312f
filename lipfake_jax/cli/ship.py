"""Makes the best weights of a run those that come with the package.

Threshold, temperature, and the limits between which there is no verdict are fitted to
the run's validation part.

  lipfake ship --workdir=runs/shipped --version=1.0 --training='36,000 frames'
"""

from collections.abc import Sequence
from pathlib import Path

from lipfake_jax.cli.arguments import DATA_DIR_HELP, create_parser


def main(arguments: Sequence[str]) -> None:
  """Writes the two files, and says within which limits there are verdicts."""
  parser = create_parser('ship', __doc__)
  parser.add_argument('--workdir', metavar='FOLDER', type=Path, required=True, help='of the run')
  parser.add_argument('--data_dir', metavar='FOLDER', help=DATA_DIR_HELP)
  parser.add_argument('--version', metavar='NAME', required=True, help='of the weights')
  parser.add_argument('--training', metavar='TEXT', required=True, help='how they came about')
  parser.add_argument('--out', metavar='FOLDER', type=Path, help='where to write (default: into the package)')
  options = parser.parse_args(arguments)

  from lipfake_jax.experiments.ship import ship
  from lipfake_jax.models.shipped import FOLDER

  folder = options.out or FOLDER
  limits = ship(options.workdir, options.data_dir, options.version, options.training, folder)
  print(f'{folder}: real below {limits.fake:.3f}, fake above {limits.real:.3f}, at an error of {limits.error:.0%}')
