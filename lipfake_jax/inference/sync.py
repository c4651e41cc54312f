"""Whether the mouths of a video make the sound that is heard with it: offsets, and how surely.

In: the clips of a video's faces, and towers. Out: a document of JSON's types. What is told is measured, and proves
nothing: sound is out of time in real videos, too.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lipfake_jax.clips.clips import Clip
from lipfake_jax.core.errors import UserError
from lipfake_jax.data.pairs import HEARD
from lipfake_jax.inference.people import group_people
from lipfake_jax.inference.towers import Towers, name_sound
from lipfake_jax.scoring.sync import Sync, compare_moments, find_sync, follow_distance, rank_agreement

REALS = 'reals.json'  # in a workdir: the confidences of real videos that nothing was trained on
IN_TIME_MS = 80  # two frames; viewers notice sound that comes 125 ms late or 45 ms early (ITU-R BT.1359)
RARE = 0.1  # a confidence of which so few reals have less is told of

Document = dict[str, Any]


def check_faces(towers: Towers, reals: Sequence[float], facts: Mapping[str, Any], clips: Sequence[Clip]) -> Document:
  """What is found in a video.

  Args:
    towers: of `open_towers`.
    reals: of `read_reals`.
    facts, clips: of `survey_videos`.

  Returns:
    'sound' (one of `vocabulary.SOUNDS`, or None), 'reason' (None where a face was judged), and 'people': of each face
    'id', 'verdict' ('in_time', 'shifted' or 'no_match'), 'offset_ms', 'confidence', 'agreement' (see
    `rank_agreement`), 'curve', and 'times_s' with the 'distance' at each.
  """
  if not clips:
    lacking = [f'{track["reason"]} ({track["detail"]})' for track in facts['people'] if track['reason']]
    return {'sound': None, 'reason': facts['reason'] or '; '.join(lacking) or 'no_face', 'people': []}
  sound = name_sound(clips[0])
  if sound not in (HEARD, 'short'):
    return {'sound': sound, 'reason': f'sound_{sound}', 'people': []}
  people = [_describe(number, towers, reals, face) for number, face in enumerate(group_people(clips), 1)]
  return {'sound': sound, 'reason': None, 'people': people}


def judge(sync: Sync, reals: Sequence[float]) -> str:
  """In words what an offset and its confidence are."""
  if rank_agreement(sync.confidence, reals) <= RARE:
    return 'no_match'
  return 'in_time' if abs(sync.offset_ms) <= IN_TIME_MS else 'shifted'


def measure_clips(towers: Towers, looks: np.ndarray, sounds: np.ndarray) -> list[np.ndarray]:
  """The distances of some clips' moments, see `compare_moments`: one array each of [B, ...]."""
  found = towers.embed(looks, sounds)
  return [compare_moments(look, sound) for look, sound in zip(found['look'], found['sound'], strict=True)]


def write_reals(workdir: Path, confidences: Sequence[float]) -> None:
  """Keeps how real videos agree with their sound."""
  (workdir / REALS).write_text(json.dumps(sorted(confidences)))


def read_reals(workdir: Path) -> list[float]:
  """What `write_reals` kept.

  Raises:
    UserError: training was stopped before.
  """
  path = workdir / REALS
  if not path.exists():
    raise UserError(f'{workdir} has no {REALS}: let its training end first (run.py --config=configs/av_sync.py)')
  return json.loads(path.read_text())


def _describe(number: int, towers: Towers, reals: Sequence[float], clips: Sequence[Clip]) -> Document:
  """A face."""
  clips = sorted(clips, key=lambda clip: float(clip.times[0]))
  rate, window = towers.spec.rate, towers.model.window
  distances = measure_clips(towers, *(np.stack([c.features[name] for c in clips]) for name in towers.model.inputs))
  sync = find_sync(distances, rate)
  times = [clip.times[: len(clip.times) - window + 1] + window / 2 / rate for clip in clips]
  followed = [follow_distance(one, sync.offset_ms, rate) for one in distances]
  return {
    'id': number,
    'verdict': judge(sync, reals),
    'offset_ms': round(sync.offset_ms),
    'confidence': round(sync.confidence, 4),
    'agreement': round(rank_agreement(sync.confidence, reals), 4),
    'curve': [round(float(value), 4) for value in sync.curve],
    'times_s': [round(float(value), 3) for value in np.concatenate(times)],
    'distance': [None if np.isnan(value) else round(float(value), 4) for value in np.concatenate(followed)],
  }
