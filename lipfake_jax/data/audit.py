"""What the parts of a split share, though a sound test needs them apart.

In: the clips of a built dataset and their parts. Out: leaks from one part to a later one. `lipfake audit` prints them.
"""

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Sequence

import cv2
import numpy as np

from lipfake_jax.core.people import Row, people
from lipfake_jax.core.vocabulary import PARTS
from lipfake_jax.data.contents import refuse_contradictions

GRID = 12  # side of the pictures that near-duplicates are found by
# Two clips are near-duplicates from this correlation on. On 169 clips of 94 people, none of different people reached
# .87, and 26 re-encodings (crf 32, or half the size) of 13 videos kept at least .95.
NEAR = 0.92
BLOCK = 4096  # clips compared at once

KINDS: dict[str, Callable[[Row], set[str]]] = {
  'same video': lambda row: {f'{row["dataset"]}/{row["key"]}'},
  'same content': lambda row: {row['sha256']},
  'same person': lambda row: set(people(row)),
  'same original': lambda row: {f'{row["dataset"]}/{row["original"] or row["key"]}'},
}
NEAR_KIND = 'near-duplicate'


@dataclasses.dataclass(frozen=True)
class Leak:
  """Videos of one part with a counterpart in an earlier one.

  Attributes:
    kind: one of KINDS, or 'near-duplicate'.
    source, target: the earlier and the later part.
    pairs: positions of a clip of the target and its first counterpart in the source.
  """

  kind: str
  source: str
  target: str
  pairs: list[tuple[int, int]]


def find_leaks(rows: Sequence[Row], parts: Sequence[str], looks: np.ndarray | None = None) -> list[Leak]:
  """All leaks between parts.

  Args:
    rows: what is known of each of N clips: the fields of a video, and 'sha256' of its bytes.
    parts: the part of each.
    looks: float32 [N, 2, D] from `describe`, or None to leave near-duplicates out.

  Raises:
    UserError: a content is labelled real under one name and fake under another.
  """
  refuse_contradictions(list(_group_names(rows)))
  members = {part: [i for i, found in enumerate(parts) if found == part] for part in PARTS}
  leaks = []
  for source, target in itertools.combinations(PARTS, 2):
    for kind, marks in KINDS.items():
      first = {mark: i for i in reversed(members[source]) for mark in marks(rows[i])}
      pairs = [(i, min(first[m] for m in common)) for i in members[target] if (common := marks(rows[i]) & first.keys())]
      leaks.append(Leak(kind, source, target, pairs))
    if looks is not None:
      leaks.append(Leak(NEAR_KIND, source, target, _near_pairs(looks, members[source], members[target])))
  return [leak for leak in leaks if leak.pairs]


def _group_names(rows: Sequence[Row]) -> Iterable[list[tuple[str, str]]]:
  """Key and label of the videos of each content; clips of one video count once."""
  groups: dict[str, dict[tuple[str, str], None]] = {}
  for row in rows:
    groups.setdefault(row['sha256'], {})[row['key'], row['label']] = None
  return map(list, groups.values())


def describe(clip: np.ndarray) -> np.ndarray:
  """How a clip looks and where it moves: mean and deviation over time of its gray frames, small, normalised.

  Args:
    clip: uint8 [T, S, S, 3].

  Returns:
    float32 [2, GRID * GRID]; the product of two clips' rows is their correlation.
  """
  small = np.stack(
    [
      cv2.resize(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), (GRID, GRID), interpolation=cv2.INTER_AREA).astype(np.float32)
      for frame in clip
    ]
  )
  pictures = np.stack([small.mean(0).ravel(), small.std(0).ravel()])
  pictures -= pictures.mean(1, keepdims=True)
  return pictures / (np.linalg.norm(pictures, axis=1, keepdims=True) + 1e-6)


def _near_pairs(looks: np.ndarray, source: list[int], target: list[int]) -> list[tuple[int, int]]:
  pairs: dict[int, int] = {}
  for start in range(0, len(source), BLOCK):
    block = source[start : start + BLOCK]
    for begin in range(0, len(target), BLOCK):
      rows = target[begin : begin + BLOCK]
      likeness = np.minimum(*(looks[rows, which] @ looks[block, which].T for which in (0, 1)))
      for row, column in zip(*np.nonzero(likeness >= NEAR), strict=True):
        pairs.setdefault(rows[row], block[column])
  return sorted(pairs.items())
