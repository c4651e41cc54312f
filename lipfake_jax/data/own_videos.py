"""A user's videos of one class a folder, with their people: who trains, who chooses, and who is held out.

In: a folder of reals, one of fakes, or both. Out: the list that `data_builders/video_folder` reads, in which every
video has its part. Next stage: `experiments.adapt` builds and trains.
"""

import csv
import io
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from lipfake_jax.core.errors import UserError
from lipfake_jax.core.names import shorten
from lipfake_jax.core.people import units
from lipfake_jax.core.vocabulary import LABELS, PARTS, VideoRecord
from lipfake_jax.data.files import find_videos
from lipfake_jax.data.listing import name_people
from lipfake_jax.data.lists import find_lists, find_named, read_list
from lipfake_jax.data.splits import draw_number

DATASET, LIST = 'video_folder', 'videos.csv'
COLUMNS = ('path', 'label', 'identity', 'second_identity', 'method', 'original', 'split')
ENOUGH = 10  # people held out, if a third of all is as many
MOST_HELD, LEAST_HELD, CHOOSING = 1 / 3, 1 / 4, 1 / 4  # shares of the people: held out, and to choose weights by


def list_own(folders: Mapping[str, Path]) -> list[VideoRecord]:
  """The videos of each label's folder: keys are 'LABEL/path below the folder'.

  A list (.csv or .tsv) at the top of a folder, with the column path and what is known of identity, second_identity,
  method and original (a path below the folder of reals), says who is in a video. Without one it is the first folder
  below: FOLDER/anna/001.mp4 shows anna. A file that lies in none shows nobody known.

  Raises:
    UserError: a folder lies in the other, holds no video, or its list is none.
  """
  places = [folder.resolve() for folder in folders.values()]
  if len(places) > 1 and (places[0].is_relative_to(places[1]) or places[1].is_relative_to(places[0])):
    raise UserError(f'{places[0]} and {places[1]}: one holds the other, so that a video would be real and fake')
  return name_people(video for label, folder in folders.items() for video in _list_class(label, folder))


def assign_people(videos: Iterable[VideoRecord]) -> list[tuple[VideoRecord, str]]:
  """Each video with its part, '' where its people are in several: no person is in two parts.

  People with reals and fakes, with reals alone and with fakes alone are dealt out alike, so that each part gets its
  share of each kind. The order is drawn from their names, and the same whenever it is.
  """
  videos = list(videos)
  shown = {video.key: units(vars(video)) for video in videos}
  labels: dict[str, set[str]] = {}
  for video in videos:
    for unit in shown[video.key]:
      labels.setdefault(unit, set()).add(video.label)
  held = min(MOST_HELD, max(LEAST_HELD, ENOUGH / len(labels)))
  parts: dict[str, str] = {}
  for kind in (set(LABELS), {'real'}, {'fake'}):
    members = sorted((unit for unit, found in labels.items() if found == kind), key=lambda unit: draw_number(unit, 0))
    parts |= zip(members, _deal(len(members), held), strict=True)
  found = [(video, {parts[unit] for unit in shown[video.key]}) for video in videos]
  return [(video, those.pop() if len(those) == 1 else '') for video, those in found]


def check_parts(assigned: Sequence[tuple[VideoRecord, str]]) -> None:
  """Raises UserError where a part lacks a class that there is."""
  labels = {video.label for video, _ in assigned}
  for part in PARTS:
    if lacking := labels - {video.label for video, found in assigned if found == part}:
      raise UserError(
        f'there are too few people: {part} has no {" and no ".join(sorted(lacking))} video; at least three people of'
        ' each class are needed, better thirty (FOLDER/anna/001.mp4 shows anna, or a list with the column identity)'
      )


def to_list(assigned: Iterable[tuple[VideoRecord, str]]) -> str:
  """The list, as text: a row for each video that has a part."""
  lines = io.StringIO()
  writer = csv.writer(lines, lineterminator='\n')
  writer.writerow(COLUMNS)
  for video, part in assigned:
    if part:
      known = (video.identity, video.second_identity, video.method, video.original)
      writer.writerow([video.key, video.label, *known, part])
  return lines.getvalue()


def _deal(count: int, held: float) -> list[str]:
  """The parts of so many people: fewer than three all train."""
  if count < len(PARTS):
    return ['train'] * count
  test, choosing = math.ceil(round(held * count, 6)), max(1, round(CHOOSING * count))
  return ['test'] * test + ['validation'] * choosing + ['train'] * (count - test - choosing)


def _list_class(label: str, folder: Path) -> list[VideoRecord]:
  if not folder.is_dir():
    raise UserError(f'--{label}={folder}: there is no such folder')
  lists = find_lists(folder)
  if len(lists) > 1:
    raise UserError(f'{folder} holds {len(lists)} lists ({shorten([path.name for path in lists])}): keep one')
  videos = _from_list(label, lists[0]) if lists else _from_folders(label, folder)
  if not videos:
    raise UserError(f'--{label}={folder}: no video in this folder')
  return videos


def _from_folders(label: str, folder: Path) -> list[VideoRecord]:
  paths = [(path, PurePosixPath(path.relative_to(folder))) for path in find_videos(folder)]
  return [
    _record(label, path, below, {'identity': below.parts[0] if len(below.parts) > 1 else ''}) for path, below in paths
  ]


def _from_list(label: str, path: Path) -> list[VideoRecord]:
  videos = []
  for line, row in read_list(path, ('path',)).rows:
    if row.get('label', label).lower() not in ('', label):
      raise UserError(f'{path}, line {line}: label {row["label"]!r} in the folder of --{label}')
    video = find_named(path.parent, row['path'])
    if not row['path'] or video is None:
      raise UserError(f'{path}, line {line}: there is no file {path.parent / row["path"]}')
    below = PurePosixPath(os.path.relpath(video, path.parent))  # a link may lead anywhere
    if below.parts[0] == '..':
      raise UserError(f'{path}, line {line}: {row["path"]} lies outside of the folder: move it, or leave it out')
    videos.append(_record(label, video, below, row))
  return videos


def _record(label: str, path: Path, below: PurePosixPath, known: Mapping[str, str]) -> VideoRecord:
  original = known.get('original', '')
  return VideoRecord(
    path,
    f'{label}/{below}',
    label,
    identity=known.get('identity', ''),
    second_identity=known.get('second_identity', ''),
    method=known.get('method', '') or ('original' if label == 'real' else ''),
    original=f'real/{original}' if original else '',
    dataset=DATASET,
  )
