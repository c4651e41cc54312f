"""The command `lipfake`: finds the file of this folder that its first argument names, and runs it."""

import importlib
import sys
from collections.abc import Iterator, Sequence

from lipfake_jax.core.errors import UserError, exit_codes

# By what a user has in hand. A command's line in the help is the first of its file.
GROUPS = {
  'a video': ('detect', 'explain', 'stream', 'web', 'sync', 'person', 'inspect'),
  'data': ('doctor', 'audit', 'dummy'),
  'a run': ('compare', 'matrix', 'controls', 'robustness', 'export'),
  'experiments': ('adapt', 'ablation', 'crossfit', 'generators', 'leaderboard', 'models', 'ship'),
}
COMMANDS = tuple(name for names in GROUPS.values() for name in names)
HELP = ('-h', '--help')


def main(arguments: Sequence[str] | None = None) -> None:
  """Runs a command under the exit codes of `core.errors`; without one, shows which there are."""
  command, *rest = (sys.argv[1:] if arguments is None else arguments) or HELP
  with exit_codes():
    if command in HELP:
      print('\n'.join(_overview()))
    elif command in COMMANDS:
      _load(command).main(rest)
    else:
      raise UserError(f'there is no command {command!r}: choose one of {", ".join(COMMANDS)}; see lipfake --help')


def _overview() -> Iterator[str]:
  yield 'usage: lipfake COMMAND ...    (lipfake COMMAND --help has an example)'
  for title, names in GROUPS.items():
    yield f'\n{title}'
    yield from (f'  {name:12}{_load(name).__doc__.splitlines()[0]}' for name in names)
  yield '\npython run.py trains, evaluates and predicts; tfds build makes clips of videos.'


def _load(command: str):
  return importlib.import_module(f'lipfake_jax.cli.{command}')
