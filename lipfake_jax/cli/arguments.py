"""What the parsers of all commands share."""

import argparse
from collections.abc import Sequence
from typing import NoReturn

from lipfake_jax.core.errors import UserError

DATA_DIR_HELP = "folder of the built datasets (default: TFDS's)"


class Parser(argparse.ArgumentParser):
  """argparse's parser, for which a wrong argument is a `UserError`: one line that says where help is."""

  def error(self, message: str) -> NoReturn:
    raise UserError(f'{message}; see {self.prog} --help')


def create_parser(command: str, description: str) -> Parser:
  """The parser of `lipfake COMMAND`.

  Args:
    command: its name.
    description: what its help starts with, as it is laid out: the docstring of its module, with an example.
  """
  layout = argparse.RawDescriptionHelpFormatter
  return Parser(f'lipfake {command}', description=description.strip(), formatter_class=layout, allow_abbrev=False)


def split_commas(text: str) -> list[str]:
  """'a,b' -> ['a', 'b']; no empty names."""
  return [name for name in text.split(',') if name]


def parse_with_fields(
  parser: argparse.ArgumentParser, arguments: Sequence[str]
) -> tuple[argparse.Namespace, list[str]]:
  """The options, and the flags '--config.FIELD=VALUE' as they stand; others that are not known end the program."""
  options, fields = parser.parse_known_args(arguments)
  if unknown := [field for field in fields if not field.startswith('--config.')]:
    parser.error(f'unrecognized arguments: {" ".join(unknown)}')
  return options, fields
