"""Which files of a user are taken for videos, and what is told of the rest."""

import contextlib
import os
import shutil
import socket
import tempfile
from pathlib import Path

import numpy as np
import pytest

from data_builders.conftest import touch
from lipfake_jax.core.errors import UserError
from lipfake_jax.data.files import (
  IS_CLOSED,
  IS_HIDDEN,
  IS_NO_VIDEO,
  IS_SPECIAL,
  expand_source,
  find_files,
  find_sources,
  find_videos,
)
from tests.conftest import write_video


@pytest.fixture(scope='module')
def film(tmp_path_factory) -> bytes:
  """A short video."""
  path = tmp_path_factory.mktemp('film') / 'v.ts'
  return write_video(path, make_noise(12), codec='mpeg2video').read_bytes()


def make_noise(frames: int) -> np.ndarray:
  return np.random.default_rng(0).integers(0, 255, (frames, 32, 32, 3), np.uint8)


def names(paths, root: Path) -> list[str]:
  return [path.relative_to(root).as_posix() for path in paths]


def test_videos_are_known_by_their_suffix_in_any_case(tmp_path):
  touch(tmp_path, 'b/x.MP4', 'a.webm', 'c/d/e.gif')
  (tmp_path / 'folder.mp4').mkdir()
  assert [path.name for path in find_videos(tmp_path)] == ['a.webm', 'x.MP4', 'e.gif']


def test_files_of_other_names_are_looked_into(tmp_path, film):
  for name in ('a.ts', 'b.MTS', 'c.wmv', 'd', 'e.mp4.part', 'f.txt'):
    (tmp_path / name).write_bytes(film)
  for name in ('g.txt', 'h.ts', 'i.csv'):
    (tmp_path / name).write_text('export const words = "and no video"\n' * 99)
  (tmp_path / 'j.bin').write_bytes(bytes(range(256)) * 500)
  touch(tmp_path, 'k.ts')
  found = find_videos(tmp_path)
  assert names(found, tmp_path) == ['a.ts', 'b.MTS', 'c.wmv', 'd', 'e.mp4.part', 'f.txt']
  assert found.named(tmp_path) == {IS_NO_VIDEO: ['g.txt', 'h.ts', 'i.csv', 'j.bin', 'k.ts']}


def test_a_picture_is_no_video_and_an_animation_is(tmp_path):
  write_video(tmp_path / 'still.png', make_noise(1), codec='png', pix_fmt='rgb24', update='1')
  write_video(tmp_path / 'still.jpg', make_noise(1), codec='mjpeg', pix_fmt='yuvj420p', update='1')
  write_video(tmp_path / 'moving.apng', make_noise(3), codec='apng', pix_fmt='rgb24')
  assert names(find_videos(tmp_path), tmp_path) == ['moving.apng']


def test_what_is_hidden_is_left_out_with_all_that_is_in_it(tmp_path, film):
  shown = ('real/a.mp4', 'real/_b.mp4', 'real/trash/c.mp4')
  hidden = ('real/.Trash-0', 'real/.Trash-1000', 'real/@eaDir', '__MACOSX', 'lost+found', '$RECYCLE.BIN', '.git')
  for name in (*shown, 'real/._a.mp4', '.hidden.mp4', *(f'{folder}/files/x.mp4' for folder in hidden)):
    touch(tmp_path, name)
    (tmp_path / name).write_bytes(film)
  found = find_videos(tmp_path)
  assert names(found, tmp_path) == sorted(shown)
  assert found.named(tmp_path) == {IS_HIDDEN: sorted([*hidden, '.hidden.mp4', 'real/._a.mp4'])}
  assert names(find_videos(tmp_path / 'real' / '.Trash-0'), tmp_path) == ['real/.Trash-0/files/x.mp4']  # named outright


def test_only_files_are_read_and_nothing_is_waited_for(tmp_path, film):
  (tmp_path / 'a.mp4').write_bytes(film)
  (tmp_path / 'link.mp4').symlink_to(tmp_path / 'a.mp4')
  os.mkfifo(tmp_path / 'pipe.mp4')
  (tmp_path / 'loop.mp4').symlink_to(tmp_path / 'loop.mp4')
  (tmp_path / 'lost.mp4').symlink_to(tmp_path / 'nowhere.mp4')
  (tmp_path / 'zero.mp4').symlink_to('/dev/zero')
  (tmp_path / 'pipe_too.mp4').symlink_to(tmp_path / 'pipe.mp4')
  with socket.socket(socket.AF_UNIX) as server:
    server.bind(str(tmp_path / 'socket.mp4'))
    found = find_videos(tmp_path)
  assert names(found, tmp_path) == ['a.mp4', 'link.mp4']
  special = ['loop.mp4', 'lost.mp4', 'pipe.mp4', 'pipe_too.mp4', 'socket.mp4', 'zero.mp4']
  assert found.named(tmp_path) == {IS_SPECIAL: special}


