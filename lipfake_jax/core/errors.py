"""The exceptions that the commands turn into a message and an exit code."""

import contextlib
import errno
import io
import os
import signal
import sys
from collections.abc import Iterator

from lipfake_jax.core.names import printable_lines

# What a system says where a file can't be used, and what to do.
REFUSALS = {
  **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), 'change its permissions, or choose another folder'),
  **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), 'make room, or choose another folder'),
  **dict.fromkeys((errno.ENOTDIR, errno.EISDIR, errno.EEXIST), 'a file lies where a folder should, or the reverse'),
}


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
  """Ends the process with code 2 on a user's mistake, 128 + N on signal N, each with its message alone.

  A file that the system does not let be read or written counts as a user's mistake. What a
  terminal's encoding lacks is written out, as in 'caf\\xe9', rather than an error.
  """
  for stream in (sys.stdout, sys.stderr):
    if isinstance(stream, io.TextIOWrapper):
      stream.reconfigure(errors='backslashreplace')
  try:
    yield
  except UserError as error:
    print(f'error: {printable_lines(str(error))}', file=sys.stderr)
    sys.exit(2)
  except Interrupted as stop:
    print(stop, file=sys.stderr)
    sys.exit(stop.code)
  except OSError as error:
    if error.errno not in REFUSALS:
      raise
    print(
      f'error: {printable_lines(str(error.filename or "a file"))}: {error.strerror}: {REFUSALS[error.errno]}',
      file=sys.stderr,
    )
    sys.exit(2)
  except KeyboardInterrupt:
    print('interrupted', file=sys.stderr)
    sys.exit(128 + signal.SIGINT)


@contextlib.contextmanager
def loading() -> Iterator[None]:
  """While libraries are imported, Ctrl-C ends the process at once: some swallow the exception that it raises."""

  def end(number: int, frame: object) -> None:
    del frame
    print('interrupted', file=sys.stderr, flush=True)
    os._exit(128 + number)

  before = signal.signal(signal.SIGINT, end)
  try:
    yield
  finally:
    signal.signal(signal.SIGINT, before)
