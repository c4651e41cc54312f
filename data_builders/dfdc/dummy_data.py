"""A miniature of DFDC: two parts, in which some files that metadata.json names are absent."""

import json

from data_builders.make_dummy import DummyData, DummyVideo

LETTERS = 'abcdefghijklmnopqrst'
ORIGINALS = [f'{letter * 10}.mp4' for letter in LETTERS]
FAKES = {f'{letter}fake{letter * 5}.mp4': original for letter, original in zip(LETTERS, ORIGINALS, strict=True)}


def _part(number: int) -> str:
  return f'dfdc_train_part_{number}'


def _metadata(number: int) -> str:
  reals = {name: {'label': 'REAL', 'split': 'train', 'original': None} for name in ORIGINALS[number::2]}
  fakes = {
    name: {'label': 'FAKE', 'split': 'train', 'original': original}
    for name, original in FAKES.items()
    if original in reals
  }
  absent = {'zzzzzzzzzz.mp4': {'label': 'FAKE', 'split': 'train', 'original': 'yyyyyyyyyy.mp4'}}
  return json.dumps({**reals, **fakes, **absent})


VIDEOS = [
  DummyVideo(f'{_part(number)}/{name}', label, index)
  for index, (real, fake) in enumerate(zip(ORIGINALS, FAKES, strict=True))
  for number, name, label in ((index % 2, real, 'real'), (index % 2, fake, 'fake'))
]
DUMMY = DummyData(VIDEOS, {f'{_part(number)}/metadata.json': _metadata(number) for number in (0, 1)})
