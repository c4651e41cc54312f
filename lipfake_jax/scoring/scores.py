"""Scores of videos or of clips, with what is known of each.

In: a model's logits for the clips of a split. Out: `Scores`, and their CSV. Next stages: `metrics`, `evaluate`.
"""

import csv
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from lipfake_jax.core.errors import UserError
from lipfake_jax.core.people import units
from lipfake_jax.core.vocabulary import Table
from lipfake_jax.scoring.aggregation import aggregate
from lipfake_jax.scoring.intervals import join_people

COLUMNS = ('id', 'label', 'p_fake', 'frames_used', 'method', 'identity', 'group', 'dataset', 'p_calibrated')
WHO = ('dataset', 'identity', 'second_identity', 'original', 'group', 'key')  # what tells who is in a video


class Clips(Protocol):
  """N clips that are scored, as `data.dataset.Split` has them."""

  @property
  def labels(self) -> np.ndarray:
    """int32 [N], 0 real, 1 fake."""

  @property
  def table(self) -> Table:
    """What is known of each clip, a column a fact."""

  @property
  def spec(self) -> Mapping[str, Any]:
    """The fields of the `ClipSpec` that they were made by."""


@dataclasses.dataclass(frozen=True)
class Scores:
  """One entry for each of N videos, or of N clips.

  Attributes:
    labels: int32 [N], 0 real, 1 fake.
    p_fake: float64 [N], probabilities.
    frames: frames that each score comes from.
    positions: int64 [N], the (first) clip of each in its split.
    table: what the split's table knows of that clip, a column a fact: 'key', 'identity', 'method', 'codec', ...
  """

  labels: np.ndarray
  p_fake: np.ndarray
  frames: list[int]
  positions: np.ndarray
  table: Table

  def __len__(self) -> int:
    return len(self.labels)

  @property
  def groups(self) -> list[str]:
    """Who is in each, for the bootstrap: the names of `people.units`, joined by `intervals.join_people`."""
    columns = (self.table[name] for name in WHO)
    rows = (dict(zip(WHO, values, strict=True)) for values in zip(*columns, strict=True))
    return [join_people(units(row)) for row in rows]


def video_scores(logits: np.ndarray, split: Clips, rule: str) -> Scores:
  """One score a video, of all scores of its clips.

  Args:
    logits: float [N] of the N clips of the split, or [N, M] of M scores a clip.
    split: what they are of.
    rule: of `aggregate`.
  """
  return _collect(logits, split, rule, group_clips(split))


def clip_scores(logits: np.ndarray, split: Clips, rule: str) -> Scores:
  """One score a clip; arguments as those of `video_scores`."""
  return _collect(logits, split, rule, [[position] for position in range(len(split.labels))])


def join_scores(parts: Sequence[Scores]) -> Scores:
  """The scores of several, one after the other; each position is one in its own split."""
  return Scores(
    labels=np.concatenate([part.labels for part in parts]),
    p_fake=np.concatenate([part.p_fake for part in parts]),
    frames=[frames for part in parts for frames in part.frames],
    positions=np.concatenate([part.positions for part in parts]),
    table={name: [value for part in parts for value in part.table[name]] for name in parts[0].table},
  )


def group_clips(split: Clips) -> list[list[int]]:
  """The positions of the clips of each video."""
  videos: dict[tuple[str, str], list[int]] = {}
  for position, video in enumerate(zip(split.table['dataset'], split.table['key'], strict=True)):
    videos.setdefault(video, []).append(position)
  return list(videos.values())


def _collect(logits: np.ndarray, split: Clips, rule: str, members: Sequence[list[int]]) -> Scores:
  first = np.array([positions[0] for positions in members])
  return Scores(
    labels=split.labels[first],
    p_fake=np.array([aggregate(logits[positions].ravel(), rule) for positions in members]),
    frames=[len(positions) * split.spec['frames'] for positions in members],
    positions=first,
    table={name: [column[i] for i in first] for name, column in split.table.items()},
  )


def write_scores(path: Path, scores: Scores, p_calibrated: np.ndarray) -> None:
  """Writes scores.csv, one row a video, under COLUMNS."""
  method, identity, dataset = (scores.table[name] for name in ('method', 'identity', 'dataset'))
  measured = (scores.table['key'], scores.labels, scores.p_fake, scores.frames)
  columns = (*measured, method, identity, scores.groups, dataset, p_calibrated)
  with open(path, 'w', newline='') as file:
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    writer.writerows(zip(*columns, strict=True))


def read_scores(path: Path) -> dict[tuple[str, str], dict[str, str]]:
  """The rows of a scores.csv by (dataset, id).

  Raises:
    UserError: there is no such file, or an older one with other columns.
  """
  if not path.exists():
    raise UserError(f'{path} is missing: evaluate the run on this dataset first (run.py --mode=eval)')
  with open(path, newline='') as file:
    reader = csv.DictReader(file)
    if missing := set(COLUMNS) - set(reader.fieldnames or ()):
      raise UserError(f'{path} lacks {", ".join(sorted(missing))}: evaluate the run again (run.py --mode=eval)')
    return {(row['dataset'], row['id']): row for row in reader}
