import dataclasses

import numpy as np
import pytest

from lipfake_jax.core.errors import UserError
from lipfake_jax.data.batch_sizes import size_batches
from lipfake_jax.data.batches import (
  class_shares,
  epoch_order,
  eval_batches,
  read_clip,
  read_clips,
  stack_batches,
  train_batches,
)
from lipfake_jax.data.dataset import DataChoice, open_split
from tests.conftest import tiny_lips, tiny_motion


def open_tiny(data_dir, part='train', feature='clip', **choices):
  return open_split(DataChoice('tiny_clips', 'tiny', **choices), part, data_dir, feature)


def keys(split, batches):
  return [split.table['key'][position] for batch in batches for position in batch['position']]


def order(split, **choices):
  return epoch_order(split, 0, 0, **choices)


def test_a_split_says_what_it_holds(tiny_data):
  split = open_tiny(tiny_data, 'test')
  assert len(split) == 9
  assert split.clip_shape == (6, 16, 16, 3)
  assert sorted(split.labels) == [0] * 5 + [1] * 4
  assert split.spec['frames'] == 6
  assert (split.name, split.rule) == ('test', 'official')
  assert split.table['method'][:2] == ['original', 'flicker']
  assert [r['key'] for r in split.rejections] == ['test/009.mp4']
  assert open_tiny(tiny_data, 'train').rejections == []


def test_an_epoch_shows_clips_once_in_an_order_of_its_own(tiny_data):
  split = open_tiny(tiny_data)
  first, again, second = (keys(split, train_batches(split, 4, 0, epoch)) for epoch in (0, 0, 1))
  assert len(first) == 20  # five whole batches of 22 clips
  assert len(set(first)) == 20
  assert first == again
  assert first != second
  assert first != keys(split, train_batches(split, 4, 1, 0))  # another seed


def test_over_epochs_every_clip_has_its_turn(tiny_data):
  split = open_tiny(tiny_data)
  seen = {k for epoch in range(10) for k in keys(split, train_batches(split, 4, 0, epoch))}
  assert len(seen) == 22


def test_evaluation_counts_each_clip_once(tiny_data):
  split = open_tiny(tiny_data, 'test')
  batches = list(eval_batches(split, 4))
  assert [batch['clip'].shape for batch in batches] == [(n, 6, 16, 16, 3) for n in (4, 4, 1)]
  [batch] = eval_batches(split, 500)  # nine clips do not ask for the room of five hundred
  assert (len(batch['clip']), int(batch['mask'].sum())) == (16, 9)
  np.testing.assert_array_equal(batch['position'], [*range(9), *[0] * 7])
  np.testing.assert_array_equal(batch['clip'][9:], batch['clip'][[0] * 7])
  kept = [split.table['key'][i] for batch in batches for i in batch['position'][batch['mask']]]
  assert kept == [f'test/{n:03}.mp4' for n in range(9)]


@pytest.mark.parametrize(
  ('count', 'limit', 'unit', 'sizes'),
  [
    (64, 32, 1, [32, 32]), (65, 32, 1, [32, 32, 1]), (40, 32, 1, [32, 8]), (12, 500, 1, [16]), (1, 32, 1, [1]),
    (60, 48, 1, [48, 16]), (47, 48, 1, [48]),  # never more than the limit
    (9, 32, 2, [16]), (1, 32, 2, [2]), (13, 12, 3, [12, 3]), (0, 4, 1, []),
  ],
)  # fmt: skip
def test_a_batch_is_as_large_as_what_there_is(count, limit, unit, sizes):
  assert size_batches(count, limit, unit) == sizes


def test_rows_belong_together(tiny_data):
  split = open_tiny(tiny_data, 'test')
  for batch in eval_batches(split, 3):
    for position, label, clip in zip(batch['position'], batch['label'], batch['clip'], strict=True):
      assert label == int(split.table['key'][position][-5]) % 2
      assert split.table['method'][position] == ('original', 'flicker')[label]
      assert (clip[1] != clip[0]).any() == bool(label)  # fakes flicker
      assert clip.dtype == np.uint8


def test_lips_are_read_in_place_of_pixels(tiny_data):
  split = open_tiny(tiny_data, 'test', feature='lips')
  assert split.clip_shape == (6, 64, 2)
  for batch in eval_batches(split, 4):
    assert batch['clip'].dtype == np.float32
    for position, lips in zip(batch['position'], batch['clip'], strict=True):
      np.testing.assert_array_equal(lips, tiny_lips(split.table['key'][position]))
  both = open_split(DataChoice('tiny_clips+tiny_clips', 'tiny'), 'train', tiny_data, feature='lips')
  assert read_clips(both, 44 * 6 * 64 * 2 * 4, 'this machine').shape == (44, 6, 64, 2)
  with pytest.raises(UserError, match='the 44 clips of'):
    read_clips(both, 44 * 6 * 64 * 2 * 4 - 1, 'this machine')


