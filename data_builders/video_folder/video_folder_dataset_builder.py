"""A user's own videos: a folder with real/ and fake/, or a list."""

import os
import unicodedata
from pathlib import Path

from lipfake_jax.core.errors import UserError
from lipfake_jax.core.names import shorten
from lipfake_jax.core.vocabulary import LABELS, PARTS, VideoRecord
from lipfake_jax.data.builder import LipClipBuilder
from lipfake_jax.data.files import find_videos
from lipfake_jax.data.listing import Listing, read_instructions, wrong_layout
from lipfake_jax.data.lists import find_lists, find_named, read_list, similar_name

COLUMNS = ('path', 'label', 'identity', 'second_identity', 'method', 'original', 'split')


class Builder(LipClipBuilder):
  """`--manual_dir` is the folder. Where identities are known, no person is in two parts."""

  MANUAL_DOWNLOAD_INSTRUCTIONS = read_instructions('video_folder')
  OWN_SPLIT = True

  def list_videos(self, root: Path) -> Listing:
    """The rows of the folder's list if it has one, else its videos below real/ and fake/."""
    lists = find_lists(root)
    if len(lists) > 1:
      raise UserError(
        f'{root} holds {len(lists)} lists ({shorten([path.name for path in lists])}): keep the one to read'
      )
    return _from_list(lists[0]) if lists else _from_folders(root)


def _from_folders(root: Path) -> Listing:
  records, unlabelled, files = [], [], find_videos(root)
  for path in files:
    key = path.relative_to(root).as_posix()
    labels = [part.lower() for part in path.relative_to(root).parent.parts if part.lower() in LABELS]
    if not labels:
      unlabelled.append(key)
      continue
    label = labels[-1]
    records.append(VideoRecord(path, key, label, method='original' if label == 'real' else '', folder=label))
  if unlabelled and not records:
    raise wrong_layout(root, f'a list and the folders real and fake, which say what its {len(unlabelled)} videos are')
  return Listing(records, {'videos outside of real/ and fake/, left out': unlabelled, **files.named(root)})


def _from_list(path: Path) -> Listing:
  table = read_list(path, ('path', 'label'))
  records = [_from_row(row, path, line) for line, row in table.rows]
  listed = {record.path.resolve() for record in records}
  unlisted = [video for video in find_videos(path.parent) if video.resolve() not in listed]
  notes = {
    f'videos that {path.name} does not name, left out': [v.relative_to(path.parent).as_posix() for v in unlisted],
    f'columns of {path.name} that are not read': [name for name in table.columns if name not in (*COLUMNS, '')],
  }
  return Listing(records, notes)


def _from_row(row: dict[str, str], table: Path, line: int) -> VideoRecord:
  cells = {column: row.get(column, '') for column in COLUMNS}
  label, split = cells['label'].lower(), cells['split'].lower()
  if label not in LABELS:
    raise UserError(f'{table}, line {line}: label {cells["label"]!r} is neither real nor fake')
  if split not in ('', *PARTS):
    raise UserError(f'{table}, line {line}: split {cells["split"]!r} is none of {", ".join(PARTS)}')
  return VideoRecord(
    path=_find_video(cells['path'], table, line),
    key=_to_key(cells['path']),
    label=label,
    identity=cells['identity'],
    second_identity=cells['second_identity'],
    method=cells['method'] or ('original' if label == 'real' else ''),
    original=_to_key(cells['original']),
    official=split,
    folder=label,
  )


def _find_video(name: str, table: Path, line: int) -> Path:
  if not name:
    raise UserError(f'{table}, line {line}: the path is empty')
  try:
    path, other = find_named(table.parent, name), similar_name(table.parent, name)
  except OSError as error:
    raise UserError(f'{table}, line {line}: {table.parent / name} cannot be looked at: {error.strerror}') from error
  if path is None:
    hint = f'; {other!r} lies there: capital letters count' if other else ''
    raise UserError(f'{table}, line {line}: there is no file {table.parent / name}{hint}')
  return path


def _to_key(name: str) -> str:
  """The one spelling of a path: without detours, and composed, as Unicode calls it."""
  return unicodedata.normalize('NFC', os.path.normpath(name)) if name else ''
