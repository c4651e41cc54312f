"""The disk that a dataset is built on: whether there is room, and what to do where there is none."""

import contextlib
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

from lipfake_jax.core.disk import free_bytes
from lipfake_jax.core.errors import Interrupted, UserError

MAKE_ROOM = 'Make room, or choose another --data_dir; what was extracted is kept, and the same command goes on.'


def check_room(data_dir: Path, caches: Sequence[Path]) -> None:
  """Raises UserError where the disk lacks the room for a dataset of these clips, which are stored as in the cache."""
  needed = sum(cache.stat().st_size for cache in caches if cache.exists())
  if needed > (free := free_bytes(data_dir)):
    raise UserError(
      f'{data_dir}: {free >> 20} MiB are free on its disk, and the dataset takes {(needed >> 20) + 1} MiB. {MAKE_ROOM}'
    )


@contextlib.contextmanager
def explain_stops(place: Path) -> Iterator[None]:
  """Has a build that ends by its disk (full, or not writable) or by Ctrl-C say what is the matter and what to do."""
  try:
    yield
  except KeyboardInterrupt as stop:
    raise Interrupted(
      'interrupted: what was extracted is kept, and the same command goes on from there', 128 + signal.SIGINT
    ) from stop
  except Exception as error:  # the writers of records and of descriptions raise different ones
    if 'No space left on device' in str(error):
      raise UserError(f'{place}: its disk is full: {free_bytes(place) >> 20} MiB are free. {MAKE_ROOM}') from error
    if not isinstance(error, OSError):
      raise
    raise UserError(f'{error.filename or place}: {error.strerror or error}: choose another --data_dir') from error
