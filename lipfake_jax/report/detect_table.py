"""Findings on a terminal: a line a video, one a person where there are several, each with a bar of time.

In: the documents of `inference.findings`. Out: lines of text.
"""

from collections.abc import Iterator

import numpy as np

from lipfake_jax.inference.findings import Document
from lipfake_jax.report.sound_section import tell_sound

BLOCKS = '▁▂▃▄▅▆▇█'  # a character a window, by its score
PLAIN = '01234567'  # where a terminal has no such characters
WIDEST = 60  # characters of a bar; of more windows each shows the highest of several
PEOPLE = 8  # lines of people


def header(width: int) -> str:
  """The titles of the columns; names take `width` characters."""
  return f'{"video":{width}}  {"verdict":12}  p_fake  windows in time order, a character each: low to high'


def describe_lines(document: Document, width: int, blocks: str = BLOCKS) -> Iterator[str]:
  """The lines of one video; names take `width` characters."""
  people = document['people']
  only = people[0] if len(people) == 1 else None
  yield _line(document['video']['path'], document, width, only, blocks)
  if len(people) > 1:
    for person in people[:PEOPLE]:
      yield _line(f'  person {person["id"]}', person, width, person, blocks)
      yield from (f'    note: {warning}' for warning in person['warnings'])
      if person['evidence']['sound']:
        yield f'    {tell_sound(person["evidence"]["sound"])}'
      if person['verdict'] == 'none':
        yield f'    none: {person["reason"]}'
    if len(people) > PEOPLE:
      yield f'  and {len(people) - PEOPLE} more people'
  if document['reason']:
    yield f'  {document["verdict"]}: {document["reason"]}'
  if only and only['evidence']['sound']:
    yield f'  {tell_sound(only["evidence"]["sound"])}'
  notes = [*document['warnings'], *(only['warnings'] if only else [])]
  yield from (f'  note: {note}' for note in notes)


def draw_bar(scores: list[float], blocks: str = BLOCKS) -> str:
  """Scores from 0 to 1 as characters, in their order; where they are many the highest of each few. None of none."""
  groups = np.array_split(np.array(scores), min(len(scores), WIDEST)) if scores else []
  return ''.join(blocks[min(int(group.max() * len(blocks)), len(blocks) - 1)] for group in groups)


def _line(name: str, judged: Document, width: int, person: Document | None, blocks: str) -> str:
  figure = '-' if judged['p_fake'] is None else f'{judged["p_fake"]:.3f}'
  bar = draw_bar([window['p_fake'] for window in person['windows']], blocks) if person else ''
  return f'{name:{width}}  {judged["verdict"]:12}  {figure:>6}  {bar}'.rstrip()
