"""Batches with pseudo-fakes: their shares, their pairs, and that they are a function of seed, epoch and number."""

import dataclasses

import numpy as np
import pytest

from lipfake_jax.core.errors import UserError
from lipfake_jax.data import pseudo_batches
from lipfake_jax.data.dataset import DataChoice, open_split
from lipfake_jax.data.pseudo_batches import PseudoFakes, count_true, mixed_batches

SETTINGS = PseudoFakes(share=0.5, frames=2, size=32)


@pytest.fixture
def split(tiny_data, monkeypatch):
  """The clips of `tiny_data`, whose 16 pixels are made 64."""
  read = pseudo_batches.read_clip
  monkeypatch.setattr(
    pseudo_batches, 'read_clip', lambda split, position: read(split, position).repeat(4, axis=1).repeat(4, axis=2)
  )
  return open_split(DataChoice('tiny_clips', 'tiny'), 'train', tiny_data)


def test_half_is_real_and_each_pseudo_fake_has_its_real_before_it(split):
  batch = next(mixed_batches(split, 8, 0, 0, SETTINGS))
  assert {name: column.shape for name, column in batch.items()} == {
    'clip': (8, 2, 32, 32, 3),
    'label': (8,),
    'position': (8,),
    'patches': (8, 2, 2),
  }
  assert batch['label'].tolist() == [1, 1, 0, 1, 0, 1, 0, 0]  # two of another's making, two pairs, two reals
  assert (split.labels[batch['position']] == [1, 1, 0, 0, 0, 0, 0, 0]).all()
  np.testing.assert_array_equal(batch['position'][[2, 4]], batch['position'][[3, 5]])
  assert (batch['patches'][:2] == -1).all()
  assert (batch['patches'][[2, 4, 6, 7]] == 0).all()
  assert (batch['patches'][[3, 5]].max(axis=(1, 2)) > 0.1).all()


def test_batches_are_a_function_of_seed_epoch_and_number(split):
  first, second = (list(mixed_batches(split, 4, 3, 1, SETTINGS)) for _ in range(2))
  assert len(first) == len(split) // 4
  for ours, theirs in zip(first, second, strict=True):
    np.testing.assert_array_equal(ours['clip'], theirs['clip'])
  later = next(mixed_batches(split, 4, 3, 1, SETTINGS, first=1))
  np.testing.assert_array_equal(later['clip'], first[1]['clip'])
  assert (next(mixed_batches(split, 4, 3, 2, SETTINGS))['clip'] != first[0]['clip']).any()


def test_two_processes_read_halves_of_a_batch(split):
  whole, *parts = (next(mixed_batches(split, 8, 0, 0, SETTINGS, share=s)) for s in ((0, 1), (0, 2), (1, 2)))
  np.testing.assert_array_equal(np.concatenate([part['clip'] for part in parts]), whole['clip'])


def test_untouched_clips_are_the_middle_of_what_was_read(split):
  """A pair is touched or not together; of 64 pixels the middle 32."""
  batch = next(mixed_batches(split, 8, 0, 0, dataclasses.replace(SETTINGS, untouched=1.0)))
  for number in (0, 2, 6):
    clip = pseudo_batches.read_clip(split, batch['position'][number])[:, 16:48, 16:48]
    assert all((clip == frame).all(axis=(1, 2, 3)).any() for frame in batch['clip'][number])
  real, fake = batch['clip'][2:4]
  assert (real == fake).any()
  assert (real != fake).any()


def test_reals_alone_are_enough(split):
  real = np.flatnonzero(split.labels == 0)
  alone = dataclasses.replace(
    split,
    places=split.places[real],
    labels=split.labels[real],
    table={name: [column[i] for i in real] for name, column in split.table.items()},
  )
  settings = dataclasses.replace(SETTINGS, share=1.0)
  assert next(mixed_batches(alone, 4, 0, 0, settings))['label'].tolist() == [0, 1, 0, 1]
  with pytest.raises(UserError, match=r'0 fake videos: .* unless pseudo.share=1'):
    next(mixed_batches(alone, 4, 0, 0, SETTINGS))


def test_shares():
  assert [count_true(16, share) for share in (0.0, 0.65, 1.0)] == [8, 3, 0]


@pytest.mark.parametrize(
  ('fields', 'message'),
  [
    ({'share': 1.5}, 'pseudo.share=1.5'),
    ({'spoil': -0.1}, 'pseudo.spoil=-0.1'),
    ({'kinds': {'swap': 1.0}}, 'unknown swap; there are blend'),
    ({'share': 0.5, 'kinds': {'blend': 0.0}}, 'give one of them a share'),
    ({'frames': 0}, 'pseudo.frames=0'),
  ],
)
def test_what_cannot_be_is_told(fields, message):
  with pytest.raises(UserError, match=message):
    PseudoFakes(**fields)
