import numpy as np
import pytest

from lipfake_jax import input_pipeline
from lipfake_jax.errors import UserError


def open_tiny(data_dir, split='train'):
  return input_pipeline.open_split('tiny_clips', 'tiny', split, data_dir)


def keys(batches):
  return [str(key) for batch in batches for key in batch['key']]


def test_a_split_says_what_it_holds(tiny_data):
  split = open_tiny(tiny_data, 'test')
  assert len(split) == 9
  assert split.clip_shape == (6, 16, 16, 3)
  assert sorted(split.labels) == [0] * 5 + [1] * 4
  assert split.spec['frames'] == 6
  assert [r['key'] for r in split.rejections] == ['test/lost.mp4']
  assert open_tiny(tiny_data, 'train').rejections == []


def test_an_epoch_shows_clips_once_in_an_order_of_its_own(tiny_data):
  split = open_tiny(tiny_data)
  first, again, second = (keys(input_pipeline.train_batches(split, 4, 0, epoch)) for epoch in (0, 0, 1))
  assert len(first) == 20  # five whole batches of 22 clips
  assert len(set(first)) == 20
  assert first == again
  assert first != second
  assert first != keys(input_pipeline.train_batches(split, 4, 1, 0))  # another seed


def test_over_epochs_every_clip_has_its_turn(tiny_data):
  split = open_tiny(tiny_data)
  seen = {k for epoch in range(10) for k in keys(input_pipeline.train_batches(split, 4, 0, epoch))}
  assert len(seen) == 22


def test_evaluation_counts_each_clip_once(tiny_data):
  split = open_tiny(tiny_data, 'test')
  batches = list(input_pipeline.eval_batches(split, 4))
  assert [batch['clip'].shape for batch in batches] == [(4, 6, 16, 16, 3)] * 3
  assert [int(batch['mask'].sum()) for batch in batches] == [4, 4, 1]
  kept = [str(key) for batch in batches for key in batch['key'][batch['mask']]]
  assert sorted(kept) == [f'test/{n:03}.mp4' for n in range(9)]


def test_rows_belong_together(tiny_data):
  for batch in input_pipeline.eval_batches(open_tiny(tiny_data, 'test'), 3):
    for key, label, method, clip in zip(batch['key'], batch['label'], batch['method'], batch['clip'], strict=True):
      assert label == int(str(key)[-5]) % 2
      assert method == ('original', 'flicker')[label]
      assert (clip[1] != clip[0]).any() == bool(label)  # fakes flicker
      assert clip.dtype == np.uint8


def test_a_missing_dataset_says_how_to_get_it(tmp_path):
  with pytest.raises(UserError) as error:
    input_pipeline.open_split('celeb_df_v2', 'flow_lips_60x64', 'train', str(tmp_path))
  text = str(error.value)
  assert f'celeb_df_v2/flow_lips_60x64 is not built in {tmp_path}' in text
  assert 'Request it from its authors' in text
  assert 'FOLDER/Celeb-real/id0_0000.mp4' in text
  assert 'tfds build data_builders/celeb_df_v2 --config=flow_lips_60x64 --manual_dir=FOLDER' in text
  assert f'--data_dir={tmp_path}' in text


def test_an_unknown_dataset_names_the_known_ones(tmp_path):
  with pytest.raises(UserError, match='celeb_df_v2, demo_lips, video_folder'):
    input_pipeline.open_split('celeb', 'flow_lips_60x64', 'train', str(tmp_path))


def test_a_missing_split_names_those_there_are(tiny_data):
  with pytest.raises(UserError, match=r"no clips in 'holdout'; it has .*train \(22\)"):
    open_tiny(tiny_data, 'holdout')


def test_too_few_clips_for_a_batch(tiny_data):
  with pytest.raises(UserError, match='holds 22 clips: choose a batch_size of at most that'):
    next(input_pipeline.train_batches(open_tiny(tiny_data), 32, 0, 0))
