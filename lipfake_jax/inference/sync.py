"""Whether the mouths of a video make the sound that is heard with it: offsets, and how surely.

In: the clips of a video's faces, and towers. Out: a document of JSON's types. What is told is measured, and proves
nothing: sound is out of time in real videos, too.
"""

import dataclasses
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
from lipfake_jax.scoring.fusion import Fusion, Weights, fuse
from lipfake_jax.scoring.sync import Sync, compare_moments, describe_curve, find_sync, follow_distance, rank_agreement

REALS = 'reals.json'  # in a workdir: the confidences of real videos that nothing was trained on
HEAD = 'head.json'  # in a workdir: weights of what a distance curve tells, fitted to real videos of changed sound
IN_TIME_MS = 80  # two frames; viewers notice sound that comes 125 ms late or 45 ms early (ITU-R BT.1359)
RARE = 0.1  # a confidence of which so few reals have less is told of

Document = dict[str, Any]


def check_faces(
  towers: Towers, reals: Sequence[float], head: Fusion | None, facts: Mapping[str, Any], clips: Sequence[Clip]
) -> Document:
  """What is found in a video.

  Args:
    towers: of `open_towers`.
    reals: of `read_reals`.
    head: of `read_head`.
    facts, clips: of `survey_videos`.

  Returns:
    'sound' (one of `vocabulary.SOUNDS`, or None), 'reason' (None where a face was judged), and 'people': of each face
    'id', 'verdict' ('in_time', 'shifted' or 'no_match'), 'offset_ms', 'confidence', 'agreement' (see
    `rank_agreement`), 'p_changed' (see `score_head`), 'curve', and 'times_s' with the 'distance' at each.
  """
  if not clips:
    lacking = [f'{track["reason"]} ({track["detail"]})' for track in facts['people'] if track['reason']]
    return {'sound': None, 'reason': facts['reason'] or '; '.join(lacking) or 'no_face', 'people': []}
  sound = name_sound(clips[0])
  if sound not in (HEARD, 'short'):
    return {'sound': sound, 'reason': f'sound_{sound}', 'people': []}
  people = [_describe(number, towers, reals, head, face) for number, face in enumerate(group_people(clips), 1)]
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


def score_head(head: Fusion | None, syncs: Sequence[Sync]) -> list[float | None]:
  """How much more like those of changed sound each is than like those of its own, 0 to 1; None without a head."""
  if head is None:
    return [None] * len(syncs)
  told = [describe_curve(sync) for sync in syncs]
  return fuse(head, {name: np.array([one[name] for one in told]) for name in head.names}).tolist()


def write_head(workdir: Path, head: Fusion) -> None:
  """Keeps a head; its detectors are the figures of `describe_curve`."""
  fields = {'names': head.names, **dataclasses.asdict(head.sets[head.names])}
  (workdir / HEAD).write_text(json.dumps(fields) + '\n')


def read_head(workdir: Path) -> Fusion | None:
  """What `write_head` kept; None where there were too few people to fit one."""
  path = workdir / HEAD
  if not path.exists():
    return None
  fields = json.loads(path.read_text())
  names, bias = tuple(fields.pop('names')), fields.pop('bias')
  return Fusion(names, {names: Weights(**{name: tuple(values) for name, values in fields.items()}, bias=bias)})


def _describe(
  number: int, towers: Towers, reals: Sequence[float], head: Fusion | None, clips: Sequence[Clip]
) -> Document:
  """A face."""
  clips = sorted(clips, key=lambda clip: float(clip.times[0]))
  rate, window = towers.spec.rate, towers.model.window
  distances = measure_clips(towers, *(np.stack([c.features[name] for c in clips]) for name in towers.model.inputs))
  sync = find_sync(distances, rate)
  [p_changed] = score_head(head, [sync])
  times = [clip.times[: len(clip.times) - window + 1] + window / 2 / rate for clip in clips]
  followed = [follow_distance(one, sync.offset_ms, rate) for one in distances]
  return {
    'id': number,
    'verdict': judge(sync, reals),
    'offset_ms': round(sync.offset_ms),
    'confidence': round(sync.confidence, 4),
    'agreement': round(rank_agreement(sync.confidence, reals), 4),
    'p_changed': None if p_changed is None else round(p_changed, 4),
    'curve': [round(float(value), 4) for value in sync.curve],
    'times_s': [round(float(value), 3) for value in np.concatenate(times)],
    'distance': [None if np.isnan(value) else round(float(value), 4) for value in np.concatenate(followed)],
  }
