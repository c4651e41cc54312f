"""A person's references, and whether a video shows that person as they move and sound.

In: some real videos of a person, and towers. Out: a file of embeddings alone, from which no picture and no sound can be
made, but which tell the person from others: whoever has it has biometric data. Then a document on any video.
"""

import dataclasses
import io
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lipfake_jax.clips.clips import Clip
from lipfake_jax.clips.whole_file import write_whole
from lipfake_jax.core.errors import UserError
from lipfake_jax.core.names import printable
from lipfake_jax.data.pairs import HEARD
from lipfake_jax.inference.people import group_people
from lipfake_jax.inference.towers import Towers, embed_clips, name_sound, survey_videos
from lipfake_jax.scoring.person import FEWEST, STRANGER, Embeddings, score_face, score_references

STEP = 25  # moments from one clip to the next: one second
NAME = re.compile(r'[\w-][\w .-]{0,63}')

Document = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Person:
  """What is kept of a person.

  Attributes:
    references: the embeddings of each reference video.
    weights: the digest of the towers that made them; those of others mean something else.
  """

  references: list[Embeddings]
  weights: str


@dataclasses.dataclass(frozen=True)
class Enrolment:
  """A person, and what is to be said of the videos that were given.

  Attributes:
    person: as it is kept.
    left_out: by the video's path, why it could not serve.
    strangers: by the video's path, its score by all others, where it is unlike them.
  """

  person: Person
  left_out: dict[Path, str]
  strangers: dict[Path, float]


def people_folder(folder: Path | None = None) -> Path:
  """Where people are kept: a folder of the user's, unless one is named."""
  home = Path(os.environ.get('XDG_DATA_HOME') or Path.home() / '.local' / 'share')
  return folder or home / 'lipfake_jax' / 'people'


def enroll(towers: Towers, name: str, videos: Sequence[Path]) -> Enrolment:
  """A person of their real videos; of each the largest face counts.

  Raises:
    UserError: fewer than FEWEST can serve, each content once.
  """
  references: dict[Path, Embeddings] = {}
  left_out: dict[Path, str] = {}
  seen: dict[str, Path] = {}
  for video, (facts, clips) in zip(videos, survey_videos(videos, towers.spec, STEP), strict=True):
    if (twin := seen.setdefault(facts['sha256'] or str(video), video)) != video:
      left_out[video] = f'the same file as {printable(str(twin))}'
    elif not clips:
      left_out[video] = explain_none(facts)
    else:
      largest = max(facts['people'], key=lambda track: track['area'] if has_clip(track, clips) else -1)
      references[video] = _embed(towers, [clip for clip in clips if clip.track == largest['track']])
  if len(references) < FEWEST:
    lost = ''.join(f'\n  {printable(str(video))}: {why}' for video, why in left_out.items())
    raise UserError(
      f'{name}: {len(references)} of {len(videos)} videos can serve, {FEWEST} are the fewest (ten are better): add real'
      f' ones, each of 3 s at least in which the face is in view{lost}'
    )
  scores = score_references(list(references.values()))
  strangers = {video: float(s) for video, s in zip(references, scores, strict=True) if s > STRANGER}
  person = Person(list(references.values()), towers.meta['digests']['weights'])
  return Enrolment(person, left_out, strangers)


