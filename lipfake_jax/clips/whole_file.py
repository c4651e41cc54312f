"""Files that are there whole or not at all, however the process that writes them may end."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

MARK = '.partial'


@contextlib.contextmanager
def write_whole(path: Path) -> Iterator[IO[bytes]]:
  """A file to write into, which appears under its name when all is written; makes its folder.

  Until then it has a name of its own and is locked, by which `remove_abandoned` knows that somebody writes it.
  """
  path.parent.mkdir(parents=True, exist_ok=True)
  partial = path.with_name(f'{path.name}.{os.getpid()}{MARK}')
  try:
    with _open_locked(partial) as file:
      yield file
      file.flush()
      partial.replace(path)  # while it is locked
  finally:
    partial.unlink(missing_ok=True)


def remove_abandoned(folder: Path) -> None:
  """Removes what processes that were killed left half written, in a folder and those below it.

  Where the file system has no locks, nothing can be told of a file, and it stays.
  """
  for path in folder.rglob(f'*{MARK}'):
    with contextlib.suppress(OSError), open(path, 'rb') as file:  # it may be whole by now, or locked
      fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
      path.unlink()


def _open_locked(path: Path) -> IO[bytes]:
  """A new file, locked where the file system has locks; one that is removed between the two steps is made again."""
  while True:
    file = open(path, 'wb')  # noqa: SIM115, the caller closes it
    with contextlib.suppress(OSError):
      fcntl.flock(file, fcntl.LOCK_EX)
    if os.fstat(file.fileno()).st_nlink:
      return file
    file.close()
