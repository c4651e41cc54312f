"""A survey of a video: the windows of all its faces, and what is known of the file, in a folder of its own.

In: a video, in a worker process. Out: `facts.json`, and files of a few windows each, so that a long video takes no more
memory than a short one. Next stage: `inference.detect` scores the windows.
"""

import contextlib
import hashlib
import itertools
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from lipfake_jax.clips import evidence
from lipfake_jax.clips.analysis import Analysis, analyse_frames
from lipfake_jax.clips.clips import IN_VIEW_S, Clip, Rejection, cut_clips, explain_lack
from lipfake_jax.clips.container import VideoError
from lipfake_jax.clips.face_track import Track
from lipfake_jax.clips.landmarks import FaceModels
from lipfake_jax.clips.listening import hear_video, save_hearing
from lipfake_jax.clips.results import load_result, save_result
from lipfake_jax.clips.sound import read_sound
from lipfake_jax.clips.stretches import Plan, plan_stretches, read_stretches
from lipfake_jax.clips.video import Frame, VideoInfo, probe, read_frames
from lipfake_jax.clips.windows import cut_windows
from lipfake_jax.core.clip_spec import ClipSpec
from lipfake_jax.core.names import printable

FACTS, SECONDS = 'facts.json', 'seconds'  # what is known of a video, and how long that took
FACES = 'faces.bin'  # where they were found, see `face_records`
GROUP = 16  # windows in a file, which are scored at once
LOOK_UP = 25  # frames between two looks at the clock and for the file that tells to stop
AHEAD = 8  # frames that one stage may be before the next, where there are cores to spare
TOLD_S = 0.5  # seconds between two lines of progress
DENSE = sys.maxsize  # windows a face: all of them

Facts = dict[str, Any]
# Is told the name of a video, the share of it that was looked at, and the seconds that the rest will take; the share is
# 1 at the end alone. A function of a module, since another process calls it.
Progress = Callable[[str, float, float], None]


def survey_video(
  job: tuple[Path, Path],
  spec: ClipSpec,
  models: FaceModels,
  most: int,
  stop: Path,
  progress: Progress | None,
  listen: bool = False,
  ahead: int = 0,
  step: int | None = None,
) -> str | None:
  """A worker's task: fills a folder with the survey of a video; no file raises.

  Args:
    job: the video, and the folder.
    spec: what a window is.
    models: from `landmarks.open_face_models`.
    most: windows a face; with DENSE all of a long video is looked at, not only stretches of it.
    stop: a file; once it exists, what was seen of the video until then is kept as the survey.
    progress: is told how far it is.
    listen: whether to keep what is heard and what lips do meanwhile, see `listening`; then, too, all is looked at.
    ahead: of frames, see `analysis.analyse_frames`.
    step: moments from one window to the next, see `windows.cut_windows`.

  Returns:
    Why the video has no windows, or None.
  """
  began, (video, folder) = time.monotonic(), job
  folder.mkdir(parents=True, exist_ok=True)
  facts = describe_file(video)
  if stop.exists():
    return _save_facts(folder, facts, Rejection('interrupted', 'it was not looked at', video.name))
  try:
    info = probe(video)
    facts |= {'fps': info.fps, 'width': info.width, 'height': info.height, 'codec': info.codec}
    whole = most == DENSE or listen or spec.sound  # sound is that of the whole video
    plan = Plan() if whole else plan_stretches(video, info, spec)
    facts |= {'notes': plan.notes}
    frames = read_stretches(video, plan) if plan.starts else read_frames(video)
    seen = _watch(frames, info, stop, video.name, progress)
    faces = folder / FACES if listen else None
    sound = read_sound(video) if spec.sound else None
    analysis = analyse_frames(info, seen, spec, models, faces, sound, ahead)
  except VideoError as error:
    return _save_facts(folder, facts, Rejection('unreadable', str(error), video.name))
  with contextlib.closing(analysis.spool):
    duration_s = info.duration_s if plan.starts else analysis.duration
    facts |= {'frames': analysis.n_frames, 'duration_s': duration_s, 'stopped': stop.exists()}
    reason = _save_windows(folder, facts, analysis, spec, most, step)
  if faces and not facts['stopped']:
    save_hearing(hear_video(video, faces, analysis.ends_s), folder)
  (folder / SECONDS).write_text(f'{time.monotonic() - began:.3f}')
  return reason


def read_survey(folder: Path) -> tuple[Facts, Iterator[list[Clip]]]:
  """The facts of a survey, and its windows, a few at once; they are read as they are asked for."""
  files = sorted(folder.glob('[0-9]*.npz'))
  return json.loads((folder / FACTS).read_text()), (_read_group(path) for path in files)


