"""FaceForensics++: pairs, methods, compressions and the official lists."""

import json

import pytest

from data_builders.faceforensics.dummy_data import DUMMY, LISTS, PAIRS
from lipfake_jax.core.errors import UserError
from lipfake_jax.data import splits

REAL, FAKE = 'original_sequences/youtube/c23/videos', 'manipulated_sequences/Deepfakes/c23/videos'
ACTORS, SWAPS = 'original_sequences/actors/c23/videos', 'manipulated_sequences/DeepFakeDetection/c23/videos'


def by_key(listing):
  return {video.key: video for video in listing.videos}


def test_every_video_has_its_label_persons_and_original(names, survey):
  videos = by_key(survey('faceforensics', names('faceforensics')))
  assert {key: video.label for key, video in videos.items()} == {video.path: video.label for video in DUMMY.videos}
  fake = videos[f'{FAKE}/005_004.mp4']
  assert (fake.identity, fake.second_identity, fake.method) == ('005', '004', 'Deepfakes')
  assert fake.original == f'{REAL}/005.mp4'
  swap = videos[f'{SWAPS}/01_02__kitchen_pan__9229VVZ3.mp4']
  assert (swap.identity, swap.second_identity) == ('actor 01', 'actor 02')  # not YouTube's 001
  assert swap.original == f'{ACTORS}/01__kitchen_pan.mp4'
  assert videos[swap.original].identity == 'actor 01'


def test_the_same_name_under_two_methods_is_two_videos(names, survey):
  videos = by_key(survey('faceforensics', names('faceforensics')))
  same = [key for key in videos if key.endswith('/005_004.mp4')]
  assert len(same) == 2
  assert {videos[key].method for key in same} == {'Deepfakes', 'NeuralTextures'}


def test_the_lists_are_the_official_split(names, survey):
  listing = survey('faceforensics', names('faceforensics'))
  for video in listing.videos:
    if 'actor' in video.identity:
      assert video.official == ''
    else:
      part = {'train.json': 'train', 'val.json': 'validation', 'test.json': 'test'}
      named = [part[name] for name, pairs in LISTS.items() for pair in pairs if video.identity in pair]
      assert [video.official] == named


@pytest.mark.parametrize('lists', [True, False])
def test_pairs_stay_together_and_none_is_lost(names, survey, lists):
  root = names('faceforensics')
  if not lists:
    for name in LISTS:
      (root / name).unlink()
  rows = [vars(video) for video in survey('faceforensics', root).videos]
  parts = dict(zip([row['key'] for row in rows], splits.assign_parts(rows, 'identity'), strict=True))
  for one, other in PAIRS:
    places = [f'{REAL}/{one}.mp4', f'{REAL}/{other}.mp4', f'{FAKE}/{one}_{other}.mp4', f'{FAKE}/{other}_{one}.mp4']
    assert len({parts[place] for place in places}) == 1
    assert parts[places[0]]
  assert (
    'no official split' in str([kind for kind, found in survey('faceforensics', root).notes.items() if found])
  ) == (not lists)


def test_a_person_of_two_pairs_is_drawn_alone(names, survey):
  root = names('faceforensics')
  for name in LISTS:
    (root / name).unlink()
  (root / FAKE / '001_002.mp4').touch()
  groups = {video.identity: video.group for video in survey('faceforensics', root).videos}
  assert groups['000'] == groups['001'] == groups['002'] == groups['003'] == ''
  assert groups['004'] == groups['005'] == '004'


def test_any_compression_and_method_and_nothing_else(names, survey):
  root = names('faceforensics')
  for folder, name in (
    ('original_sequences/youtube/c0/videos', '000.mp4'),
    ('manipulated_sequences/FaceShifter/c40/videos', '000_001.mp4'),
    ('manipulated_sequences/Deepfakes/masks/videos', '000_001.mp4'),
    ('manipulated_sequences/Nameless/c23/videos', '000_001.mp4'),
    ('manipulated_sequences/Deepfakes/c23/videos', '000.mp4'),
  ):
    (root / folder).mkdir(parents=True, exist_ok=True)
    (root / folder / name).touch()
  listing = survey('faceforensics', root)
  folders = {video.folder for video in listing.videos}
  assert {'original_sequences/youtube/raw', 'manipulated_sequences/FaceShifter/c40'} < folders
  assert listing.notes['files that are none of the set, left out'] == [
    'manipulated_sequences/Deepfakes/c23/videos/000.mp4',
    'manipulated_sequences/Deepfakes/masks/videos/000_001.mp4',
    'manipulated_sequences/Nameless/c23/videos/000_001.mp4',
  ]


@pytest.mark.parametrize(
  ('text', 'message'),
  [('{"a": 1}', 'not a list of pairs'), ('[["000"]]', 'not a list of pairs'), ('nonsense', 'not a list of pairs'),
   (json.dumps(PAIRS[6:]), 'is in another list too')],
)  # fmt: skip
def test_a_bad_list_is_told(names, survey, text, message):
  root = names('faceforensics')
  (root / 'train.json').write_text(text)
  with pytest.raises(UserError, match=message):
    survey('faceforensics', root)


def test_a_wrong_layout_is_told(tmp_path, survey):
  with pytest.raises(UserError, match='lacks original_sequences and manipulated_sequences; it holds nothing'):
    survey('faceforensics', tmp_path)


@pytest.mark.slow
def test_the_miniature_builds(build):
  rows = build('faceforensics')
  assert {row['key']: ('real', 'fake')[row['label']] for row in rows} == {
    video.path: video.label for video in DUMMY.videos
  }
