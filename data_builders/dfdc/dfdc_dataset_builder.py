"""DFDC, the Deepfake Detection Challenge's training parts, each with its metadata.json (PAPER section 9)."""

import json
from pathlib import Path

from lipfake_jax.core.errors import UserError
from lipfake_jax.core.vocabulary import VideoRecord
from lipfake_jax.data.builder import LipClipBuilder
from lipfake_jax.data.files import find_files, find_videos
from lipfake_jax.data.listing import Listing, read_instructions, wrong_layout

METADATA = 'metadata.json'
LABELS = {'REAL': 'real', 'FAKE': 'fake'}
PARTS = {'train': 'train', 'validation': 'validation', 'val': 'validation', 'test': 'test'}
ALL_PARTS = 'dfdc_train_part_*'


class Builder(LipClipBuilder):
  """`--manual_dir` is a folder with some or all parts. Persons are not told: the original takes their place."""

  MANUAL_DOWNLOAD_INSTRUCTIONS = read_instructions('dfdc')
  PUBLISHED = {(ALL_PARTS, 'real'): 19_154, (ALL_PARTS, 'fake'): 100_000}  # Dolhansky et al. 2020, section 3

  def list_videos(self, root: Path) -> Listing:
    """The videos that a metadata.json in their folder names."""
    tables = [path for path in find_files(root) if path.name == METADATA]
    if not tables:
      raise wrong_layout(root, f'{METADATA} in any of its folders')
    videos, absent, listed = [], [], set()
    for table in tables:
      for name, entry in _read_metadata(table).items():
        path = table.parent / name
        listed.add(path)
        if path.is_file():
          videos.append(_record(path, root, entry, table))
        else:
          absent.append(path.relative_to(root).as_posix())
    files = find_videos(root)
    unlisted = [path.relative_to(root).as_posix() for path in files if path not in listed]
    notes = {
      f'entries of {METADATA} without a file': absent,
      f'files that no {METADATA} names, left out for want of a label': unlisted,
      **files.named(root),
    }
    return Listing(videos, notes)


def _read_metadata(table: Path) -> dict[str, dict[str, str]]:
  try:
    return dict(json.loads(table.read_text()))
  except (ValueError, TypeError) as error:
    raise UserError(f'{table}: it is not {{file: {{"label": ..., "original": ...}}}}: {error}') from error


def _record(path: Path, root: Path, entry: dict[str, str], table: Path) -> VideoRecord:
  label = LABELS.get(entry.get('label', ''))
  if label is None:
    raise UserError(f'{table}: the label of {path.name} is {entry.get("label")!r}, neither REAL nor FAKE')
  original = entry.get('original') or '' if label == 'fake' else ''
  return VideoRecord(
    path=path,
    key=path.relative_to(root).as_posix(),
    label=label,
    identity=Path(original or path.name).stem,
    method='original' if label == 'real' else 'DFDC',
    original=(path.parent / original).relative_to(root).as_posix() if original else '',
    official=PARTS.get(entry.get('split', ''), ''),
    folder=ALL_PARTS,
  )
