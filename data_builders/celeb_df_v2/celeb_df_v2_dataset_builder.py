"""Celeb-DF v2: celebrities, and face swaps among them."""

import re
from pathlib import Path

from lipfake_jax.errors import UserError
from lipfake_jax.lip_clip_builder import LipClipBuilder, VideoRecord, read_instructions
from lipfake_jax.splits import identity_split

# id<target>_<take> and id<target>_id<source>_<take>: whose video it is, and whose face was put in.
NAME = re.compile(r'(id\d+)(?:_(id\d+))?_\d+')
FOLDERS = {'Celeb-real': 'real', 'Celeb-synthesis': 'fake'}


class Builder(LipClipBuilder):
  """`--manual_dir` is the folder that holds Celeb-real and Celeb-synthesis. Identity-disjoint."""

  MANUAL_DOWNLOAD_INSTRUCTIONS = read_instructions(__file__)

  def list_videos(self, root: Path) -> list[VideoRecord]:
    """All videos of both folders but the swaps between parts."""
    missing = [name for name in FOLDERS if not (root / name).is_dir()]
    if missing:
      raise UserError(f'{root} lacks {" and ".join(missing)}.\n{self.MANUAL_DOWNLOAD_INSTRUCTIONS}')
    paths = [path for name in FOLDERS for path in sorted((root / name).rglob('*.mp4'))]
    records = [record for path in paths if (record := _record(path, root))]
    mixed = len(paths) - len(records)
    print(f'{mixed} of {len(paths)} videos swap persons of two parts and are left out')
    return records


def _record(path: Path, root: Path) -> VideoRecord | None:
  """One video, or None for a swap of two persons from different parts."""
  key = path.relative_to(root).as_posix()
  match = NAME.fullmatch(path.stem)
  if not match:
    raise UserError(f'{path}: the name is none of Celeb-DF v2 (id0_0000 or id0_id1_0000); move it elsewhere')
  persons = [person for person in match.groups() if person]
  parts = {identity_split(person) for person in persons}
  label = FOLDERS[key.split('/')[0]]
  method = 'original' if label == 'real' else 'Celeb-synthesis'
  return VideoRecord(path, key, label, parts.pop(), persons[0], method) if len(parts) == 1 else None
