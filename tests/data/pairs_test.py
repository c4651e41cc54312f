"""Which clips are held against each other."""

import collections

import numpy as np
import pytest

from lipfake_jax.core.errors import UserError
from lipfake_jax.data import pairs as pairs_module
from lipfake_jax.data.pairs import Pairs, keep, open_pairs, order_moments, order_people, read_pairs
from tests.data.pair_cases import make_split, speak


@pytest.fixture
def pairs(monkeypatch) -> Pairs:
  """13 real clips of 7 videos and 4 people, the last without sound."""
  monkeypatch.setattr(pairs_module, 'open_split', lambda choice, part, data_dir, feature: make_split(feature, part))
  return open_pairs(None, 'train', None, ('lips', 'sound'))


def test_what_is_seen_and_what_is_heard_are_of_the_same_clips(pairs):
  batch, stored = read_pairs(pairs, np.array([3, 12])), speak(13, seed=1)
  np.testing.assert_array_equal(batch['look'], stored['lips'][[3, 12]])
  np.testing.assert_array_equal(batch['sound'], stored['sound'][[3, 12]])
  assert batch['heard'].tolist() == [True, False]
  assert batch['person'].tolist() == [0, 3]


def test_only_one_class_is_opened(pairs):
  assert len(pairs) == 13
  assert len(open_pairs(None, 'train', None, ('lips', 'sound'), label=1)) == 0


def test_clips_without_sound_can_be_left_out(pairs):
  heard = keep(pairs, pairs.heard)
  assert len(heard) == 12
  assert heard.heard.all()
  assert heard.keys[-1] == 'train/05.mp4'


def test_an_epoch_of_moments_has_every_clip_once_but_the_rest(pairs):
  order = order_moments(pairs, 4, seed=0, epoch=0)
  assert order.shape == (3, 4)
  assert len(set(order.ravel())) == 12
  assert not np.array_equal(order, order_moments(pairs, 4, seed=0, epoch=1))
  np.testing.assert_array_equal(order, order_moments(pairs, 4, seed=0, epoch=0))


def test_a_batch_of_people_has_two_videos_of_each(pairs):
  for batch in order_people(pairs, 6, seed=0, epoch=0):
    whose = collections.Counter(pairs.people[place] for place in batch)
    assert set(whose.values()) == {2}
    for person in set(whose) - {'tiny/train 3'}:  # who has one clip alone
      assert len({pairs.keys[place] for place in batch if pairs.people[place] == person}) == 2


def test_too_few_are_told(pairs):
  with pytest.raises(UserError, match='13 real clips with sound: choose'):
    order_moments(pairs, 16, seed=0, epoch=0)
  with pytest.raises(UserError, match=r'4 known people: half of train.batch_size \(10\)'):
    order_people(pairs, 10, seed=0, epoch=0)