def test_motion_is_read_where_it_is_stored(tiny_data):
  split = open_split(DataChoice('tiny_clips', 'tiny_motion'), 'test', tiny_data, feature='motion')
  assert split.clip_shape == (68,)
  for position in range(len(split)):
    np.testing.assert_array_equal(read_clip(split, position), tiny_motion(split.table['key'][position]))
  with pytest.raises(
    UserError, match=r"tiny: .* without 'motion', .* choose --config.data.builder_config=flow_lips_motion"
  ):
    open_tiny(tiny_data, 'test', feature='motion')


def test_a_missing_dataset_says_how_to_get_it(tmp_path):
  with pytest.raises(UserError) as error:
    open_split(DataChoice('celeb_df_v2', 'flow_lips_60x64'), 'train', str(tmp_path))
  text = str(error.value)
  assert f'celeb_df_v2/flow_lips_60x64 is not built in {tmp_path}' in text
  assert 'Request it from its authors' in text
  assert 'FOLDER/Celeb-real/id0_0000.mp4' in text
  assert 'tfds build data_builders/celeb_df_v2 --config=flow_lips_60x64 --manual_dir=FOLDER' in text
  assert f'--data_dir={tmp_path}' in text


def test_an_unknown_dataset_names_the_known_ones(tmp_path):
  with pytest.raises(UserError, match='celeb_df_v2, combined, demo_lips, dfdc'):
    open_split(DataChoice('celeb', 'flow_lips_60x64'), 'train', str(tmp_path))


def test_a_missing_part_names_those_there_are(tiny_data):
  with pytest.raises(UserError, match="part 'holdout': choose one of train, validation, test, all"):
    open_tiny(tiny_data, 'holdout')
  with pytest.raises(UserError, match=r"no clips in 'test'[\s\S]*train "):
    open_tiny(tiny_data, 'test', exclude=('reals', 'fakes'))


def test_another_split_is_a_choice_at_reading(tiny_data):
  """The same files, other parts; a person's two videos are together by 'identity'."""
  parts = {part: open_tiny(tiny_data, part, split='identity') for part in ('train', 'validation', 'test')}
  people = [person for split in parts.values() for person in set(split.table['identity'])]
  assert len(people) == len(set(people))
  assert sum(len(split) for split in parts.values()) == 41
  assert sum(len(split.rejections) for split in parts.values()) == 1
  leaky = [open_tiny(tiny_data, part, split='paper') for part in ('validation', 'test')]
  assert [split.name for split in leaky] == ['paper_leaky'] * 2
  assert leaky[0].table['key'] == leaky[1].table['key']
  other = open_tiny(tiny_data, 'test', split='paper', split_seed=1)
  assert other.table['key'] != leaky[1].table['key']


def test_folders_are_left_aside(tiny_data):
  split = open_tiny(tiny_data, 'test', exclude=('fakes',))
  assert set(split.labels) == {0}
  assert split.rejections == []  # the lost one is a fake


def test_an_epoch_goes_on_at_any_batch(tiny_data):
  split = open_tiny(tiny_data)
  whole = list(train_batches(split, 4, 0, 3))
  rest = list(train_batches(split, 4, 0, 3, first=2))
  assert len(rest) == 3
  for ours, theirs in zip(rest, whole[2:], strict=True):
    np.testing.assert_array_equal(ours['clip'], theirs['clip'])


def test_several_datasets_are_read_as_one(tiny_data):
  one, both = open_tiny(tiny_data), open_split(DataChoice('tiny_clips+tiny_clips', 'tiny'), 'train', tiny_data)
  assert (len(both), both.dataset) == (44, 'tiny_clips+tiny_clips')
  for position in (0, 5, 21):
    np.testing.assert_array_equal(read_clip(both, position), read_clip(one, position))
    np.testing.assert_array_equal(read_clip(both, position + 22), read_clip(one, position))
  assert sorted(order(both)) == list(range(44))


def test_weights_are_shares_of_an_epoch(tiny_data):
  both = open_split(DataChoice('tiny_clips+tiny_clips', 'tiny'), 'train', tiny_data)
  drawn = order(both, weights=(3, 1))
  assert len(drawn) == 44
  counts = np.bincount(drawn, minlength=44)
  assert (counts[:22].sum(), counts[22:].sum()) == (33, 11)
  assert set(counts[:22]) == {1, 2}  # evenly: nobody comes a third time before all came twice
  assert set(counts[22:]) == {0, 1}
  assert sorted(order(both, weights=(1, 1))) == list(range(44))


