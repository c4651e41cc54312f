"""FaceForensics++ with DeepFakeDetection: any methods and compressions of it (PAPER section 9)."""

import collections
import dataclasses
import json
import re
from pathlib import Path

from lipfake_jax.core.errors import UserError
from lipfake_jax.core.vocabulary import VideoRecord
from lipfake_jax.data.builder import LipClipBuilder
from lipfake_jax.data.files import find_videos, join_files
from lipfake_jax.data.listing import Listing, find_entry, read_instructions, wrong_layout

ORIGINALS, MANIPULATED = 'original_sequences', 'manipulated_sequences'
METHODS = ('Deepfakes', 'Face2Face', 'FaceSwap', 'NeuralTextures', 'FaceShifter', 'DeepFakeDetection')
COMPRESSIONS = {'raw': 'raw', 'c0': 'raw', 'c23': 'c23', 'c40': 'c40'}
LISTS = {'train.json': 'train', 'val.json': 'validation', 'test.json': 'test'}
# <target>_<source> for YouTube's numbers; <target>_<source>__<scene>__<code> for actors.
PAIR = re.compile(r'(?P<identity>\d{3})(?:_(?P<second>\d{3}))?')
SCENE = re.compile(r'(?P<identity>\d{2})(?:_(?P<second>\d{2}))?__(?P<scene>.+)')
COUNTS = {f'{ORIGINALS}/youtube': 1000, f'{ORIGINALS}/actors': 363} | {
  f'{MANIPULATED}/{method}': 3068 if method == 'DeepFakeDetection' else 1000 for method in METHODS
}


class Builder(LipClipBuilder):
  """`--manual_dir` is the folder that holds original_sequences and manipulated_sequences."""

  MANUAL_DOWNLOAD_INSTRUCTIONS = read_instructions('faceforensics')
  PUBLISHED = {
    (f'{folder}/{compression}', 'real' if folder.startswith(ORIGINALS) else 'fake'): count
    for compression in ('raw', 'c23', 'c40')
    for folder, count in COUNTS.items()
  }

  def list_videos(self, root: Path) -> Listing:
    """All videos of the known folders; the pairs of the lists, or of the fakes on disk, stay together."""
    places = [place for name in (ORIGINALS, MANIPULATED) if (place := find_entry(root, name))]
    if not places:
      raise wrong_layout(root, f'{ORIGINALS} and {MANIPULATED}')
    found, strange = [], []
    files = join_files(map(find_videos, places))
    for path in files:
      record = _record(path, root)
      if record:
        found.append(record)
      else:
        strange.append(path.relative_to(root).as_posix())
    tables = {part: place for name, part in LISTS.items() if (place := find_entry(root, name))}
    official, partners = _read_lists(tables)
    for video in found:
      if video.second_identity and 'actor' not in video.identity:
        partners[video.identity].add(video.second_identity)
        partners[video.second_identity].add(video.identity)
    pairs = _find_pairs(partners)
    videos = [
      dataclasses.replace(video, official=official.get(video.identity, ''), group=pairs.get(video.identity, ''))
      for video in found
    ]
    strangers = [video.key for video in videos if tables and not video.official and 'actor' not in video.identity]
    notes = {
      'files that are none of the set, left out': strange,
      'videos that the split files do not name, drawn by person': strangers,
      'split files missing, without which there is no official split': [n for n, p in LISTS.items() if p not in tables],
      **files.named(root),
    }
    return Listing(videos, notes)


def _find_pairs(partners: dict[str, set[str]]) -> dict[str, str]:
  """A common name for two people who were swapped with each other only."""
  pairs = {}
  for one, others in partners.items():
    other = next(iter(others))
    if others == {other} and partners[other] == {one}:
      pairs[one] = min(one, other)
  return pairs


def _record(path: Path, root: Path) -> VideoRecord | None:
  """One video, or None if it is not one of the set: a mask, an unknown method, another name."""
  parts = path.relative_to(root).parts
  top = next(i for i, part in enumerate(parts) if part.lower() in (ORIGINALS, MANIPULATED))
  if len(parts) - top != 5:
    return None
  source, method, compression, kind, _ = parts[top:]
  actors = method in ('actors', 'DeepFakeDetection')
  match = (SCENE if actors else PAIR).fullmatch(path.stem)
  real = source.lower() == ORIGINALS
  if not match or compression not in COMPRESSIONS or kind != 'videos' or real != (match['second'] is None):
    return None
  if method not in (('youtube', 'actors') if real else METHODS):
    return None
  identity, second = (
    f'actor {name}' if actors and name else name or '' for name in (match['identity'], match['second'])
  )
  original = ''
  if not real:
    scene = f'{match["identity"]}__{match["scene"].rpartition("__")[0]}' if actors else match['identity']
    folder = ('actors' if actors else 'youtube', compression, 'videos')
    original = '/'.join([*parts[:top], ORIGINALS, *folder, f'{scene}.mp4'])
  return VideoRecord(
    path=path,
    key='/'.join(parts),
    label='real' if real else 'fake',
    identity=identity,
    second_identity=second,
    method='original' if real else method,
    original=original,
    folder=f'{source.lower()}/{method}/{COMPRESSIONS[compression]}',
  )


def _read_lists(tables: dict[str, Path]) -> tuple[dict[str, str], dict[str, set[str]]]:
  """The part of each person, and with whom each was swapped, by the lists of pairs."""
  official: dict[str, str] = {}
  partners: dict[str, set[str]] = collections.defaultdict(set)
  for part, table in tables.items():
    try:
      pairs = [(str(one), str(other)) for one, other in json.loads(table.read_text())]
    except (ValueError, TypeError) as error:
      raise UserError(f'{table}: it is not a list of pairs [["071", "054"], ...]: {error}') from error
    for one, other in pairs:
      if official.get(one, part) != part or official.get(other, part) != part:
        raise UserError(f'{table}: {one} or {other} is in another list too: take the published ones')
      official |= {one: part, other: part}
      partners[one].add(other)
      partners[other].add(one)
  return official, partners
