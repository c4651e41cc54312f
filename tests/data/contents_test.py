"""Videos that share their bytes, and the digests that tell what a dataset was made of."""

import dataclasses
import os

import pytest

from lipfake_jax.core.clip_spec import ClipSpec
from lipfake_jax.core.errors import UserError
from lipfake_jax.core.vocabulary import VideoRecord
from lipfake_jax.data.contents import check_labels, digest_dataset, digest_source, tell_changes

SPEC = ClipSpec()


@pytest.fixture
def place(tmp_path, blank_video, face_video):
  """A function that lists files by name: ('real/a.mp4', 'blank'), ...; a name alone is what lies there already."""
  contents = {'blank': blank_video.read_bytes(), 'face': face_video.read_bytes(), 'text': b'words', 'empty': b''}

  def records(*files):
    listed = []
    for key, content in files:
      path = tmp_path / key
      path.parent.mkdir(parents=True, exist_ok=True)
      if content:
        path.write_bytes(contents[content])
      listed.append(VideoRecord(path, key, key.partition('/')[0]))
    return listed

  return records


def test_one_content_with_both_labels_is_refused_by_name(place):
  videos = place(('real/a.mp4', 'blank'), ('fake/b.mp4', 'blank'), ('fake/c.mp4', 'face'))
  with pytest.raises(UserError, match=r'1 contents are labelled .*:\n  real/a.mp4 \(real\) = fake/b.mp4 \(fake\)$'):
    check_labels(videos)


@pytest.mark.parametrize('link', [os.link, os.symlink])
def test_a_link_is_the_file_that_it_leads_to(place, tmp_path, link):
  videos = place(('real/a.mp4', 'blank'), ('fake/b.mp4', 'face'))
  link(tmp_path / 'real/a.mp4', tmp_path / 'fake/l.mp4')
  with pytest.raises(UserError, match='both real and fake'):
    check_labels([*videos, *place(('fake/l.mp4', ''))])


def test_copies_of_one_label_are_told_and_what_is_no_video_is_no_contradiction(place):
  """Nor are files of equal size whose bytes differ, nor files that can't be opened."""
  videos = place(
    *[('real/a.mp4', 'blank'), ('real/b.mp4', 'blank'), ('fake/c.mp4', 'face')],
    *[('real/text.mp4', 'text'), ('fake/text.mp4', 'text'), ('real/e.mp4', 'empty'), ('fake/e.mp4', 'empty')],
    *[('real/gone.mp4', ''), ('fake/gone.mp4', '')],
  )
  assert check_labels(videos) == ['real/a.mp4 = real/b.mp4']
  other = bytearray(videos[2].path.read_bytes())
  other[-1] ^= 1
  videos[0].path.write_bytes(other)
  assert check_labels([videos[0], videos[2]]) == []


def test_a_source_is_its_names_labels_contents_and_clips(place):
  videos = place(('real/a.mp4', 'blank'), ('fake/b.mp4', 'face'))
  digest = digest_source(videos, SPEC)
  assert digest_source(videos[::-1], SPEC) == digest
  for changed in (
    videos[:1],
    [videos[0], dataclasses.replace(videos[1], label='real')],
    [videos[0], dataclasses.replace(videos[1], identity='anna')],
    place(('real/a.mp4', 'text'), ('fake/b.mp4', 'face')),
  ):
    assert digest_source(changed, SPEC) != digest
  assert digest_source(place(('real/a.mp4', 'blank')) + videos[1:], SPEC) == digest  # the same bytes, written anew
  assert digest_source(videos, ClipSpec(frames=30)) != digest


def metadata(**labels):
  table = {'dataset': ['d'] * len(labels), 'key': list(labels), 'label': list(labels.values())}
  return {'spec': SPEC.fields(), 'default_split': 'identity', 'clips': table, 'rejections': []}


def test_a_dataset_is_its_table():
  digests = [digest_dataset(metadata(**labels)) for labels in ({'a': 'real'}, {'a': 'real'}, {'a': 'fake'})]
  assert digests[0] == digests[1] != digests[2]
  lost = {**metadata(a='real'), 'rejections': [{'dataset': 'd', 'key': 'b', 'label': 'fake', 'reason': 'no_face'}]}
  assert digest_dataset(lost) != digests[0]


def test_changes_are_told_by_name(place):
  stored = metadata(**{'real/a.mp4': 'real', 'real/old.mp4': 'real'})
  stored['rejections'] = [{'dataset': 'd', 'key': 'fake/b.mp4', 'label': 'real'}]
  videos = [
    dataclasses.replace(video, dataset='d')
    for video in place(('real/a.mp4', 'blank'), ('fake/b.mp4', 'face'), ('fake/new.mp4', 'text'))
  ]
  assert tell_changes(stored, videos) == (
    '1 only in the dataset: real/old.mp4; 1 only in the folder: fake/new.mp4; 1 under another label: fake/b.mp4'
  )
  assert 'not all their content' in tell_changes(metadata(**{'real/a.mp4': 'real'}), videos[:1])
