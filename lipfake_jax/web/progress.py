"""How far a video is, told by the process that looks at it to the one that answers the page.

A file of its own that imports next to nothing: decoding processes load it.
"""

import json
from pathlib import Path

PROGRESS = 'progress.json'  # in the folder of a video


def write_progress(folder: Path, name: str, done: float, left_s: float) -> None:
  """A `survey.Progress`, once its folder is bound: keeps the share and the seconds that are left."""
  del name
  partial = folder / f'.{PROGRESS}'
  partial.write_text(json.dumps([round(done, 3), round(left_s, 1)]))
  partial.replace(folder / PROGRESS)


def read_progress(folder: Path) -> tuple[float, float] | None:
  """Share and seconds left; None where nothing was told, as of a recording, which does not know its length."""
  try:
    done, left_s = json.loads((folder / PROGRESS).read_text())
  except FileNotFoundError:
    return None
  return done, left_s
