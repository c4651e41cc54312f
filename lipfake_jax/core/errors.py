"""The exceptions that the commands turn into a message and an exit code."""

import contextlib
import sys
from collections.abc import Iterator
from signal import SIGINT


class UserError(ValueError):
  """What a user can mend: a bad flag, missing data, an unusable folder. Its message names the value, the limit and the
  remedy; the commands print it alone and exit with code 2."""


class Interrupted(Exception):
  """A run was told to end early, by a signal. `code` is the exit code, 128 and the signal's number."""

  def __init__(self, message: str, code: int):
    super().__init__(message)
    self.code = code


@contextlib.contextmanager
def exit_codes() -> Iterator[None]:
  """Ends the process with code 2 on a user's mistake and 128 + N on signal N, each with its message alone."""
  try:
    yield
  except UserError as error:
    print(f'error: {error}', file=sys.stderr)
    sys.exit(2)
  except Interrupted as signal:
    print(signal, file=sys.stderr)
    sys.exit(signal.code)
  except KeyboardInterrupt:
    print('interrupted', file=sys.stderr)
    sys.exit(128 + SIGINT)
