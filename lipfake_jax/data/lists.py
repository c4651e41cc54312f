"""Lists that people write: tables as text, out of any spreadsheet.

In: a file. Out: a `Table`, its columns in small letters and each row with the line that it begins in. Next stages: the
builders that take labels and names from it.

Commas, semicolons, tabs and bars separate, and a line `sep=;` above the header may say which. The encoding is UTF-8, or
UTF-16 and UTF-32 with their byte order mark; a list in another is refused, since nothing in it tells which one it is.
"""

import codecs
import csv
import dataclasses
import io
import os
import re
import unicodedata
from collections.abc import Collection, Iterator
from pathlib import Path

from lipfake_jax.core.errors import UserError

SUFFIXES = ('.csv', '.tsv')  # in any case of their letters
DELIMITERS = ',;\t|'
SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[,;\s]*', re.IGNORECASE)
LINE_END = re.compile(r'\r\n|\r|\n')
MARKS = {  # the longer ones first: UTF-32's begins as UTF-16's does
  codecs.BOM_UTF32_LE: 'utf-32',
  codecs.BOM_UTF32_BE: 'utf-32',
  codecs.BOM_UTF8: 'utf-8-sig',
  codecs.BOM_UTF16_LE: 'utf-16',
  codecs.BOM_UTF16_BE: 'utf-16',
}
Line = tuple[int, list[str]]


@dataclasses.dataclass(frozen=True)
class Table:
  """The columns of a list, and its rows as (line, cells by column): lines count from 1, empty rows are left out."""

  columns: list[str]
  rows: list[tuple[int, dict[str, str]]]


def find_lists(folder: Path) -> list[Path]:
  """The lists that lie in a folder, hidden ones left out, sorted."""
  return sorted(
    path
    for path in folder.iterdir()
    if path.suffix.lower() in SUFFIXES and not path.name.startswith('.') and path.is_file()
  )


def read_list(path: Path, needed: Collection[str]) -> Table:
  """Reads a list whose header has the columns `needed`, in any order and any case of their letters.

  Raises:
    UserError: it can't be read, is no text, lacks a column, names one twice, or a row has more cells than the header.
  """
  text = _decode(path)
  first, *more = [line for line in text.splitlines() if line.strip()] or ['']
  named = SEPARATOR_LINE.fullmatch(first) if more else None
  header = more[0] if named else first
  delimiter = named[1] if named else max(DELIMITERS, key=lambda d: _known(_cells(header, d), needed))
  lines = [(line, cells) for line, cells in _split(path, text, delimiter) if any(cells)]
  if named:
    del lines[0]
  columns = _check_header(path, lines[0][1] if lines else [], needed)
  return Table(columns, [_name_cells(path, line, columns) for line in lines[1:]])


def find_named(folder: Path, name: str) -> Path | None:
  """The file that a list calls by this path, absolute or below the folder; None where there is none.

  A name is found in either form of Unicode (composed as most systems write it, decomposed as macOS does), and with the
  separators of Windows.
  """
  for spelled in dict.fromkeys((name, name.replace('\\', '/'))):
    place = folder
    for part in Path(spelled).parts:
      place = _step(place, part)
    if place.is_file():
      return place
  return None


def similar_name(folder: Path, name: str) -> str:
  """What lies there under this name but for the case of its letters, '' if nothing does."""
  place = folder / name
  held = os.listdir(place.parent) if place.parent.is_dir() else []
  return next((other for other in sorted(held) if _folded(other) == _folded(place.name)), '')


def _step(place: Path, part: str) -> Path:
  if part in ('.', '..') or (place / part).exists() or not place.is_dir():
    return place / part
  composed = unicodedata.normalize('NFC', part)
  return place / next((name for name in os.listdir(place) if unicodedata.normalize('NFC', name) == composed), part)


def _folded(name: str) -> str:
  return unicodedata.normalize('NFC', name).casefold()


def _decode(path: Path) -> str:
  try:
    data = path.read_bytes()
  except OSError as error:
    raise UserError(f'{path} cannot be read: {error.strerror}') from error
  encoding = next((name for mark, name in MARKS.items() if data.startswith(mark)), 'utf-8')
  try:
    text = data.decode(encoding)
  except UnicodeError as error:
    line = _last_line(data[: getattr(error, 'start', 0)].decode(encoding, 'ignore'))
    raise UserError(
      f'{path}, line {line}: {error}: save the list as UTF-8 (spreadsheets call it "CSV UTF-8")'
    ) from error
  if '\0' in text:
    line = _last_line(text.partition('\0')[0])
    raise UserError(f'{path}, line {line}: this is no text in UTF-8: save the list as UTF-8 (not as a spreadsheet)')
  return text


def _last_line(text: str) -> int:
  return len(LINE_END.split(text))


def _split(path: Path, text: str, delimiter: str) -> Iterator[Line]:
  """The rows as CSV has them, each with the line that it begins in."""
  reader, line = csv.reader(io.StringIO(text, newline=''), delimiter=delimiter, strict=True), 1
  try:
    for cells in reader:
      yield line, [cell.strip() for cell in cells]
      line = reader.line_num + 1
  except csv.Error as error:
    raise UserError(f'{path}, line {line}: {error}: look for a quotation mark that opens or closes nothing') from error


def _cells(line: str, delimiter: str) -> list[str]:
  return [cell.strip().strip('"').strip().lower() for cell in line.split(delimiter)]


def _known(cells: Collection[str], needed: Collection[str]) -> tuple[int, int]:
  """How well a header is split: by the columns that are needed, then by the number of cells."""
  return sum(name in cells for name in needed), len(cells)


def _check_header(path: Path, header: list[str], needed: Collection[str]) -> list[str]:
  columns = [name.lower() for name in header]
  if missing := sorted(set(needed) - set(columns)):
    raise UserError(f'{path}: lacks the column {" and ".join(missing)}; it has {header}')
  if doubles := sorted({name for name in columns if name and columns.count(name) > 1}):
    raise UserError(f'{path}: has the column {" and ".join(doubles)} more than once')
  return columns


def _name_cells(path: Path, row: Line, columns: list[str]) -> tuple[int, dict[str, str]]:
  line, cells = row
  if any(cells[len(columns) :]):
    raise UserError(
      f'{path}, line {line}: {len(cells)} cells where the header names {len(columns)} columns: a cell that holds the'
      ' separator belongs in quotation marks'
    )
  return line, dict(zip(columns, [*cells, *[''] * (len(columns) - len(cells))], strict=False))
