"""Which part of a dataset a video belongs to: a named choice that is made when a dataset is read, not when it is built.

In: what is known of each video. Out: 'train', 'validation', 'test', or '' for a video that fits in none. Next stages:
`builder` prints it, `dataset` reads by it, `audit` looks for what it leaks.

- identity: no person in two parts, both persons of a swap counted. A swap of persons from different parts is left out.
- official: the set's own list.
- paper: 70/30 by video, where the second part both chooses the weights and is reported (PAPER section 4). It leaks.

A part is drawn from a name alone, so that a new video moves no other one, and names that differ in their numbers are
spread evenly, so that every folder, and with it every class, gets its shares.
"""

import collections
import hashlib
import math
import re
from collections.abc import Mapping, Sequence

from lipfake_jax.core.errors import UserError
from lipfake_jax.core.people import Row, people, stem, units
from lipfake_jax.core.vocabulary import ALL, LABELS, PARTS

SPLITS = ('identity', 'official', 'paper')
SHARES = (0.7, 0.15, 0.15)
PAPER_SHARES = (0.7, 0.0, 0.3)
GAPS_REMEDY = (
  'to train, run.py needs real and fake videos in every part: add some, of more people, or choose another split (of'
  ' your own videos, a column "split" in a list names the part of each)'
)
UNEVEN = 0.1  # a difference between the parts' shares of fakes that is worth a warning
LEAKY_NAME = 'paper_leaky'
LEAKY = f'warning: {LEAKY_NAME} has the same people in training and test, and its test part chose the weights'

# Multiples of these parts of 2^64 fill the circle evenly, however many are taken, and differently from each other: the
# golden ratio, and the fractions of the square roots of 2, 3, 7 and 11 (a Kronecker sequence).
STEPS = (0x9E3779B97F4A7C15, *(math.isqrt(p << 128) % 2**64 for p in (2, 3, 7, 11)))
BLOCK = 8  # numbers that a seed puts into another order: one for each word of 4 bytes in a SHA-256


def draw_number(name: str, seed: int) -> float:
  """A number in [0, 1) from a name and a seed alone.

  Names that differ in their numbers (id0_0001, id0_0002, id1_0001, ...) are spread evenly rather than at random: of
  people numbered in a row, every part gets its share to within about one. Others are spread by a hash. A seed other
  than 0 puts the numbers of each BLOCK into an order of its own first, so that it is another draw, not the same one
  turned.
  """
  pattern, numbers = re.sub(r'\d+', '#', name), re.findall(r'\d+', name)
  offset = int.from_bytes(hashlib.sha256(f'{seed}/{pattern}'.encode()).digest()[:8], 'big')
  # The last number of a name is place 0, whatever stands before it.
  steps = sum(
    _shuffle(int(number), f'{seed}/{pattern}/{place}' if seed else '') * STEPS[place % len(STEPS)]
    for place, number in enumerate(reversed(numbers))
  )
  return (offset + steps) % 2**64 / 2**64


def _shuffle(number: int, order: str) -> int:
  """The place of a number in its block of BLOCK; `order` names the permutation, '' leaves numbers where they are."""
  if not order:
    return number
  block, place = divmod(number, BLOCK)
  words = hashlib.sha256(f'{order}/{block}'.encode()).digest()
  return block * BLOCK + sorted(range(BLOCK), key=lambda i: words[4 * i : 4 * i + 4])[place]


def assign_parts(rows: Sequence[Row], split: str, seed: int = 0) -> list[str]:
  """The part of each video, '' for those left out.

  Args:
    rows: the videos of a dataset, or of several.
    split: one of SPLITS.
    seed: another seed is another split.

  Raises:
    UserError: an unknown split, or 'official' where no list names any video.
  """
  if split == 'paper':
    return [_part(draw_number(f'paper/{row["dataset"]}/{stem(row["key"])}', seed), PAPER_SHARES) for row in rows]
  if split == 'identity':
    return [_part_of_people(row, seed, SHARES) for row in rows]
  if split == 'official':
    return _official_parts(rows, seed)
  raise UserError(f'split {split!r}: choose one of {", ".join(SPLITS)}')


