"""Videos by their bytes: one file under two spellings, a link, a copy; and the digests that stored datasets go by.

In: the videos that a builder lists, or the table of a dataset. Out: videos that share their bytes, refused where they
share no label; and digests, by which a dataset is known to be of these videos, and a figure to be of this dataset.
"""

import concurrent.futures
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lipfake_jax.clips.extraction import digest_file, digest_spec
from lipfake_jax.clips.video import VideoError, probe
from lipfake_jax.core.clip_spec import ClipSpec
from lipfake_jax.core.errors import UserError
from lipfake_jax.core.names import shorten
from lipfake_jax.core.vocabulary import VideoRecord

ENDS = 1 << 16  # bytes at each end of a file that `digest_source` covers, besides its size
NAMED = 20  # contradictions that a message lists

Group = list[VideoRecord]


def check_labels(videos: Sequence[VideoRecord]) -> list[str]:
  """Refuses a content that is labelled real and fake, under whatever names.

  Returns:
    Those that share their bytes with others of their label, as 'a.mp4 = b.mp4'.

  Raises:
    UserError: naming each such content that can be read as a video.
  """
  copies = find_copies(videos)
  mixed = [group for group in copies if len({video.label for video in group}) > 1]
  refuse_contradictions([[(v.key, v.label) for v in group] for group in mixed if _readable(group[0].path)])
  return [' = '.join(video.key for video in group) for group in copies if group not in mixed]


def refuse_contradictions(groups: Sequence[Sequence[tuple[str, str]]]) -> None:
  """Raises UserError where a content has both labels: `groups` has the keys and labels of the videos of each."""
  refused = [group for group in groups if len({label for _, label in group}) > 1]
  if refused:
    lines = [' = '.join(f'{key} ({label})' for key, label in group) for group in refused]
    more = [f'and {len(lines) - NAMED} more'] if len(lines) > NAMED else []
    raise UserError('\n  '.join([f'{len(refused)} contents are labelled both real and fake:', *lines[:NAMED], *more]))


def find_copies(videos: Sequence[VideoRecord]) -> list[Group]:
  """The videos that share their bytes with others, in groups. Files of equal sizes are read, empty ones ignored."""
  same_size: dict[int, Group] = {}
  for video in videos:
    same_size.setdefault(_size(video.path), []).append(video)
  alike = [video for size, group in same_size.items() if size > 0 and len(group) > 1 for video in group]
  groups: dict[str, Group] = {}
  with concurrent.futures.ThreadPoolExecutor() as pool:
    for video, digest in zip(alike, pool.map(_digest_or_path, alike), strict=True):
      groups.setdefault(digest, []).append(video)
  return [group for group in groups.values() if len(group) > 1]


def digest_source(videos: Sequence[VideoRecord], spec: ClipSpec) -> str:
  """What a dataset is made of: all that is listed, sizes and ends of the files, and how clips are made of them.

  Whole files are not read, so that it takes seconds where a build has nothing to do.
  """
  with concurrent.futures.ThreadPoolExecutor() as pool:
    ends = list(pool.map(_look_at_ends, [video.path for video in videos]))
  rows = [{**vars(video), 'path': look} for video, look in zip(videos, ends, strict=True)]
  return _digest([digest_spec(spec), sorted(rows, key=lambda row: (row['dataset'], row['key']))])


def digest_dataset(metadata: Mapping[str, Any]) -> str:
  """What a stored dataset is: each clip's video, label and facts, the rejected videos, and the spec."""
  return _digest([metadata[name] for name in ('spec', 'clips', 'rejections', 'default_split')])


def tell_changes(metadata: Mapping[str, Any], videos: Sequence[VideoRecord]) -> str:
  """What differs between the videos that a dataset was built of and those that are listed now."""
  table, rejections = metadata['clips'], metadata['rejections']
  stored = dict(zip(zip(table['dataset'], table['key'], strict=True), table['label'], strict=True))
  stored |= {(row['dataset'], row['key']): row['label'] for row in rejections}
  listed = {(video.dataset, video.key): video.label for video in videos}
  kinds = {
    'only in the dataset': stored.keys() - listed.keys(),
    'only in the folder': listed.keys() - stored.keys(),
    'under another label': {name for name in stored.keys() & listed.keys() if stored[name] != listed[name]},
  }
  told = [f'{len(names)} {kind}: {shorten(sorted(key for _, key in names))}' for kind, names in kinds.items() if names]
  return '; '.join(told) or 'their names and labels are the same, but not all their content or details'


def _digest(value: Any) -> str:
  return f'sha256:{hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()}'


def _look_at_ends(path: Path) -> str:
  try:
    with open(path, 'rb') as file:
      size = os.fstat(file.fileno()).st_size
      head = file.read(ENDS)
      file.seek(max(size - ENDS, 0))
      return f'{size} {hashlib.sha256(head + file.read(ENDS)).hexdigest()}'
  except OSError as error:
    return str(error.strerror)


def _digest_or_path(video: VideoRecord) -> str:
  try:
    return digest_file(video.path)
  except OSError:  # it is rejected later, with the reason
    return str(video.path)


def _size(path: Path) -> int:
  try:
    return path.stat().st_size
  except OSError:
    return 0


def _readable(path: Path) -> bool:
  try:
    probe(path)
  except VideoError:
    return False
  return True