def test_balanced_epochs_are_half_real_and_half_fake(tiny_data):
  split = open_tiny(tiny_data)
  skewed = dataclasses.replace(split, labels=(np.arange(22) < 4).astype(np.int32))
  drawn = order(skewed, balanced=True)
  assert np.bincount(skewed.labels[drawn]).tolist() == [11, 11]
  counts = np.bincount(drawn, minlength=22)
  assert set(counts[:4]) == {2, 3}
  assert set(counts[4:]) == {0, 1}


def test_balance_and_weights_together(tiny_data):
  """A set of reals only gives no fakes, and its weight counts among the reals alone."""
  both = open_split(DataChoice('tiny_clips+tiny_clips', 'tiny'), 'train', tiny_data)
  real_only = dataclasses.replace(both, labels=np.where(np.arange(44) < 22, both.labels, 0).astype(np.int32))
  drawn = order(real_only, weights=(1, 1), balanced=True)
  assert np.bincount(real_only.labels[drawn]).tolist() == [22, 22]
  reals = drawn[real_only.labels[drawn] == 0]
  assert ((reals < 22).sum(), (reals >= 22).sum()) == (11, 11)


@pytest.mark.parametrize('weights', [(1,), (1, 2, 3), (1, 0), (1, -1)])
def test_weights_that_do_not_fit_are_refused(tiny_data, weights):
  both = open_split(DataChoice('tiny_clips+tiny_clips', 'tiny'), 'train', tiny_data)
  with pytest.raises(UserError, match='one number above 0 for each dataset'):
    order(both, weights=weights)


def test_the_shares_of_the_classes_are_those_that_epochs_show(tiny_data):
  """1000 clips, a tenth of them fake, and 100, nine tenths: 190 of 1100 are fake, and of an epoch at (1, 1) half."""
  one, other = (np.arange(n) < fakes for n, fakes in ((1000, 100), (100, 90)))
  places = np.stack([np.repeat((0, 1), (1000, 100)), np.append(np.arange(1000), np.arange(100))], axis=1)
  both = dataclasses.replace(
    open_tiny(tiny_data), labels=np.append(one, other).astype(np.int32), places=places, sources=(None, None)
  )
  for choices, expected in (
    ({}, 190 / 1100),
    ({'weights': (1, 1)}, 0.5),
    ({'weights': (3, 1)}, 0.3),
    ({'balanced': True}, 0.5),
    ({'weights': (3, 1), 'balanced': True}, 0.5),
  ):
    shares = class_shares(both, **choices)
    assert shares == pytest.approx((1 - expected, expected))
    drawn = np.mean([both.labels[epoch_order(both, 0, epoch, **choices)].mean() for epoch in range(20)])
    assert drawn == pytest.approx(expected, abs=0.005)  # of 100 it draws 1100: each 5 or 6 times
  with pytest.raises(UserError, match='one number above 0 for each dataset'):
    class_shares(both, weights=(1, 2, 3))


def test_one_class_can_not_be_balanced(tiny_data):
  with pytest.raises(UserError, match='holds one class'):
    order(open_tiny(tiny_data, exclude=('fakes',)), balanced=True)


def test_too_few_clips_for_a_batch(tiny_data):
  with pytest.raises(UserError, match='holds 22 clips: choose a batch_size of at most that'):
    next(train_batches(open_tiny(tiny_data), 32, 0, 0))


@pytest.mark.parametrize('batches_of', ['training', 'evaluation'])
def test_processes_share_every_batch(tiny_data, batches_of):
  """The halves of two processes, side by side, are the batches of one."""
  split = open_tiny(tiny_data)

  def batches(share):
    if batches_of == 'evaluation':
      return list(eval_batches(split, 4, share, unit=2))
    return list(train_batches(split, 4, 0, 0, share=share))

  whole, *halves = batches((0, 1)), batches((0, 2)), batches((1, 2))
  for one, left, right in zip(whole, *halves, strict=True):
    assert len(left['clip']) == len(right['clip']) == len(one['clip']) / 2
    for name in ('clip', 'label'):
      np.testing.assert_array_equal(np.concatenate([left[name], right[name]]), one[name])
    if batches_of == 'evaluation':  # scores are gathered: all know whose they are
      np.testing.assert_array_equal(left['position'], one['position'])


def test_batches_are_stacked_for_one_dispatch(tiny_data):
  """Five batches in groups of two: two of two and one of one, nothing lost or moved."""
  batches = list(train_batches(open_tiny(tiny_data), 4, 0, 0))
  groups = list(stack_batches(iter(batches), 2))
  assert [len(group['label']) for group in groups] == [2, 2, 1]
  np.testing.assert_array_equal(
    np.concatenate([group['clip'] for group in groups]), [batch['clip'] for batch in batches]
  )
