"""In place of the detector: does what a file's content says, at once. All about it is as with the real one."""

import json
import os
import time
from pathlib import Path

from lipfake_jax.web.detector import FINDING, SCRATCH, VIDEO, Look, Outcome
from lipfake_jax.web.progress import write_progress


def open_stand_in() -> Look:
  """Looks at 'wait' for a minute and tells that half is done; 'die' ends the process; all else is a fake."""
  return _look


def _look(folder: Path, name: str) -> Outcome:
  content = (folder / VIDEO).read_bytes()
  alone = folder.parent / SCRATCH / 'alone'
  alone.touch(exist_ok=False)  # fails where another one is being looked at
  if content == b'wait':
    write_progress(folder, name, 0.5, 9)
    time.sleep(60)
  if content == b'die':
    os._exit(1)
  (folder / f'{FINDING}.json').write_text(json.dumps(name))
  (folder / f'{FINDING}.html').write_text('<!doctype html><title>evidence</title><p>It was looked at.')
  alone.unlink()
  return Outcome('fake', 'Signs of a fake', (f'{len(content)} bytes, the first of them {content[:4].hex()}',))
