"""A user's own videos: a folder with real/ and fake/, or a CSV."""

import csv
from pathlib import Path

from lipfake_jax.errors import UserError
from lipfake_jax.lip_clip_builder import LABELS, LipClipBuilder, VideoRecord, read_instructions
from lipfake_jax.splits import PARTS, identity_split
from lipfake_jax.video import VIDEO_SUFFIXES

COLUMNS = ('path', 'label', 'identity', 'method', 'split')


class Builder(LipClipBuilder):
  """`--manual_dir` is the folder. Where identities are known, no person is in two parts."""

  MANUAL_DOWNLOAD_INSTRUCTIONS = read_instructions(__file__)

  def list_videos(self, root: Path) -> list[VideoRecord]:
    """The rows of the folder's CSV if it has one, else its videos below real/ and fake/."""
    tables = sorted(root.glob('*.csv'))
    if len(tables) > 1:
      raise UserError(
        f'{root} holds {len(tables)} CSV files ({", ".join(t.name for t in tables)}): keep the one to read'
      )
    return _from_table(tables[0]) if tables else _from_folders(root)


def _from_folders(root: Path) -> list[VideoRecord]:
  records, unlabelled = [], []
  for path in sorted(p for p in root.rglob('*') if p.suffix.lower() in VIDEO_SUFFIXES):
    key = path.relative_to(root).as_posix()
    labels = [part.lower() for part in path.relative_to(root).parent.parts if part.lower() in LABELS]
    if not labels:
      unlabelled.append(key)
      continue
    method = 'original' if labels[-1] == 'real' else ''
    records.append(VideoRecord(path, key, labels[-1], identity_split(key), method=method))
  if unlabelled:
    print(
      f'warning: {len(unlabelled)} videos lie outside of real/ and fake/ and are left out, the first: {unlabelled[0]}'
    )
  return records


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
    split=split or identity_split(cells['identity'] or cells['path']),
    identity=cells['identity'],
    method=cells['method'] or ('original' if label == 'real' else ''),
  )
