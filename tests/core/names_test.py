"""Names as they are shown."""

import os

import pytest

from lipfake_jax.core.names import is_hidden, note_lines, printable, printable_lines, shorten


@pytest.mark.parametrize(
  ('name', 'shown'),
  [
    ('plain name.mp4', 'plain name.mp4'),
    ('café 日本 🙂.mp4', 'café 日本 🙂.mp4'),
    ('👨\u200d👩.mp4', '👨\u200d👩.mp4'),  # one picture of two, joined
    ('9\u202fPM.mov', '9\u202fPM.mov'),  # a narrow space, which some systems write into every name
    (os.fsdecode(b'caf\xe9.mp4'), r'caf\xe9.mp4'),
    (os.fsdecode(b'\xff\x80.mp4'), r'\xff\x80.mp4'),
    ('a\nb\t.mp4', r'a\nb\t.mp4'),
    ('\x1b[31mred\x07.mp4', r'\x1b[31mred\x07.mp4'),
    ('\x9b31m', r'\x9b31m'),  # the same sequence in one byte
    ('gpj\u202e4pm.exe', r'gpj\u202e4pm.exe'),  # reads backwards
    ('a\u2028b', r'a\u2028b'),
    ('\ud800', r'\ud800'),
    ('', ''),
  ],
)
def test_what_is_invisible_is_written_out(name, shown):
  assert printable(name) == shown
  shown.encode()  # valid in UTF-8


def test_lines_of_a_message_stay_lines():
  assert printable_lines('a\x1b\nb') == 'a\\x1b\nb'


def test_what_systems_put_into_folders_is_hidden():
  hidden = ['.Trash-0', '._a.mp4', '.DS_Store', '@eaDir', '__MACOSX', 'lost+found', '$RECYCLE.BIN', '#recycle']
  assert all(map(is_hidden, hidden))
  assert not any(map(is_hidden, ['a.mp4', 'trash', '_a.mp4', '@a.mp4', 'MACOSX', '#1.mp4', '$a.mp4']))


def test_many_names_are_counted_and_few_are_told():
  assert shorten(['a', 'b', 'c']) == 'a, b, c'
  assert shorten(['a', 'b', '\n', 'd']) == r'a, b, \n, ...'
  assert note_lines({'masked': ['a', 'b'], 'missing': []}) == ['2 masked: a, b']
