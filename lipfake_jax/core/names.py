"""Names of files as they may be shown: a name is any bytes, and a terminal obeys some of them."""

import unicodedata
from collections.abc import Mapping, Sequence

# Control characters, bytes that are no UTF-8 (surrogates, as Python reads them), breaks of lines and paragraphs, and
# format characters, which among other things turn the direction of writing.
UNSEEN = ('Cc', 'Cs', 'Zl', 'Zp', 'Cf')
JOINERS = '\u200c\u200d'  # format characters too, but letters of some languages, and emoji, are joined by them

# Hidden, beside what begins with a dot: what storage devices and systems put into folders, their trash among it.
HIDDEN = (
  '@eadir', '@recycle', '@recently-snapshot', '@tmp', '#recycle', '#snapshot', '$recycle.bin', 'recycler', '__macosx',
  'lost+found', 'system volume information',
)  # fmt: skip
EXAMPLES = 3  # names given in a message for many


def printable(name: str) -> str:
  """A name with its invisible characters and broken bytes written out, as in 'caf\\xe9' or 'a\\x1b[31m'.

  It has one line and is valid in UTF-8, so in JSON, HTML and CSV too; other names stay as they are.
  """
  return ''.join(_escape(c) if unicodedata.category(c) in UNSEEN and c not in JOINERS else c for c in name)


def printable_lines(text: str) -> str:
  """`printable` for a text of several lines, which stay lines."""
  return '\n'.join(printable(line) for line in text.split('\n'))


def is_hidden(name: str) -> bool:
  """Whether a file or folder is not meant to be seen, by its name."""
  return name.startswith('.') or name.lower() in HIDDEN


def note_lines(notes: Mapping[str, Sequence[str]]) -> list[str]:
  """For each kind in words the number of its names, and the first of them: for people."""
  return [f'{len(names)} {kind}: {shorten(names)}' for kind, names in notes.items() if names]


def shorten(names: Sequence[str]) -> str:
  """The first of many names."""
  return ', '.join(map(printable, names[:EXAMPLES])) + (', ...' if len(names) > EXAMPLES else '')


def _escape(character: str) -> str:
  byte = ord(character) - 0xDC00
  return f'\\x{byte:02x}' if 0x80 <= byte <= 0xFF else character.encode('unicode_escape').decode()
