"""A user's own videos: a folder with real/ and fake/, or a CSV."""

import csv
from pathlib import Path

from lipfake_jax.core.errors import UserError
from lipfake_jax.core.vocabulary import LABELS, PARTS, VideoRecord
from lipfake_jax.data.builder import LipClipBuilder
from lipfake_jax.data.files import find_videos
from lipfake_jax.data.listing import Listing, read_instructions

COLUMNS = ('path', 'label', 'identity', 'second_identity', 'method', 'original', 'split')


class Builder(LipClipBuilder):
  """`--manual_dir` is the folder. Where identities are known, no person is in two parts."""

  MANUAL_DOWNLOAD_INSTRUCTIONS = read_instructions('video_folder')
  OWN_SPLIT = True

  def list_videos(self, root: Path) -> Listing:
    """The rows of the folder's CSV if it has one, else its videos below real/ and fake/."""
    tables = sorted(root.glob('*.csv'))
    if len(tables) > 1:
      raise UserError(
        f'{root} holds {len(tables)} CSV files ({", ".join(t.name for t in tables)}): keep the one to read'
      )
    return Listing(_from_table(tables[0])) if tables else _from_folders(root)


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
  return Listing(records, {'videos outside of real/ and fake/, left out': unlabelled, **files.named(root)})


def _from_table(table: Path) -> list[VideoRecord]:
  with open(table, newline='', encoding='utf-8-sig') as file:
    reader = csv.DictReader(file)
    missing = {'path', 'label'} - set(reader.fieldnames or ())
    if missing:
      raise UserError(
        f'{table}: lacks the column {" and ".join(sorted(missing))}; it has {reader.fieldnames}, known are {COLUMNS}'
      )
    return [_from_row(row, table, line) for line, row in enumerate(reader, start=2)]


def _from_row(row: dict[str, str], table: Path, line: int) -> VideoRecord:
  cells = {column: (row.get(column) or '').strip() for column in COLUMNS}
  label, split, path = cells['label'].lower(), cells['split'].lower(), table.parent / cells['path']
  if label not in LABELS:
    raise UserError(f'{table}, line {line}: label {cells["label"]!r} is neither real nor fake')
  if split not in ('', *PARTS):
    raise UserError(f'{table}, line {line}: split {cells["split"]!r} is none of {", ".join(PARTS)}')
  if not path.is_file():
    raise UserError(f'{table}, line {line}: there is no file {path}')
  return VideoRecord(
    path=path,
    key=cells['path'],
    label=label,
    identity=cells['identity'],
    second_identity=cells['second_identity'],
    method=cells['method'] or ('original' if label == 'real' else ''),
    original=cells['original'],
    official=split,
    folder=label,
  )
