"""Figures on people whose every video lies where one can see it."""

import numpy as np

from lipfake_jax.evaluation import person
from lipfake_jax.evaluation.person import measure_people


def videos(who: str, *places: float, heard: bool = True):
  """Videos of one clip each, at these places."""
  kinds = ('look', 'sound') if heard else ('look',)
  return [(who, {kind: np.array([[place]]) for kind in kinds}) for place in places]


def measure(monkeypatch, own, made=()):
  monkeypatch.setattr(person, 'embed_videos', lambda towers, pairs: pairs)
  return {row['kind']: row for row in measure_people(None, own, list(made))}


def test_pairs_of_one_person_lie_closer(monkeypatch):
  """Squared distances: 1 and 1 within, 9 to 25 across; of the third, who is not heard, .25 to ann's."""
  own = [*videos('ann', 0, 1), *videos('bob', 4, 5), *videos('cid', 0.5, heard=False)]
  rows = measure(monkeypatch, own)
  assert rows['same person or another, heard']['auc'] == 1
  assert rows['same person or another, heard']['videos'] == 4
  seen = rows['same person or another, seen']
  assert (seen['videos'], seen['people']) == (5, 3)
  assert seen['auc'] == 12 / 16  # cid lies between ann's two: .25 < 1, twice


def test_with_too_few_references_nothing_is_told(monkeypatch):
  row = measure(monkeypatch, videos('ann', *range(5)))['by references: real, or a fake of them']
  assert (row['people'], row['auc'], row['interval']) == (0, None, None)


def test_people_with_enough_videos_are_held_against_the_others(monkeypatch):
  own = [*videos('ann', *np.arange(0, 6, 0.9)), *videos('bob', *np.arange(50, 56, 0.9)), *videos('cid', 99)]
  made = [*videos('ann+bob', 20, 21), *videos('cid+ann', 0)]  # of the second ann gave the face, not the head
  rows = measure(monkeypatch, own, made)
  others, fakes = (rows[f'by references: {name}'] for name in ('theirs, or of another', 'real, or a fake of them'))
  assert (others['people'], others['videos'], others['auc']) == (2, 14 + 2 * 8, 1)
  assert (fakes['videos'], fakes['auc']) == (14 + 2, 1)
  assert others['interval'] is not None