def check(towers: Towers, person: Person, facts: Mapping[str, Any], clips: Sequence[Clip]) -> Document:
  """What is found in a video, beside a person's references.

  Args:
    towers: those that made the references.
    person: of `load_person`.
    facts, clips: of `survey_videos`, with STEP.

  Returns:
    'verdict' ('like', 'unlike' or 'none'), 'score' of the face most like the person, 'limit' (the highest score that a
    reference has by all others: a further real video is above it about once in as many as there are, and one), 'heard'
    (whether the voice counted), 'references', and 'reason' where there is no verdict.

  Raises:
    UserError: the references are of other towers.
  """
  if person.weights != towers.meta['digests']['weights']:
    raise UserError(f'{towers.workdir}: its weights are not those of the references: enroll the person anew')
  limit = float(score_references(person.references).max())
  known = {'limit': round(limit, 3), 'references': len(person.references)}
  if not clips:
    return {'verdict': 'none', 'score': None, 'heard': None, 'reason': explain_none(facts), **known}
  faces = [_embed(towers, face) for face in group_people(clips)]
  scores = [score_face(face, person.references) for face in faces]
  least = int(np.argmin(scores))
  verdict = 'like' if scores[least] <= limit else 'unlike'
  heard = 'sound' in faces[least] and sum('sound' in reference for reference in person.references) > 2
  return {'verdict': verdict, 'score': round(scores[least], 3), 'heard': heard, 'reason': None, **known}


def explain_none(facts: Mapping[str, Any]) -> str:
  """Why a video has no clip."""
  told = facts if facts['reason'] else next((t for t in facts['people'] if t['reason']), {'reason': 'no_face'})
  return f'{told["reason"]} ({told["detail"]})' if told.get('detail') else told['reason']


def has_clip(track: Mapping[str, Any], clips: Sequence[Clip]) -> bool:
  """Whether any of the clips shows a face."""
  return any(clip.track == track['track'] for clip in clips)


def save_person(folder: Path, name: str, person: Person) -> Path:
  """Keeps a person in a file that is the user's alone; one of the same name is replaced."""
  path = find_file(folder, name)
  folder.mkdir(parents=True, exist_ok=True, mode=0o700)
  fields = {f'{number}.{kind}': x for number, found in enumerate(person.references) for kind, x in found.items()}
  with write_whole(path) as file:
    np.savez(file, weights=np.array(person.weights), **fields)
  path.chmod(0o600)
  return path


def load_person(folder: Path, name: str) -> Person:
  """What `save_person` kept.

  Raises:
    UserError: nobody of this name is enrolled, or the file is damaged.
  """
  path = _find_enrolled(folder, name)
  references: dict[int, dict[str, np.ndarray]] = {}
  try:
    with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as stored:
      for field in stored.files:
        number, _, kind = field.partition('.')
        if kind:
          references.setdefault(int(number), {})[kind] = stored[field]
      weights = str(stored['weights'])
  except (ValueError, KeyError, OSError) as error:
    raise UserError(f'{path}: it is damaged: enroll {name} anew') from error
  return Person([*(references[number] for number in sorted(references))], weights)


def forget(folder: Path, name: str) -> Path:
  """Deletes all that is kept of a person, damaged or not: the file that it was.

  Raises:
    UserError: nobody of this name is enrolled.
  """
  path = _find_enrolled(folder, name)
  path.unlink()
  return path


def list_people(folder: Path) -> list[str]:
  """The names of all who are enrolled."""
  return sorted(path.stem for path in folder.glob('*.npz'))


def find_file(folder: Path, name: str) -> Path:
  """Where a person is kept.

  Raises:
    UserError: a name that is no file's.
  """
  if not NAME.fullmatch(name):
    raise UserError(f'{printable(name)!r}: choose a name of letters, digits, spaces and -_. (64 at most)')
  return folder / f'{name}.npz'


def _find_enrolled(folder: Path, name: str) -> Path:
  path = find_file(folder, name)
  if not path.is_file():
    there = ', '.join(list_people(folder)) or 'nobody'
    raise UserError(f'{name}: not enrolled in {folder} (there: {there}): lipfake person enroll {name} VIDEOS...')
  return path


def _embed(towers: Towers, clips: Sequence[Clip]) -> Embeddings:
  """A face in order of time; its sound where the video has it."""
  clips = sorted(clips, key=lambda clip: float(clip.times[0]))
  found = embed_clips(towers, clips)
  return found if name_sound(clips[0]) == HEARD else {'look': found['look']}
