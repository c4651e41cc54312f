"""The videos of a dataset as they lie on disk, before any is opened.

In: the folder that a user names. Out: a `Listing`, one record a video, with what was left out and what the set's own
lists name in vain. Next stages: `splits` gives each video its part, `lip_clip_builder` makes clips of them.
"""

import collections
import dataclasses
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from lipfake_jax.core.errors import UserError
from lipfake_jax.core.names import is_hidden, note_lines, shorten
from lipfake_jax.core.people import stem
from lipfake_jax.core.vocabulary import VideoRecord

BUILDERS = Path(__file__).parents[2] / 'data_builders'
STORED = 'clips'  # the one TFDS split that a dataset is built as; its parts are a choice at reading
UNEVEN_REJECTIONS = 0.05  # a difference of the classes' shares of rejected videos that is worth a warning


@dataclasses.dataclass(frozen=True)
class Listing:
  """The videos of a dataset, and what else was found or missed: for each kind, in words, the names that it is about."""

  videos: list[VideoRecord]
  notes: dict[str, list[str]] = dataclasses.field(default_factory=dict)


def known_datasets() -> list[str]:
  """Names of the datasets that have a builder."""
  return sorted(path.parent.name for path in BUILDERS.glob('*/README.md'))


def read_instructions(dataset: str) -> str:
  """The README of a dataset's builder: what to download, where to put it, and the line that builds it.

  Raises:
    UserError: there is no such builder.
  """
  if dataset not in known_datasets():
    raise UserError(f'dataset {dataset!r}: {BUILDERS} has no such builder; it has {", ".join(known_datasets())}')
  return (BUILDERS / dataset / 'README.md').read_text()


def find_entry(root: Path, name: str) -> Path | None:
  """The file or folder of this name, in any case of its letters, in the root or in one of its folders."""
  inner = [path for path in sorted(root.iterdir()) if path.is_dir() and not is_hidden(path.name)]
  for folder in (root, *(path for path in inner if os.access(path, os.R_OK | os.X_OK))):
    for path in sorted(folder.iterdir()):
      if path.name.lower() == name.lower():
        return path
  return None


def wrong_layout(root: Path, lacking: str) -> UserError:
  """An error that says what a folder lacks and what it holds instead."""
  held = sorted(path.name for path in root.iterdir())
  return UserError(f'{root} lacks {lacking}; it holds {shorten(held) if held else "nothing"}')


def check_videos(root: Path, videos: Iterable[VideoRecord], notes: Mapping[str, list[str]] | None = None) -> None:
  """Raises UserError where there is no video, with the notes on what there is, or two have the same key."""
  counts = collections.Counter(f'{video.dataset}/{video.key}' for video in videos)
  if not counts:
    raise UserError('\n'.join([f'no video of it below {root}', *note_lines(notes or {})]))
  doubles = [key for key, count in counts.items() if count > 1]
  if doubles:
    raise UserError(f'{len(doubles)} videos are listed twice ({shorten(doubles)}): list each file once')


def name_people(videos: Iterable[VideoRecord]) -> list[VideoRecord]:
  """The videos; one whose person is not known shows that of its original, or of another one made from the same."""
  videos = list(videos)
  # Of two that disagree, the one that is no copy has the last word.
  known = {_source(video): video.identity for video in sorted(videos, key=lambda v: not v.original) if video.identity}
  return [dataclasses.replace(v, identity=v.identity or known.get(_source(v), '')) for v in videos]


def _source(video: VideoRecord) -> tuple[str, str]:
  """The video that it was made from, or itself."""
  return video.dataset, stem(video.original or video.key)


def layout_table(listing: Listing, published: Mapping[tuple[str, str], int]) -> str:
  """What was found, by folder and class, beside what was published, and the notes: for people.

  Args:
    listing: of a dataset.
    published: number of videos by (folder, label), where it is known.
  """
  found = collections.Counter((video.folder, video.label) for video in listing.videos)
  rows = [row for row in published if found[row]] + sorted(set(found) - set(published))
  absent = [folder for folder, label in published if not found[folder, label]]
  width = max(len('folder'), *(len(folder) for folder, _ in rows))
  lines = [f'{"folder":{width}}  class {"videos":>8}{"published":>11}']
  for row in rows:
    lines.append(f'{row[0]:{width}}  {row[1]:5} {found[row]:8}{published.get(row, "-"):>11}')
  lines += [f'no video of {shorten(absent)}'] if absent else []
  return '\n'.join([*lines, *note_lines(listing.notes)])
