"""Whether two runs differ by more than chance on the same videos.

Reads what both have evaluated, and takes the difference of each figure with its
95 % interval: a paired bootstrap over people.

  lipfake compare runs/a runs/b
  lipfake compare runs/a runs/b --on=demo_lips-test
"""

from collections.abc import Sequence
from pathlib import Path

from lipfake_jax.cli.arguments import create_parser


def main(arguments: Sequence[str]) -> None:
  """Compares two runs on every evaluation that both have, or on one."""
  parser = create_parser('compare', __doc__)
  parser.add_argument('run_a', type=Path, metavar='RUN_A', help='workdir of a run')
  parser.add_argument('run_b', type=Path, metavar='RUN_B', help='workdir of another')
  parser.add_argument('--on', metavar='NAME', help='one evaluation, as its folder is called (default: all in common)')
  options = parser.parse_args(arguments)

  from lipfake_jax.evaluation.compare import compare_runs, shared_evaluations
  from lipfake_jax.report.comparison_table import comparison_table

  print(f'A: {options.run_a}\nB: {options.run_b}')
  for folder in [options.on] if options.on else shared_evaluations(options.run_a, options.run_b):
    print(f'\n{comparison_table(compare_runs(options.run_a, options.run_b, folder))}')
