"""Stored datasets that were damaged after their build: each is named, with what to do."""

import shutil
from pathlib import Path

import pytest

from lipfake_jax.core.errors import UserError
from lipfake_jax.data.batches import read_clip
from lipfake_jax.data.dataset import DataChoice, open_split

SHARD = 'tiny_clips-clips.array_record-00000-of-00001'


@pytest.fixture
def copied(tiny_data, tmp_path) -> Path:
  """A dataset's folder that a test may damage, in a data folder of its own."""
  place = Path('tiny_clips', 'tiny', '1.0.0')
  shutil.copytree(Path(tiny_data, place), tmp_path / place)
  return tmp_path / place


def open_copy(place: Path):
  return open_split(DataChoice('tiny_clips', 'tiny'), 'train', str(place.parents[2]))


@pytest.mark.parametrize(
  ('name', 'keep', 'named'),
  [
    (SHARD, 0.5, SHARD), (SHARD, 0.98, SHARD), (SHARD, 0, SHARD), (SHARD, None, SHARD),
    ('metadata.json', 0.5, 'tiny_clips/tiny'), ('metadata.json', None, 'tiny_clips/tiny'),
    ('dataset_info.json', 0.5, 'tiny_clips/tiny'), ('features.json', 0.5, 'tiny_clips/tiny'),
  ],
)  # fmt: skip
def test_a_file_that_is_cut_short_or_gone_is_told_at_once(copied, name, keep, named):
  """`keep`: the share of its bytes that is left; None where it is deleted."""
  path = copied / name
  if keep is None:
    path.unlink()
  else:
    path.write_bytes(path.read_bytes()[: int(keep * path.stat().st_size)])
  data_dir = copied.parents[2]
  with pytest.raises(UserError) as error:
    open_copy(copied)
  text = str(error.value)
  assert f'{named} is missing or damaged' in text
  assert f'delete {data_dir}/tiny_clips/tiny and build it anew' in text
  assert f'tfds build data_builders/tiny_clips --config=tiny --data_dir={data_dir}' in text


def test_bytes_that_changed_are_told_when_they_are_read(copied):
  path = copied / SHARD
  content = bytearray(path.read_bytes())
  content[80_000:150_000] = bytes(70_000)
  path.write_bytes(content)
  split = open_copy(copied)
  with pytest.raises(UserError, match=f'{SHARD} is missing or damaged'):
    [read_clip(split, position) for position in range(len(split))]
