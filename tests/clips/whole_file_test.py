"""Files that are there whole or not at all, and what a killed process leaves."""

import subprocess
import sys

import pytest

from lipfake_jax.clips import whole_file
from lipfake_jax.clips.whole_file import remove_abandoned, write_whole

KILLED = """
import os, pathlib, signal, sys
from lipfake_jax.clips.whole_file import write_whole
with write_whole(pathlib.Path(sys.argv[1])) as file:
  file.write(b'half')
  file.flush()
  os.kill(os.getpid(), signal.SIGKILL)
"""


def names(folder):
  return sorted(path.name for path in folder.rglob('*') if path.is_file())


def test_a_file_appears_when_it_is_written(tmp_path):
  with write_whole(tmp_path / 'sub' / 'a.bin') as file:
    file.write(b'whole')
    assert 'a.bin' not in names(tmp_path)
  assert names(tmp_path) == ['a.bin']
  assert (tmp_path / 'sub' / 'a.bin').read_bytes() == b'whole'


def test_a_file_that_fails_leaves_the_one_before_it(tmp_path):
  (tmp_path / 'a.bin').write_bytes(b'before')
  with pytest.raises(ZeroDivisionError), write_whole(tmp_path / 'a.bin') as file:
    file.write(bytes(1 // 0))
  assert names(tmp_path) == ['a.bin']
  assert (tmp_path / 'a.bin').read_bytes() == b'before'


def test_what_a_killed_process_left_is_removed_and_what_is_being_written_is_not(tmp_path):
  subprocess.run([sys.executable, '-c', KILLED, str(tmp_path / 'sub' / 'a.bin')], check=False)
  (tmp_path / 'other.bin').touch()
  assert len(names(tmp_path)) == 2
  with write_whole(tmp_path / 'sub' / 'b.bin') as file:
    remove_abandoned(tmp_path)
    assert [name.partition('.bin')[0] for name in names(tmp_path)] == ['b', 'other']
    file.write(b'whole')
  assert names(tmp_path) == ['b.bin', 'other.bin']


def test_a_writer_whose_new_file_is_taken_for_abandoned_makes_another(tmp_path, monkeypatch):
  """Another process looks just between the making of the file and its lock."""
  lock = whole_file.fcntl.flock

  def look_first(file, how):
    monkeypatch.setattr(whole_file.fcntl, 'flock', lock)
    remove_abandoned(tmp_path)
    lock(file, how)

  monkeypatch.setattr(whole_file.fcntl, 'flock', look_first)
  with write_whole(tmp_path / 'a.bin') as file:
    file.write(b'whole')
  assert (tmp_path / 'a.bin').read_bytes() == b'whole'