def describe_file(video: Path) -> Facts:
  """'sha256' and 'bytes' of a file, None where it can't be read, and None for all that is not known yet."""
  unknown = dict.fromkeys(('fps', 'width', 'height', 'codec', 'frames', 'duration_s'))
  facts: Facts = {
    'sha256': None,
    'bytes': None,
    **unknown,
    'stopped': False,
    'notes': (),
    'reason': None,
    'detail': None,
    'people': [],
  }
  with contextlib.suppress(OSError), open(video, 'rb') as file:
    facts |= {'sha256': hashlib.file_digest(file, 'sha256').hexdigest(), 'bytes': video.stat().st_size}
  return facts


def save_rejection(folder: Path, video: Path, rejection: Rejection) -> None:
  """The survey of a video whose worker is gone and could not write it."""
  folder.mkdir(parents=True, exist_ok=True)
  for path in folder.glob('*.npz'):  # a hearing, too
    path.unlink()
  _save_facts(folder, describe_file(video), rejection)


def _save_windows(
  folder: Path, facts: Facts, analysis: Analysis, spec: ClipSpec, most: int, step: int | None
) -> str | None:
  """Keeps the windows of all faces that are fit for a verdict, and says of the others why they are not."""
  faults = {track.number: evidence.find_fault(track, spec) for track in analysis.tracks}
  sound = [track for track in analysis.tracks if not faults[track.number]]
  windows: Iterator[Clip] = itertools.chain.from_iterable(
    cut_windows(analysis, track, spec, most, step) for track in sound
  )
  shown: set[int] = set()
  for number, group in enumerate(_batched(windows, GROUP)):
    save_result(group, folder / f'{number:06}.npz')
    shown |= {clip.track for clip in group}
  lacking: list[Clip] | Rejection | None = None if shown else cut_clips(analysis, spec, 'video')
  if isinstance(lacking, list):  # a rule may still find enough in a whole track
    save_result(lacking, folder / f'{0:06}.npz')
    shown, lacking = {clip.track for clip in lacking}, None
  faults |= {t.number: explain_lack(analysis, [t], spec) for t in sound if t.number not in shown}
  listed = [track for track in analysis.tracks if track.number in shown or np.ptp(track.times) >= IN_VIEW_S]
  people = [describe_track(track, analysis.n_frames, faults[track.number]) for track in listed]
  return _save_facts(folder, {**facts, 'people': people}, lacking)


def describe_track(track: Track, n_frames: int, fault: evidence.Fault | None) -> Facts:
  """What is kept of a face beside its windows; its share is of `n_frames`."""
  reason, detail = fault or (None, None)
  return {
    'track': track.number,
    'from_s': float(track.times[0]),
    'to_s': float(track.times[-1]),
    'share': len(track) / n_frames,
    'mouth_px': float(np.median(track.mouth_widths)),
    'area': float((np.abs(track.placements[:, 1]) ** 2).sum()),
    'reason': reason,
    'detail': detail,
  }


def _save_facts(folder: Path, facts: Facts, rejection: Rejection | None) -> str | None:
  if rejection:
    facts = {**facts, 'reason': rejection.reason, 'detail': rejection.detail}
  (folder / FACTS).write_text(json.dumps(facts))
  return facts['reason']


def _read_group(path: Path) -> list[Clip]:
  found = load_result(path, path.stem)
  return [] if isinstance(found, Rejection) else found


def _batched(items: Iterator[Clip], count: int) -> Iterator[list[Clip]]:
  while group := list(itertools.islice(items, count)):
    yield group


def tell_terminal(name: str, done: float, left_s: float) -> None:
  """A `Progress` that replaces the last line of a terminal, on stderr."""
  minutes, seconds = divmod(round(left_s), 60)
  line = f'{printable(name)}: {done:.0%} looked at, {minutes}:{seconds:02} left' if done < 1 else ''
  print(f'\r\x1b[K{line}', end='', file=sys.stderr, flush=True)


def _watch(
  frames: Iterator[Frame], info: VideoInfo, stop: Path, name: str, progress: Progress | None
) -> Iterator[Frame]:
  """Passes frames until the file `stop` exists, and tells how far it is."""
  began, told = time.monotonic(), time.monotonic()
  for frame in frames:
    yield frame
    if frame.index % LOOK_UP:
      continue
    if stop.exists():
      return
    if progress and info.duration_s > 0 and time.monotonic() - told > TOLD_S:
      told = time.monotonic()
      done = min(max(frame.time_s / info.duration_s, 1e-6), 0.999)  # the header may be wrong
      progress(name, done, (told - began) * (1 - done) / done)
  if progress:
    progress(name, 1.0, 0.0)