def test_linked_folders_are_followed_and_circles_end(tmp_path):
  touch(tmp_path, 'disk/part/b.mp4', 'set/a.mp4')
  (tmp_path / 'set' / 'linked').symlink_to(tmp_path / 'disk')
  (tmp_path / 'disk' / 'part' / 'back').symlink_to(tmp_path / 'set')
  (tmp_path / 'set' / 'itself').symlink_to(tmp_path / 'set' / 'itself')
  found = find_files(tmp_path / 'set')
  assert names(found, tmp_path) == ['set/a.mp4', 'set/linked/part/b.mp4']
  assert found.named(tmp_path) == {IS_SPECIAL: ['set/itself']}


@contextlib.contextmanager
def as_nobody():
  """Rights as most users have them: root may open everything."""
  before = os.geteuid()
  if before == 0:
    os.seteuid(65534)
  try:
    yield
  finally:
    os.seteuid(before)


def test_a_folder_that_can_not_be_entered_is_told(film):
  root = Path(tempfile.mkdtemp())
  try:
    for name in ('open/a.mp4', 'open/b.dat', 'closed/c.mp4', 'blind/d.mp4'):
      touch(root, name)
      (root / name).write_bytes(film)
    for name, mode in (('open/b.dat', 0), ('closed', 0), ('blind', 0o400), ('', 0o755)):
      os.chmod(root / name, mode)
    with as_nobody():
      found = find_videos(root)
    assert names(found, root) == ['open/a.mp4']
    assert found.named(root) == {IS_CLOSED: ['blind', 'closed', 'open/b.dat']}
  finally:
    for name in ('closed', 'blind'):
      os.chmod(root / name, 0o755)
    shutil.rmtree(root)


@pytest.mark.parametrize(
  ('source', 'meant'),
  [
    ('a.mp4', ['a.mp4']),
    ('folder', ['folder']),
    ('a.mp4,b.mp4', ['a.mp4', 'b.mp4']),
    ('a.mp4, b.mp4,', ['a.mp4', 'b.mp4']),
    (',a.mp4', ['a.mp4']),
    ('interview, part 2.mp4', ['interview, part 2.mp4']),
    ('a.mp4,interview, part 2.mp4,b.mp4', ['a.mp4', 'interview, part 2.mp4', 'b.mp4']),
    ('[1].mp4', ['[1].mp4']),
    ('[ab].mp4', ['a.mp4', 'b.mp4']),
    ('?.mp4,folder/*', ['a.mp4', 'b.mp4', 'folder/c.mp4']),
    ('**/c.mp4', ['folder/c.mp4']),
    ('~/a.mp4', ['HOME/a.mp4']),
    ('~/?.mp4', ['HOME/a.mp4', 'HOME/b.mp4']),
    ('~x.mp4', ['~x.mp4']),
    ('23:50.mp4', ['23:50.mp4']),
    ('http:x.mp4', ['http:x.mp4']),
  ],
)
def test_what_an_argument_means(tmp_path, monkeypatch, source, meant):
  touch(
    tmp_path, 'a.mp4', 'b.mp4', 'interview, part 2.mp4', '[1].mp4', 'folder/c.mp4', '~x.mp4', '23:50.mp4', 'http:x.mp4'
  )
  monkeypatch.chdir(tmp_path)
  monkeypatch.setenv('HOME', str(tmp_path))
  assert [str(path) for path in expand_source(source)] == [name.replace('HOME', str(tmp_path)) for name in meant]


@pytest.mark.parametrize(
  ('source', 'message'),
  [
    ('https://example.org/a.mp4', '^https://example.org/a.mp4: addresses are not read: download the video'),
    ('a.mp4,rtsp://camera/1', '^rtsp://camera/1: addresses are not read'),
    ('file:///a.mp4', '^file:///a.mp4: addresses are not read'),
    ('none.mp4', '^none.mp4: no such file or folder'),
    ('a.mp4,none.mp4', '^none.mp4: no such file or folder'),
    ('none*.mp4', r'^none\*.mp4: no such file or folder'),
    ('', '^an empty name: no such file or folder'),
    (',', '^an empty name: no such file or folder'),
    ('n' * 5000, 'no such file or folder'),
    ('~nobody_has_this_name/a.mp4', '^~nobody_has_this_name/a.mp4: no such file or folder'),
    ('notes', r'^notes: no video in this folder\n1 files that hold no video, left out: n.txt'),
    ('pipe.mp4', r'^no video\n1 pipes, sockets, devices and links that lead nowhere, left out: pipe.mp4'),
  ],
)
def test_what_means_nothing_is_told(tmp_path, monkeypatch, source, message):
  touch(tmp_path, 'a.mp4', 'notes/n.txt')
  os.mkfifo(tmp_path / 'pipe.mp4')
  monkeypatch.chdir(tmp_path)
  with pytest.raises(UserError, match=message):
    find_sources([source])


def test_several_arguments_are_one_list_without_doubles(tmp_path, monkeypatch):
  touch(tmp_path, 'a.mp4', 'folder/b.mp4', 'folder/.c.mp4', 'notes.txt')
  os.mkfifo(tmp_path / 'pipe.mp4')
  monkeypatch.chdir(tmp_path)
  found = find_sources(['folder', 'a.mp4', '*.mp4', './a.mp4', 'notes.txt'])
  assert [str(path) for path in found] == ['folder/b.mp4', 'a.mp4', 'notes.txt']  # what is named is tried
  assert found.named() == {IS_HIDDEN: ['folder/.c.mp4'], IS_SPECIAL: ['pipe.mp4']}
