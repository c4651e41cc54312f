"""The folder of a run: whose it is, whether there is room in it, and that one process at a time trains there."""

import contextlib
import fcntl
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import ml_collections

from lipfake_jax.core.errors import UserError
from lipfake_jax.inference import checkpoints


def claim_workdir(config: ml_collections.ConfigDict, workdir: Path, room: int) -> None:
  """Makes the folder and writes config.json. One that holds a run is gone on with, and only under the same config.

  Args:
    config: of the run.
    workdir: its folder.
    room: bytes that the run will write.

  Raises:
    UserError: it holds a run of another config, can't be written, or lies on a disk without the room.
  """
  path, text = workdir / 'config.json', config.to_json_best_effort(indent=2)
  held = checkpoints.started(workdir) and path.exists()
  if held and (old := json.loads(path.read_text())) != (new := json.loads(text)):
    changed = ', '.join(sorted(name for name in {*old, *new} if old.get(name) != new.get(name)))
    raise UserError(f'{workdir} holds a run of another config (they differ in {changed}): choose another --workdir')
  try:
    workdir.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(workdir).free
    if free < room:
      raise UserError(
        f'{workdir}: {free >> 20} MiB are free on its disk, and the checkpoints of this run take {room >> 20} MiB:'
        ' make room, or choose another --workdir'
      )
    if not held:
      path.write_text(text)
  except OSError as error:
    raise UserError(f'{workdir} cannot be written ({error.strerror}): choose another --workdir') from error


@contextlib.contextmanager
def hold_workdir(workdir: Path) -> Iterator[None]:
  """A claimed workdir for one process alone: two that train there would write over each other.

  Raises:
    UserError: another one trains there.
  """
  with open(workdir / 'config.json', 'r+') as file:
    try:
      fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
      raise UserError(f'{workdir}: another process trains there: wait for it, or choose another --workdir') from error
    except OSError:
      pass  # a file system without locks
    yield


@contextlib.contextmanager
def explain_full_disk(workdir: Path) -> Iterator[None]:
  """A disk that fills up while a run writes is a UserError; what was saved before stays."""
  try:
    yield
  except Exception as error:  # the writers of checkpoints and events raise different ones
    if 'No space left on device' not in str(error):
      raise
    raise UserError(
      f'{workdir}: its disk is full: make room, and the same command goes on where it was saved'
    ) from error
