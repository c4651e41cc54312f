"""What is found in a video, as `lipfake detect` writes it: scores of windows, verdicts on people and on the video.

In: windows with their logits, and a run. Out: a document of JSON's types; docs/detect.schema.json describes it. What is
unknown is None. Next stage: `report.detect_page`.
"""

import dataclasses
import hashlib
import importlib.metadata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import lipfake_jax
from lipfake_jax.clips.clips import Clip
from lipfake_jax.inference.input_range import note_range
from lipfake_jax.inference.run import Run, read_input
from lipfake_jax.scoring.aggregation import aggregate
from lipfake_jax.scoring.conformal import INCONCLUSIVE, decide_within
from lipfake_jax.scoring.verdict import calibrate

SCHEMA = '1.1'  # the first number changes where a reader of the old one would misread the new one
NONE = 'none'  # the verdict where there is none
KINDS = {'clip': 'pixels', 'lips': 'kinematics', 'motion': 'kinematics'}  # of evidence, by what the model is fed with
DIGITS = 6  # of scores: more differ from one processor to the next

Document = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Window:
  """A window of a face: its clip, without the features, and the model's logits for it, float32 [M]."""

  clip: Clip
  logits: np.ndarray


def describe_video(
  path: str,
  facts: Mapping[str, Any],
  windows: Sequence[Window],
  run: Run,
  sounds: Mapping[int, Document] | None = None,
) -> Document:
  """The document of one video.

  Args:
    path: its name, as it may be shown.
    facts: of `survey.read_survey`; its people are those that are told of.
    windows: of theirs.
    run: what scored them.
    sounds: by their tracks, what their lips say of the sound; none where nothing was listened to.
  """
  people = [
    describe_person(
      number, track, [w for w in windows if w.clip.track == track['track']], run, (sounds or {}).get(track['track'])
    )
    for number, track in enumerate(facts['people'], 1)
  ]
  judged = sum(person['verdict'] != NONE for person in people)
  stopped = ['interrupted: the rest of the video was not looked at'] if facts['stopped'] else []
  several = [f'{judged} faces are judged, each with its own chance of a false alarm'] if judged > 1 else []
  return {
    'schema': SCHEMA,
    'tool': describe_tool(),
    'weights': describe_weights(run),
    'video': {'path': path, **{name: facts[name] for name in ('sha256', 'bytes')}, **_measures(facts)},
    **judge_video(people, facts),
    'warnings': [*stopped, *facts['notes'], *several],
    'timing': None,
    'people': people,
  }


def describe_tool() -> Document:
  """Name, version, and one digest of all source files of this package."""
  folder, total = Path(lipfake_jax.__file__).parent, hashlib.sha256()
  for path in sorted(folder.rglob('*.py')):
    total.update(f'{path.relative_to(folder).as_posix()}\n'.encode() + path.read_bytes())
  return {'name': 'lipfake', 'version': importlib.metadata.version('lipfake_jax'), 'sha256': total.hexdigest()}


def describe_weights(run: Run) -> Document:
  """Which weights, of which model, and above and below which scores they call a video fake or real."""
  high, low = thresholds(run)
  return {
    'name': run.meta.get('name', run.workdir.name),
    'version': run.meta.get('version'),
    'sha256': run.meta['digests']['weights'],
    'model': run.meta['model']['name'],
    'fake_above': round(high, DIGITS),
    'real_below': round(low, DIGITS),
    'error': run.limits.error if run.limits else None,
  }


def thresholds(run: Run) -> tuple[float, float]:
  """The score above which a video is called fake, and the one below which it is called real."""
  if run.limits is None:
    return run.decision.threshold, run.decision.threshold
  low, high = sorted((run.limits.real, run.limits.fake))
  return high, low


def decide(p_fake: float, run: Run) -> str:
  """'real', 'fake' or, where the run has limits, 'inconclusive'."""
  if run.limits is not None:
    return decide_within(p_fake, run.limits)
  return 'fake' if p_fake > run.decision.threshold else 'real'


