"""A user's own videos: labels by folder, or everything by a CSV."""

import os
import shutil

import numpy as np
import pytest

from data_builders.conftest import touch
from lipfake_jax.core.errors import UserError
from lipfake_jax.data.builder import create_builder
from lipfake_jax.data.listing import layout_table
from lipfake_jax.demo.videos import encode_video
from tests.conftest import write_video


@pytest.fixture
def survey(tmp_path):
  """What video_folder finds below a folder."""
  return create_builder('video_folder', data_dir=str(tmp_path / 'unused')).survey


@pytest.fixture
def listed(survey):
  """Its videos by key."""
  return lambda root: {video.key: video for video in survey(root).videos}


def test_folders_name_the_label_at_any_depth(tmp_path, survey):
  names = ['real/a.mp4', 'set 1/Fake/deep/b.MOV', 'set 1/real/a.mp4', 'notes/real/fake/c.avi', 'real/readme.txt']
  listing = survey(touch(tmp_path / 'v', *names, 'stray.mp4'))
  labels = {video.key: video.label for video in listing.videos}
  # Equal file names in two folders are two videos; of nested names the deepest counts.
  assert labels == {
    'real/a.mp4': 'real', 'set 1/Fake/deep/b.MOV': 'fake', 'set 1/real/a.mp4': 'real', 'notes/real/fake/c.avi': 'fake',
  }  # fmt: skip
  assert '1 videos outside of real/ and fake/, left out: stray.mp4' in layout_table(listing, {})


def test_a_table_names_everything(tmp_path, listed):
  root = touch(tmp_path / 'v', 'a.mp4', 'b/c.mp4', 'd.mp4')
  rows = [
    'path,label,identity,second_identity,method,original,split',
    'a.mp4,Real,anna,,,,validation',
    'b/c.mp4,fake,anna,ben,FaceSwap,a.mp4,',
    'd.mp4,fake,,,,,',
  ]
  (root / 'list.csv').write_text('\n'.join(rows))
  records = listed(root)
  real, fake = records['a.mp4'], records['b/c.mp4']
  assert (real.path, real.label, real.identity, real.method) == (root / 'a.mp4', 'real', 'anna', 'original')
  assert (real.official, fake.official) == ('validation', '')
  assert (fake.identity, fake.second_identity, fake.method, fake.original) == ('anna', 'ben', 'FaceSwap', 'a.mp4')
  assert (records['d.mp4'].identity, records['d.mp4'].method) == ('', '')


@pytest.mark.parametrize('second', ['a.mp4', './a.mp4', 'x/../a.mp4', 'x//../x/.././a.mp4'])
def test_a_file_that_stands_twice_in_a_list_is_told(tmp_path, listed, second):
  root = touch(tmp_path / 'v', 'a.mp4', 'x/b.mp4')
  (root / 'list.csv').write_text(f'path,label\na.mp4,real\n{second},fake')
  with pytest.raises(UserError, match=r'1 videos are listed twice \(video_folder/a.mp4\): list each file once'):
    listed(root)


def test_one_content_with_both_labels_is_refused(tmp_path, listed):
  root = tmp_path / 'v'
  video = root / 'real' / 'a.mp4'
  encode_video(video, np.zeros((2, 16, 16, 3), np.uint8), 'libx264', {})
  (root / 'fake').mkdir()
  shutil.copy(video, root / 'fake' / 'b.mp4')
  with pytest.raises(UserError, match=r'labelled both real and fake:\s+fake/b.mp4 \(fake\) = real/a.mp4 \(real\)'):
    listed(root)


@pytest.mark.parametrize(
  ('table', 'message'),
  [
    ('path,label\na.mp4,genuine', r'line 2: label .genuine. is neither real nor fake'),
    ('path,label\n\na.mp4,real\n\nnone.mp4,real', 'line 5: there is no file .*none.mp4'),
    ('path,label\nA.MP4,real', "line 2: there is no file .*A.MP4; 'a.mp4' lies there: capital letters count"),
    ('path,label\n,real', 'line 2: the path is empty'),
    (f'path,label\n{"a" * 300},real', 'line 2: .* cannot be looked at: File name too long'),
    ('file,label\na.mp4,real', r"lacks the column path; it has \['file', 'label'\]"),
    ('path,label,split\na.mp4,real,dev', r'line 2: split .dev. is none of train, validation, test'),
  ],
)
def test_a_bad_list_names_the_line(tmp_path, listed, table, message):
  root = touch(tmp_path / 'v', 'a.mp4')
  (root / 'list.csv').write_text(table)
  with pytest.raises(UserError, match=message):
    listed(root)


def test_what_is_left_out_is_told_by_reason(survey, tmp_path):
  """The trash is no training example, a pipe is not waited for, and a video is one under any suffix."""
  noise = np.random.default_rng(0).integers(0, 255, (12, 32, 32, 3), np.uint8)
  film = write_video(tmp_path / 'film.ts', noise, codec='mpeg2video').read_bytes()
  root = tmp_path / 'v'
  for name in ('real/a.mp4', 'real/b.wmv', 'fake/c.MTS', 'fake/d', 'real/.Trash-0/files/e.mp4', 'fake/._c.MTS'):
    touch(root, name)
    (root / name).write_bytes(film + name.encode())  # one content has one label
  (root / 'fake' / 'notes.txt').write_text('no video')
  os.mkfifo(root / 'real' / 'cam.mp4')
  listing = survey(root)
  assert [video.key for video in listing.videos] == ['fake/c.MTS', 'fake/d', 'real/a.mp4', 'real/b.wmv']
  table = layout_table(listing, {})
  assert '2 hidden files and folders, left out: fake/._c.MTS, real/.Trash-0' in table
  assert '1 pipes, sockets, devices and links that lead nowhere, left out: real/cam.mp4' in table
  assert '1 files that hold no video, left out: fake/notes.txt' in table


def test_keys_are_valid_text_whatever_the_files_are_called(listed, tmp_path):
  root = touch(tmp_path / 'v', os.fsdecode(b'real/caf\xe9.mp4'), 'fake/a\nb\x1b[31m.mp4')
  assert list(listed(root)) == [r'fake/a\nb\x1b[31m.mp4', r'real/caf\xe9.mp4']


def test_what_a_list_leaves_out_is_told(tmp_path, survey):
  root = touch(tmp_path / 'v', 'a.mp4', 'b.mp4')
  (root / 'LIST.CSV').write_text('path;label;identiy\na.mp4;real;anna')
  listing = survey(root)
  assert [video.key for video in listing.videos] == ['a.mp4']
  text = layout_table(listing, {})
  assert '1 videos that LIST.CSV does not name, left out: b.mp4' in text
  assert '1 columns of LIST.CSV that are not read: identiy' in text


def test_two_lists_are_one_too_many(tmp_path, listed):
  with pytest.raises(UserError, match='holds 2 lists'):
    listed(touch(tmp_path / 'v', 'a.csv', 'b.TSV'))


def test_other_names_for_the_folders_are_told(tmp_path, listed):
  with pytest.raises(UserError, match=r'folders real and fake.* it holds fakes, reals[\s\S]*FOLDER/real/anna/001.mp4'):
    listed(touch(tmp_path / 'v', 'reals/a.mp4', 'fakes/b.mp4'))


def test_a_file_is_no_folder(tmp_path, listed):
  touch(tmp_path, 'list.csv')
  with pytest.raises(UserError, match=r'list\.csv is a file: name the folder that holds it'):
    listed(tmp_path / 'list.csv')
