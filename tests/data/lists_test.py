"""Lists as people's spreadsheets write them: each is read, or what is wrong is said with the line that it stands in."""

import codecs
import os
import unicodedata

import pytest

from lipfake_jax.core.errors import UserError
from lipfake_jax.data.lists import find_lists, find_named, read_list, similar_name

PLAIN = 'path,label\nr.mp4,real\nf.mp4,fake\n'
ROWS = [{'path': 'r.mp4', 'label': 'real'}, {'path': 'f.mp4', 'label': 'fake'}]


def write(folder, content):
  path = folder / 'list.csv'
  path.write_bytes(content if isinstance(content, bytes) else content.encode())
  return path


@pytest.mark.parametrize(
  'content',
  [
    PLAIN,
    codecs.BOM_UTF8 + PLAIN.encode(),
    PLAIN.encode('utf-16'),  # with its mark
    codecs.BOM_UTF16_BE + PLAIN.encode('utf-16-be'),
    PLAIN.encode('utf-32'),
    PLAIN.replace(',', ';'),
    PLAIN.replace(',', '\t'),
    PLAIN.replace(',', ' | '),
    'sep=,\n' + PLAIN,
    'sep=;\n' + PLAIN.replace(',', ';'),
    '"sep=^"\n' + PLAIN.replace(',', '^'),
    PLAIN.replace('path,label', 'Path, LABEL '),
    PLAIN.replace('path,label', '"path","label"').replace('r.mp4', '"r.mp4"'),
    PLAIN.replace('\n', '\r\n'),
    PLAIN.replace('\n', '\r'),
    '\n\n' + PLAIN.replace('\n', '\n\n') + ',\n',  # empty lines, and rows of empty cells
    PLAIN.replace('\n', ',,\n'),  # columns without a name
    PLAIN.rstrip(),
  ],
)
def test_every_way_to_write_a_list_is_read(tmp_path, content):
  table = read_list(write(tmp_path, content), ('path', 'label'))
  assert [{name: row[name] for name in ('path', 'label')} for _, row in table.rows] == ROWS


def test_lines_are_those_that_an_editor_shows(tmp_path):
  """Empty lines count, and a cell of two lines makes the next row begin a line later."""
  content = 'label,notes,path\n\nreal,,r.mp4\n\nfake,"two\nlines",f.mp4\nfake,,g.mp4\n'
  table = read_list(write(tmp_path, content), ('path', 'label'))
  assert [(line, row['path']) for line, row in table.rows] == [(3, 'r.mp4'), (5, 'f.mp4'), (7, 'g.mp4')]
  assert table.rows[1][1]['notes'] == 'two\nlines'


def test_a_row_may_end_early(tmp_path):
  assert read_list(write(tmp_path, 'path,label,split\na.mp4,real\n'), ('path',)).rows[0][1]['split'] == ''


@pytest.mark.parametrize(
  ('content', 'message'),
  [
    (PLAIN.encode() + 'café.mp4,real'.encode('latin-1'), r'line 4: .*utf-8.* 0xe9 .*: save the list as UTF-8'),
    ('path,label\rcafé.mp4,real'.encode('latin-1'), 'line 2: .*save the list as UTF-8'),
    (PLAIN.encode('utf-16')[:-1], 'line 3: .*utf-16.*: save the list as UTF-8'),
    (PLAIN.encode('utf-16-le'), 'line 1: this is no text in UTF-8'),  # without its mark
    (b'PK\x03\x04\0\0', 'line 1: this is no text in UTF-8'),  # a spreadsheet's own file
    ('path,label\na.mp4,"real\nb.mp4,fake\n', 'line 2: .*a quotation mark that opens or closes nothing'),
    (
      'path,label\n\na, b.mp4,real\n',
      'line 3: 3 cells where the header names 2 columns: .* belongs in quotation marks',
    ),
    ('path;name\na.mp4;real', r"lacks the column label; it has \['path', 'name'\]"),
    ('', r'lacks the column label and path; it has \[\]'),
    ('path,label,Path\n', 'has the column path more than once'),
  ],
)
def test_what_can_not_be_read_is_said_with_its_line(tmp_path, content, message):
  with pytest.raises(UserError, match=message):
    read_list(write(tmp_path, content), ('path', 'label'))


def test_lists_are_found_in_any_case_and_hidden_ones_are_not(tmp_path):
  for name in ('LIST.CSV', 'b.Tsv', '._list.csv', 'notes.txt'):
    (tmp_path / name).touch()
  (tmp_path / 'folder.csv').mkdir()
  assert [path.name for path in find_lists(tmp_path)] == ['LIST.CSV', 'b.Tsv']


@pytest.mark.parametrize(('on_disk', 'in_list'), [('NFD', 'NFC'), ('NFC', 'NFD'), ('NFC', 'NFC')])
def test_a_name_is_found_in_either_form_of_unicode(tmp_path, on_disk, in_list):
  name = unicodedata.normalize(on_disk, 'é/café.mp4')
  (tmp_path / name).parent.mkdir()
  (tmp_path / name).touch()
  assert find_named(tmp_path, unicodedata.normalize(in_list, 'é/café.mp4')) == tmp_path / name


def test_names_are_paths_of_either_system(tmp_path):
  (tmp_path / 'a').mkdir()
  (tmp_path / 'a' / 'v.mp4').touch()
  os.mkfifo(tmp_path / 'pipe.mp4')
  for name in ('a/v.mp4', './a/v.mp4', 'a\\v.mp4', 'a/../a/v.mp4', str(tmp_path / 'a' / 'v.mp4')):
    assert find_named(tmp_path, name).samefile(tmp_path / 'a' / 'v.mp4')
  for name in ('a', 'b.mp4', 'a/V.mp4', 'pipe.mp4'):
    assert find_named(tmp_path, name) is None
  assert similar_name(tmp_path, 'a/V.MP4') == 'v.mp4'
  assert similar_name(tmp_path, 'a/w.mp4') == ''
