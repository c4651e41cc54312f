"""Where findings are written: a JSON and a page for each video, below one folder, as the videos lie below theirs.

In: what a user names. Out: the videos, and of each the path of its files without a suffix. Next stage: `cli.detect`.
"""

import collections
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from lipfake_jax.core.names import printable
from lipfake_jax.data.files import Files, expand_source, find_sources
from lipfake_jax.inference.findings import Document

LONGEST = 200  # bytes of a name, so that there is room for a suffix within the 255 of most file systems


def find_places(sources: Sequence[str]) -> tuple[Files, list[PurePosixPath]]:
  """The videos that a user names, each once, and of each the name of its files below the output folder.

  Raises:
    UserError: there is no such file or folder, or no video in it.
  """
  files = find_sources(sources)
  folders = dict.fromkeys(path for source in sources for path in expand_source(source) if path.is_dir())
  order = {folder: number for number, folder in enumerate(folders)}
  return files, name_outputs([_below(video, order) for video in files.found])


def name_outputs(videos: Sequence[PurePosixPath]) -> list[PurePosixPath]:
  """A name for each video's files: its own without the suffix, or with it, or numbered, where two had the same.

  Two are the same that differ in their letters' case alone: some disks do not tell them apart.
  """
  short = [video.with_name(_fit(video.stem)) for video in videos]
  counts = collections.Counter(str(name).lower() for name in short)
  names, taken = [], set()
  numbers: collections.Counter[str] = collections.Counter()  # the last that each name was given
  for video, name in zip(videos, short, strict=True):
    base = name if counts[str(name).lower()] == 1 else video.with_name(_fit(video.name))
    unique, given = base, str(base).lower()
    while str(unique).lower() in taken:
      numbers[given] += 1
      unique = base.with_name(f'{base.name}-{numbers[given] + 1}')
    taken.add(str(unique).lower())
    names.append(unique)
  return names


def write_document(path: Path, document: Document) -> None:
  """Writes JSON: the same bytes for the same document."""
  replace_file(path, json.dumps(document, indent=2) + '\n')


def replace_file(path: Path, text: str) -> None:
  """Writes a text in one step, so that a file that exists is complete."""
  path.parent.mkdir(parents=True, exist_ok=True)
  partial = path.with_name(f'.{os.getpid()}.partial')
  try:
    partial.write_text(text, encoding='utf-8')
    partial.replace(path)
  finally:
    partial.unlink(missing_ok=True)


def _below(video: Path, order: Mapping[Path, int]) -> PurePosixPath:
  """The path below the first of the folders, by their order, that holds the video, or its name alone."""
  holders = [folder for folder in video.parents if folder in order]
  if not holders:
    return PurePosixPath(video.name)
  below = video.relative_to(min(holders, key=order.__getitem__))
  return PurePosixPath(*map(_fit, below.parts[:-1]), video.name)


def _fit(name: str) -> str:
  """A name that can be shown, cut where it is long."""
  return printable(name).encode()[:LONGEST].decode(errors='ignore')
