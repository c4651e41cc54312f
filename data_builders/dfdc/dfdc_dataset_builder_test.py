"""DFDC: labels and originals from each part's metadata.json, absent files, unlisted files."""

import json

import pytest

from data_builders.dfdc.dummy_data import DUMMY
from lipfake_jax.core.errors import UserError
from lipfake_jax.data import splits


def by_key(listing):
  return {video.key: video for video in listing.videos}


def test_every_video_has_its_label_and_original(names, survey):
  videos = by_key(survey('dfdc', names('dfdc')))
  assert {key: video.label for key, video in videos.items()} == {video.path: video.label for video in DUMMY.videos}
  fake = videos['dfdc_train_part_1/bfakebbbbb.mp4']
  assert (fake.original, fake.identity, fake.official) == ('dfdc_train_part_1/bbbbbbbbbb.mp4', 'bbbbbbbbbb', 'train')
  assert videos[fake.original].identity == fake.identity


def test_a_video_and_its_fakes_are_in_one_part(names, survey):
  rows = [vars(video) for video in survey('dfdc', names('dfdc')).videos]
  for split in ('identity', 'official'):
    where: dict[str, set[str]] = {}
    for row, part in zip(rows, splits.assign_parts(rows, split), strict=True):
      where.setdefault(row['original'] or row['key'], set()).add(part)
    assert all(len(parts) == 1 for parts in where.values())


def test_entries_without_a_file_and_files_without_an_entry(names, survey):
  root = names('dfdc')
  (root / 'dfdc_train_part_0' / 'unknown.mp4').touch()
  listing = survey('dfdc', root)
  assert listing.notes['entries of metadata.json without a file'] == [
    'dfdc_train_part_0/zzzzzzzzzz.mp4', 'dfdc_train_part_1/zzzzzzzzzz.mp4',
  ]  # fmt: skip
  unlisted = 'files that no metadata.json names, left out for want of a label'
  assert listing.notes[unlisted] == ['dfdc_train_part_0/unknown.mp4']
  assert not by_key(listing).keys() & {'dfdc_train_part_0/unknown.mp4', 'dfdc_train_part_0/zzzzzzzzzz.mp4'}


def test_the_same_file_name_in_two_parts_is_two_videos(names, survey):
  root = names('dfdc')
  (root / 'dfdc_train_part_1' / 'aaaaaaaaaa.mp4').touch()
  table = root / 'dfdc_train_part_1' / 'metadata.json'
  table.write_text(json.dumps({**json.loads(table.read_text()), 'aaaaaaaaaa.mp4': {'label': 'FAKE', 'split': 'train'}}))
  videos = by_key(survey('dfdc', root))
  assert videos['dfdc_train_part_0/aaaaaaaaaa.mp4'].label == 'real'
  assert videos['dfdc_train_part_1/aaaaaaaaaa.mp4'].label == 'fake'


@pytest.mark.parametrize(
  ('text', 'message'),
  [('[1, 2]', 'it is not'), ('words', 'it is not'), ('{"aaaaaaaaaa.mp4": {"label": "real"}}', 'label')],
)
def test_bad_metadata_is_told(names, survey, text, message):
  root = names('dfdc')
  (root / 'dfdc_train_part_0' / 'metadata.json').write_text(text)
  with pytest.raises(UserError, match=rf'dfdc_train_part_0/metadata.json: .*{message}'):
    survey('dfdc', root)


def test_a_folder_without_metadata_is_told(tmp_path, survey):
  (tmp_path / 'a.mp4').touch()
  with pytest.raises(UserError, match=r'lacks metadata\.json in any of its folders; it holds a\.mp4'):
    survey('dfdc', tmp_path)


@pytest.mark.slow
def test_the_miniature_builds(build):
  rows = build('dfdc')
  assert {row['key']: ('real', 'fake')[row['label']] for row in rows} == {
    video.path: video.label for video in DUMMY.videos
  }
