"""Celeb-DF v2: celebrities, and face swaps among them (PAPER section 9)."""

import re
from pathlib import Path

from lipfake_jax.core.errors import UserError
from lipfake_jax.core.vocabulary import VideoRecord
from lipfake_jax.data.builder import LipClipBuilder
from lipfake_jax.data.files import find_videos, join_files
from lipfake_jax.data.listing import Listing, find_entry, read_instructions, wrong_layout

# Folder -> label, and the names in it: id<target>_<take>, id<target>_id<source>_<take>, <number>.
FOLDERS = {
  'Celeb-real': ('real', re.compile(r'(?P<identity>id\d+)_(?P<take>\d+)')),
  'YouTube-real': ('real', re.compile(r'\d+')),
  'Celeb-synthesis': ('fake', re.compile(r'(?P<identity>id\d+)_(?P<second>id\d+)_(?P<take>\d+)')),
}
OPTIONAL = 'YouTube-real'
TEST_LIST = 'List_of_testing_videos.txt'
LISTED = {'1': 'real', '0': 'fake'}  # the list counts real as 1, the other way round than we do


class Builder(LipClipBuilder):
  """`--manual_dir` is the folder that holds Celeb-real and Celeb-synthesis."""

  MANUAL_DOWNLOAD_INSTRUCTIONS = read_instructions('celeb_df_v2')
  PUBLISHED = {('Celeb-real', 'real'): 590, ('YouTube-real', 'real'): 300, ('Celeb-synthesis', 'fake'): 5639}

  def list_videos(self, root: Path) -> Listing:
    """All videos of the three folders; those of the list are the official test part, the others train."""
    places = {name: find_entry(root, name) for name in FOLDERS}
    missing = [name for name, place in places.items() if place is None and name != OPTIONAL]
    if missing:
      raise wrong_layout(root, ' and '.join(missing))
    files = {folder: find_videos(place) for folder, place in places.items() if place}
    paths = [(folder, path) for folder, found in files.items() for path in found]
    strange = [path.relative_to(root).as_posix() for folder, path in paths if not _match(folder, path)]
    paths = [(folder, path) for folder, path in paths if _match(folder, path)]
    listed, table = _read_list(find_entry(root, TEST_LIST)), find_entry(root, TEST_LIST)
    reals = {path.stem: path.relative_to(root).as_posix() for folder, path in paths if folder == 'Celeb-real'}
    videos = [_record(folder, path, root, reals, listed if table else None) for folder, path in paths]
    absent = sorted(listed - {_listed_name(folder, path) for folder, path in paths})
    notes = {
      'files whose names are none of the set, left out': strange,
      f'entries of {TEST_LIST} without a file': absent,
      'file missing, without which there is no official split': [] if table else [TEST_LIST],
      **join_files(files.values()).named(root),
    }
    return Listing(videos, notes)


def _match(folder: str, path: Path) -> re.Match | None:
  return FOLDERS[folder][1].fullmatch(path.stem)


def _listed_name(folder: str, path: Path) -> str:
  """As the list writes it: without further levels, in one spelling."""
  return f'{folder}/{path.name}'.lower()


def _record(folder: str, path: Path, root: Path, reals: dict[str, str], listed: set[str] | None) -> VideoRecord:
  """`reals`: the key of each video of Celeb-real by its name; `listed`: the official test part, None if unknown."""
  names = _match(folder, path).groupdict()  # type: ignore[union-attr]  # others are left out
  label, original = FOLDERS[folder][0], ''
  if label == 'fake':
    target = f'{names["identity"]}_{names["take"]}'
    original = reals.get(target, f'Celeb-real/{target}.mp4')
  official = 'test' if listed and _listed_name(folder, path) in listed else 'train'
  return VideoRecord(
    path=path,
    key=path.relative_to(root).as_posix(),
    label=label,
    identity=names.get('identity', ''),
    second_identity=names.get('second', ''),
    method='original' if label == 'real' else 'Celeb-synthesis',
    original=original,
    official='' if listed is None else official,
    folder=folder,
  )


def _read_list(table: Path | None) -> set[str]:
  """The names in the list of testing videos, in small letters.

  Raises:
    UserError: a line is not '<label> <folder>/<file>', or its label is not that of its folder.
  """
  names: set[str] = set()
  labels = {folder.lower(): label for folder, (label, _) in FOLDERS.items()}
  for number, line in enumerate(table.read_text().splitlines() if table else [], start=1):
    if not line.strip():
      continue
    mark, _, name = line.strip().partition(' ')
    folder = name.strip().lower().split('/')[0]
    if mark not in LISTED or folder not in labels:
      raise UserError(f'{table}, line {number}: {line!r} is not a 1 (real) or 0 (fake) and FOLDER/FILE')
    if LISTED[mark] != labels[folder]:
      raise UserError(
        f'{table}, line {number}: {line!r} calls a video of {folder} {LISTED[mark]}; in the published list 1 is real'
        ' and 0 is fake: take that one'
      )
    names.add(name.strip().lower())
  return names
