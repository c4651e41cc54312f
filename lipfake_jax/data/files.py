"""A user's video files: which are meant, which lie in a folder, and what else lies there.

In: what a user names, files, folders and patterns. Out: `Files`, with all that was left out by reason. Next stages: a
dataset's builder labels them, `predict` scores them.
"""

import dataclasses
import glob
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from lipfake_jax.clips.container import VideoError, check_regular, holds_video
from lipfake_jax.core.errors import UserError
from lipfake_jax.core.names import is_hidden, note_lines, printable

# Files of these names are meant to be videos: where they can't be read, that is told of each. Others are looked into.
VIDEO_SUFFIXES = ('.avi', '.gif', '.m4v', '.mkv', '.mov', '.mp4', '.mpeg', '.mpg', '.webm')
ADDRESS = re.compile(r'[A-Za-z][A-Za-z0-9+.-]*://')

# Reasons why something that lies in a folder is left out.
IS_HIDDEN = 'hidden files and folders, left out'
IS_CLOSED = 'folders and files that may not be opened, left out'
IS_SPECIAL = 'pipes, sockets, devices and links that lead nowhere, left out'
IS_NO_VIDEO = 'files that hold no video, left out'


@dataclasses.dataclass(frozen=True)
class Files:
  """Files that were found, over which it iterates, and what was left out, by reason in words."""

  found: list[Path]
  left_out: dict[str, list[Path]] = dataclasses.field(default_factory=dict)

  def __iter__(self) -> Iterator[Path]:
    return iter(self.found)

  def named(self, root: Path | None = None) -> dict[str, list[str]]:
    """The names of what was left out, by reason; below a root as seen from there."""
    return {reason: [_name(path, root) for path in paths] for reason, paths in self.left_out.items()}


def join_files(parts: Iterable[Files]) -> Files:
  """All of them, each file once."""
  found: list[Path] = []
  left_out: dict[str, list[Path]] = defaultdict(list)
  for part in parts:
    found += part.found
    for reason, paths in part.left_out.items():
      left_out[reason] += paths
  return Files(_once(found), {reason: _once(paths) for reason, paths in left_out.items()})


def find_files(folder: Path) -> Files:
  """All regular files below a folder that are not hidden. Links to folders are followed, each folder once."""
  found: list[Path] = []
  left_out: dict[str, list[Path]] = defaultdict(list)
  seen: set[str] = set()
  closed = left_out[IS_CLOSED]
  walk = os.walk(folder, followlinks=True, onerror=lambda error: closed.append(Path(error.filename)))
  for place, folders, names in walk:
    if (real := os.path.realpath(place)) in seen:
      folders.clear()
      continue
    seen.add(real)
    left_out[IS_HIDDEN] += [Path(place, name) for name in (*folders, *names) if is_hidden(name)]
    folders[:] = sorted(name for name in folders if not is_hidden(name))
    for path in (Path(place, name) for name in names if not is_hidden(name)):
      (found if is_regular(path) else left_out[IS_SPECIAL]).append(path)
  return Files(sorted(found), {reason: sorted(paths) for reason, paths in left_out.items() if paths})


def find_videos(folder: Path) -> Files:
  """The videos below a folder, sorted: files that are named like videos, and those of other names that hold one."""
  files = find_files(folder)
  kinds = defaultdict(list)
  for path in files.found:
    kinds[_video_or_reason(path)].append(path)
  videos = kinds.pop('', [])
  return join_files([Files(videos, files.left_out), Files([], kinds)])


def find_sources(sources: Sequence[str]) -> Files:
  """The videos that a user names: files, folders of them, patterns such as '*.mp4', and lists of these with commas.

  Raises:
    UserError: there is no such file or folder, or no video in it.
  """
  found = join_files(_find_named(path) for source in sources for path in expand_source(source))
  if not found.found:
    raise UserError('\n'.join(['no video', *note_lines(found.named())]))
  return found


def expand_source(source: str) -> list[Path]:
  """The paths that one argument means. A name that exists is meant literally, whatever commas or brackets it has.

  Raises:
    UserError: it means nothing that exists.
  """
  path = os.path.expanduser(source)
  if source and os.path.lexists(source):
    return [Path(source)]
  if source and os.path.lexists(path):
    return [Path(path)]
  if ADDRESS.match(source):
    raise UserError(f'{source}: addresses are not read: download the video, and name the file, or use lipfake stream')
  if glob.has_magic(path) and (matches := sorted(glob.glob(path, recursive=True))):
    return [Path(match) for match in matches]
  parts = source.split(',')
  for length in range(len(parts) - 1, 0, -1):  # as much of it as exists: names may have commas in a list, too
    first, rest = ','.join(parts[:length]), ','.join(parts[length:]).strip()
    if not first.strip():
      return expand_source(rest)
    if length == 1 or os.path.lexists(os.path.expanduser(first)):
      return expand_source(first) + (expand_source(rest) if rest else [])
  raise UserError(f'{source or "an empty name"}: no such file or folder')


def is_regular(path: Path) -> bool:
  """Whether a path is a file that is there, or a link to one, and no pipe or device."""
  try:
    check_regular(path)
  except (VideoError, OSError):
    return False
  return True


def _find_named(path: Path) -> Files:
  if path.is_dir():
    return _find_below(path)
  return Files([path]) if is_regular(path) else Files([], {IS_SPECIAL: [path]})


def _find_below(folder: Path) -> Files:
  files = find_videos(folder)
  if not files.found:
    raise UserError('\n'.join([f'{folder}: no video in this folder', *note_lines(files.named(folder))]))
  return files


def _video_or_reason(path: Path) -> str:
  """Why a regular file is none of the videos, or '' if it is one."""
  if path.suffix.lower() in VIDEO_SUFFIXES:
    return ''
  try:
    open(path, 'rb').close()
  except OSError:
    return IS_CLOSED
  return '' if holds_video(path) else IS_NO_VIDEO


def _once(paths: list[Path]) -> list[Path]:
  return list(dict.fromkeys(paths))


def _name(path: Path, root: Path | None) -> str:
  return printable((path.relative_to(root) if root and path.is_relative_to(root) else path).as_posix())
