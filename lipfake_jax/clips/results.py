"""What a video yielded, on disk: its clips, or why there are none.

A file of the cache is named by the video's content and by what is done to it, and exists as a whole or not at all. Only
what follows from the content is kept under that name. A failure with another cause (a path, a permission, a process
that was killed, a time limit) is noted beside it, for whoever asks in this run: the next one tries again.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lipfake_jax.clips.clips import Clip, Rejection, to_clip, to_fields
from lipfake_jax.clips.whole_file import write_whole

NOTE = '.failed'


def save_result(result: list[Clip] | Rejection, cache: Path) -> None:
  """Writes a result under its name, a passing one as a note; a file that exists is complete."""
  note = cache.with_suffix(NOTE)
  found: Sequence[Clip | Rejection] = [result] if isinstance(result, Rejection) else result
  fields = {f'{i}.{k}': v for i, item in enumerate(found) for k, v in to_fields(item).items()}
  passing = isinstance(result, Rejection) and result.passing
  with write_whole(note if passing else cache) as file:
    np.savez(file, **fields)
  if not passing:
    note.unlink(missing_ok=True)


def load_result(cache: Path, key: str) -> list[Clip] | Rejection:
  """Reads what `save_result` wrote, for the video that is called `key`; further clips of it are `key#2`, `key#3`."""
  items: dict[int, dict[str, Any]] = {}
  with np.load(cache if cache.exists() else cache.with_suffix(NOTE)) as stored:
    for name in stored.files:
      number, field = name.split('.', 1)
      items.setdefault(int(number), {})[field] = stored[name] if stored[name].ndim else stored[name].item()
  if 'reason' in items[0]:
    return Rejection(key=key, **items[0])
  return [to_clip(fields, key if i == 0 else f'{key}#{i + 1}') for i, fields in sorted(items.items())]