def select_part(rows: Sequence[Row], split: str, part: str, seed: int = 0) -> list[int]:
  """Positions of the videos of one part; 'all' is every video. In 'paper', validation and test are the same."""
  if part == ALL:
    return list(range(len(rows)))
  if part not in PARTS:
    raise UserError(f'part {part!r}: choose one of {", ".join((*PARTS, ALL))}')
  wanted = 'test' if (split, part) == ('paper', 'validation') else part
  return [position for position, found in enumerate(assign_parts(rows, split, seed)) if found == wanted]


def split_name(split: str, part: str) -> str:
  """What a table calls a part: that of the paper's split by what is wrong with it."""
  return LEAKY_NAME if split == 'paper' and part in ('validation', 'test') else part


def split_table(rows: Sequence[Row], split: str, seed: int = 0) -> str:
  """Videos and people of each part by class, with what was left out, for people to read."""
  parts = assign_parts(rows, split, seed)
  counts = collections.Counter((part, row['label']) for part, row in zip(parts, rows, strict=True))
  title = LEAKY_NAME if split == 'paper' else split
  lines = [f'{"split " + title:24}{"real":>8}{"fake":>8}{"fakes":>8}{"people":>8}']
  shares = []
  for part in PARTS:
    real, fake = counts[part, 'real'], counts[part, 'fake']
    if not real + fake:
      continue
    shares.append(fake / (real + fake))
    persons = {person for found, row in zip(parts, rows, strict=True) if found == part for person in people(row)}
    lines.append(f'{part:24}{real:8}{fake:8}{shares[-1]:8.0%}{len(persons) or "-":>8}')
  if any(counts['', label] for label in ('real', 'fake')):
    lines.append(f'{"excluded: mixed pairs":24}{counts["", "real"]:8}{counts["", "fake"]:8}')
  if split == 'paper':
    lines.append(LEAKY)
  lines += _warn_of_gaps(
    counts, [part for part, share in zip(PARTS, PAPER_SHARES, strict=True) if split != 'paper' or share]
  )
  if shares and max(shares) - min(shares) > UNEVEN:
    lines.append(f'note: the share of fakes differs between the parts ({min(shares):.0%} to {max(shares):.0%})')
  return '\n'.join(lines)


def _warn_of_gaps(counts: Mapping[tuple[str, str], int], parts: Sequence[str]) -> list[str]:
  """What to do where a part lacks a class: `counts` by part and label."""
  absent = [label for label in LABELS if not any(counts[part, label] for part in (*parts, ''))]
  told = [f'no {label} video at all' for label in absent]
  for part in parts:
    lacking = [label for label in LABELS if not counts[part, label]]
    if len(lacking) == len(LABELS):
      told.append(f'no video in {part}')
    elif lacking and not absent:
      told.append(f'no {lacking[0]} in {part}')
  return [f'warning: {", ".join(told)}: {GAPS_REMEDY}'] if told else []


def _part(number: float, shares: Sequence[float]) -> str:
  bound = 0.0
  for part, share in zip(PARTS[:-1], shares, strict=False):
    bound += share
    if number < bound:
      return part
  return PARTS[-1]


def _part_of_people(row: Row, seed: int, shares: Sequence[float]) -> str:
  """The part in which all persons of a video are, or the video that it was made from; '' if they are not in one."""
  parts = {_part(draw_number(unit, seed), shares) for unit in units(row)}
  return parts.pop() if len(parts) == 1 else ''


def _official_parts(rows: Sequence[Row], seed: int) -> list[str]:
  """The list's parts; what it does not name is drawn by person. Where it names no validation part, training gives it
  a share, by person too."""
  named = {(row['dataset'], row['official']) for row in rows if row['official']}
  if not named:
    raise UserError("there is no official split here: choose the split 'identity'")
  parts = []
  for row in rows:
    if not row['official']:
      parts.append(_part_of_people(row, seed, SHARES))
    elif row['official'] == 'train' and (row['dataset'], 'validation') not in named:
      parts.append(_part_of_people(row, seed, (1 - SHARES[1], SHARES[1])))
    else:
      parts.append(row['official'])
  return parts