def _measures(facts: Mapping[str, Any]) -> Document:
  """What is known of the container and its frames, rounded."""
  names = {'duration_s': 3, 'fps': 3, 'width': 0, 'height': 0}
  rounded = {
    name: facts[name] if facts[name] is None else round(facts[name], digits or None) for name, digits in names.items()
  }
  return {**rounded, 'codec': facts['codec'], 'frames': facts['frames']}


def describe_person(
  number: int, track: Mapping[str, Any], windows: Sequence[Window], run: Run, sound: Document | None = None
) -> Document:
  """A face with its windows, or one without any and the reason."""
  clips, verdict = [window.clip for window in windows], NONE
  evidence: Document = {'pixels': None, 'kinematics': None, 'sound': sound}
  scores: Document = dict.fromkeys(('p_fake', 'p_calibrated'))
  reason: str | None = f'{track["reason"]} ({track["detail"]})'
  if windows:
    p_fake = aggregate(np.concatenate([np.ravel(window.logits) for window in windows]), run.rule)
    scores, (verdict, reason) = _scores(p_fake, run), _judge(p_fake, run)
    evidence[KINDS[read_input(run.meta)]] = {'p_fake': scores['p_fake'], 'windows': len(windows)}
  return {
    'id': number,
    'verdict': verdict,
    **scores,
    'reason': reason,
    'warnings': note_range(clips) if clips else [],
    'from_s': round(track['from_s'], 3),
    'to_s': round(track['to_s'], 3),
    'share': round(track['share'], 4),
    'mouth_px': round(track['mouth_px'], 1),
    'sharpness': round(float(np.median([clip.sharpness for clip in clips])), 1) if clips else None,
    'windows': [describe_window(window, run) for window in windows],
    'evidence': evidence,
  }


def _judge(p_fake: float, run: Run) -> tuple[str, str | None]:
  """The verdict on a score, and the reason where it is inconclusive."""
  verdict = decide(p_fake, run)
  if verdict != INCONCLUSIVE:
    return verdict, None
  high, low = thresholds(run)
  return verdict, f'between_limits (p_fake {p_fake:.3f}; it would be fake above {high:.3f}, real below {low:.3f})'


def judge_video(people: Sequence[Document], facts: Mapping[str, Any]) -> Document:
  """Verdict, scores and reason of a video: those of the person with the highest score, where there is one.

  One faked face makes a fake; a video is real where everybody who could be judged is.
  """
  scored = [person for person in people if person['p_fake'] is not None]
  if scored:
    worst = max(scored, key=lambda person: person['p_fake'])
    return {name: worst[name] for name in ('verdict', 'p_fake', 'p_calibrated', 'reason')}
  reason = f'{facts["reason"]} ({facts["detail"]})' if facts['reason'] else people[0]['reason']
  return {'verdict': NONE, 'p_fake': None, 'p_calibrated': None, 'reason': reason}


def describe_window(window: Window, run: Run) -> Document:
  """A window by itself: when, where, its scores."""
  clip, p_fake = window.clip, aggregate(np.ravel(window.logits), run.rule)
  return {
    'start_s': round(float(clip.times[0]), 3),
    'end_s': round(float(clip.times[-1]) + 1 / clip.fps, 3),
    **_scores(p_fake, run),
    'verdict': decide(p_fake, run),
    'box': [round(float(side), 1) for side in clip.boxes.mean(axis=0)],
    'angle': round(float(clip.angles.mean()), 1),
    'sharpness': round(clip.sharpness, 1),
    'motion': round(float(clip.activity.mean()), 3),
  }


def _scores(p_fake: float, run: Run) -> Document:
  calibrated = float(calibrate(np.array(p_fake), run.decision.temperature))
  return {'p_fake': round(p_fake, DIGITS), 'p_calibrated': round(calibrated, DIGITS)}
