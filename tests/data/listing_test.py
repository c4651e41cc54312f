"""Videos as they lie on disk, and what is told of them."""

import dataclasses
from pathlib import Path

import pytest

from data_builders.conftest import touch
from lipfake_jax.core.errors import UserError
from lipfake_jax.core.vocabulary import VideoRecord
from lipfake_jax.data.listing import Listing, check_videos, find_entry, layout_table, name_people, read_instructions


def test_found_and_published_stand_side_by_side():
  videos = [
    VideoRecord(Path(k), k, label, folder=folder) for k, label, folder in (('1', 'real', 'A'), ('2', 'fake', 'X'))
  ]
  listing = Listing(videos, {'masked': [f'{n}.mp4' for n in range(5)], 'missing': []})
  text = layout_table(listing, {('A', 'real'): 590, ('B', 'fake'): 5639})
  assert [line.split() for line in text.splitlines()[:3]] == [
    ['folder', 'class', 'videos', 'published'], ['A', 'real', '1', '590'], ['X', 'fake', '1', '-'],
  ]  # fmt: skip
  assert text.splitlines()[3:] == ['no video of B', '5 masked: 0.mp4, 1.mp4, 2.mp4, ...']


def test_folders_are_found_in_any_case_and_one_level_down(tmp_path):
  touch(tmp_path, 'youtube-REAL/a.mp4', 'inner/Celeb-real/b.mp4', 'inner/deeper/YouTube-fake/c.mp4')
  assert find_entry(tmp_path, 'YouTube-real') == tmp_path / 'youtube-REAL'
  assert find_entry(tmp_path, 'Celeb-real') == tmp_path / 'inner' / 'Celeb-real'
  assert find_entry(tmp_path, 'YouTube-fake') is None


def test_what_lies_in_the_trash_is_no_part_of_a_set(tmp_path):
  touch(tmp_path, '.Trash-0/Celeb-real/a.mp4', 'inner/Celeb-real/b.mp4')
  assert find_entry(tmp_path, 'Celeb-real') == tmp_path / 'inner' / 'Celeb-real'


def test_equal_keys_are_two_videos_only_in_two_datasets():
  one = VideoRecord(Path('a'), 'a.mp4', 'real', dataset='x')
  check_videos(Path('.'), [one, dataclasses.replace(one, dataset='y')])
  with pytest.raises(UserError, match='listed twice'):
    check_videos(Path('.'), [one, one])


def test_an_empty_folder_is_told(tmp_path):
  with pytest.raises(UserError, match=r'no video of it below .*\n1 masked, left out: a'):
    check_videos(tmp_path, [], {'masked, left out': ['a'], 'missing': []})


def test_an_unknown_dataset_names_the_known_ones():
  with pytest.raises(
    UserError, match='celeb_df_v2, combined, demo_lips, dfdc, faceforensics, fakeavceleb, m2fred_wav2lip'
  ):
    read_instructions('celeb')


def test_who_is_not_told_is_the_person_of_the_original():
  """Or of another video that was made from the same; else a person's videos could be in two parts."""
  rows = [
    ('real/1.mp4', '', 'ann'),
    ('real/2.mp4', '', ''),
    ('real/3.mp4', '', ''),
    ('fake/1.mp4', 'real/1.mp4', ''),
    ('fake/2.mp4', 'real/2.mp4', 'bob'),
    ('fake/2b.mp4', 'real/2.mp4', ''),
    ('fake/3.mp4', 'real/3.mp4', ''),
    ('fake/4.mp4', 'real/1.mp4', 'cem'),
  ]
  videos = [VideoRecord(Path(key), key, 'real', identity=who, original=source) for key, source, who in rows]
  assert [video.identity for video in name_people(videos)] == ['ann', 'bob', '', 'ann', 'bob', 'bob', '', 'cem']


def test_the_same_name_in_another_dataset_tells_nothing():
  real, fake = VideoRecord(Path('1'), '1', 'real', 'ann', dataset='a'), VideoRecord(Path('2'), '2', 'fake', dataset='b')
  assert name_people([real, dataclasses.replace(fake, original='1')])[1].identity == ''
