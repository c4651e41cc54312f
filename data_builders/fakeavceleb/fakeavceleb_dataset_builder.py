"""FakeAVCeleb: real and fake video with real and fake audio (PAPER section 9)."""

import dataclasses
import re
from collections import Counter
from pathlib import Path

from lipfake_jax.core.errors import UserError
from lipfake_jax.core.vocabulary import VideoRecord
from lipfake_jax.data.builder import CONFIGS, LipClipBuilder, LipClipConfig
from lipfake_jax.data.files import find_videos, join_files
from lipfake_jax.data.listing import Listing, find_entry, read_instructions, wrong_layout
from lipfake_jax.data.lists import read_list

TABLE = 'meta_data.csv'
COLUMNS = ('source', 'target1', 'target2', 'method', 'type', 'race', 'gender', 'path')
POLICY = 'RealVideo-FakeAudio'  # real lips: whether that is a fake is for the user to say
FOLDERS = {
  'RealVideo-RealAudio': 'real',
  POLICY: '',
  'FakeVideo-RealAudio': 'fake',
  'FakeVideo-FakeAudio': 'fake',
}


@dataclasses.dataclass
class FakeAVCelebConfig(LipClipConfig):
  """fake_audio: the label of real lips with fake audio, 'real' or 'fake'; '' leaves them out."""

  fake_audio: str = ''


POLICIES = [
  FakeAVCelebConfig(name=f'{CONFIGS[0].name}_fake_audio_{label}', spec=CONFIGS[0].spec, fake_audio=label)
  for label in ('real', 'fake')
]


class Builder(LipClipBuilder):
  """`--manual_dir` is the folder that holds meta_data.csv and the four folders."""

  MANUAL_DOWNLOAD_INSTRUCTIONS = read_instructions('fakeavceleb')
  OTHER_CONFIGS = [*CONFIGS[1:], *POLICIES]
  PUBLISHED = {
    ('RealVideo-RealAudio', 'real'): 500,
    ('FakeVideo-RealAudio', 'fake'): 9_709,
    ('FakeVideo-FakeAudio', 'fake'): 10_857,
  }

  def list_videos(self, root: Path) -> Listing:
    """All videos of the four folders; real lips with fake audio by the config's policy."""
    table, places = find_entry(root, TABLE), {name: find_entry(root, name) for name in FOLDERS}
    if table is None or not any(places.values()):
      raise wrong_layout(root, TABLE if table is None else ' and '.join(FOLDERS))
    rows, doubles = _read_table(table)
    labels = {**FOLDERS, POLICY: getattr(self.builder_config, 'fake_audio', '')}
    videos, undecided, unlisted, seen = [], [], [], set()
    files = {folder: find_videos(place) for folder, place in places.items() if place}
    for folder, place in ((folder, place) for folder, place in places.items() if place):
      for path in files[folder]:
        name, key = f'{folder}/{path.relative_to(place).as_posix()}', path.relative_to(root).as_posix()
        seen.add(name)
        if name not in rows:
          unlisted.append(key)
        if not labels[folder]:
          undecided.append(key)
          continue
        videos.append(_record(path, key, folder, labels[folder], rows.get(name, {})))
    notes = {
      f'rows of {TABLE} that stand there more than once, counted once': doubles,
      f'rows of {TABLE} without a file': sorted(set(rows) - seen),
      f'files that {TABLE} does not name, kept by their folder': unlisted,
      f'videos of {POLICY} (real lips, fake audio), left out: the configs {", ".join(c.name for c in POLICIES)} label'
      ' them': undecided,
      **join_files(files.values()).named(root),
    }
    return Listing(videos, notes)


def _record(path: Path, key: str, folder: str, label: str, row: dict[str, str]) -> VideoRecord:
  persons = [row[name] for name in ('target1', 'target2') if re.fullmatch(r'id\d+', row.get(name, ''))]
  identity = row.get('source') or path.parent.name
  swapped = folder.startswith('FakeVideo')
  return VideoRecord(
    path=path,
    key=key,
    label=label,
    identity=identity,
    second_identity='+'.join(dict.fromkeys(p for p in persons if p != identity)) if swapped else '',
    method='original' if folder == 'RealVideo-RealAudio' else row.get('method', ''),
    folder=folder,
  )


def _read_table(table: Path) -> tuple[dict[str, dict[str, str]], list[str]]:
  """Its rows by the path that they stand for, and the paths that stand there more than once.

  The last column has no name and holds the folder, under a root of its own: only what follows the type is used.
  """
  found = read_list(table, COLUMNS)
  names = []
  for line, row in found.rows:
    folder = row[found.columns[-1]].replace('\\', '/').strip('/')
    if row['type'] not in FOLDERS or row['type'] not in folder.split('/'):
      raise UserError(f'{table}, line {line}: its type is {row["type"]!r}, its folder {folder!r}: they should agree')
    names.append(f'{folder[folder.index(row["type"]) :]}/{row["path"]}')
  doubles = sorted(name for name, count in Counter(names).items() if count > 1)
  return {name: row for name, (_, row) in zip(names, found.rows, strict=True)}, doubles
