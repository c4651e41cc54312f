"""Whom a video shows: what a split keeps in one part, and what an interval draws.

In: a row of a table, or the fields of a `VideoRecord`. Out: names, each with its dataset, since the same number in two
datasets is two people.
"""

import os
from collections.abc import Mapping
from typing import Any

Row = Mapping[str, Any]  # the fields of a `VideoRecord`


def people(row: Row) -> tuple[str, ...]:
  """The known persons of a video: first the one whose head it is, then of a swap those whose faces were put in."""
  return _within(row, row['identity'], *row['second_identity'].split('+'))


def units(row: Row) -> tuple[str, ...]:
  """What a video tells of: videos that share one of these are not independent, and belong into one part.

  Its group, where it has one; else its persons, in the order of `people`. Where it is not known whose head it is, the
  video that it was made from stands for that person; where nothing is known, the video stands for itself.
  """
  if row['group']:
    return _within(row, row['group'])
  head = row['identity'] or stem(row['original'])
  return _within(row, head, *row['second_identity'].split('+')) or _within(row, stem(row['key']))


def stem(key: str) -> str:
  """A video's name without its suffix."""
  return os.path.splitext(key)[0]


def _within(row: Row, *names: str) -> tuple[str, ...]:
  """Names with their dataset, each once, without empty ones."""
  return tuple(f'{row["dataset"]}/{name}' for name in dict.fromkeys(names) if name)
