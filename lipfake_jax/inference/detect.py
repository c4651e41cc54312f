"""Videos of anyone: every face, all the time, scored while the next video is looked at.

In: paths, and weights. Out: a `Finding` a video, in the order of the paths, as soon as it is there. Next stage:
`report.detect_files` writes it. No TensorFlow and no dataset is loaded on this way; videos are decoded in processes of
their own, which they may crash or hang.
"""

import contextlib
import dataclasses
import functools
import operator
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from lipfake_jax.clips.clips import Clip, Rejection
from lipfake_jax.clips.features import FEATURES
from lipfake_jax.clips.listening import read_hearing
from lipfake_jax.clips.survey import AHEAD, GROUP, SECONDS, Progress, read_survey, save_rejection, survey_video
from lipfake_jax.clips.workers import Worker, run_workers
from lipfake_jax.core.clip_spec import ClipSpec
from lipfake_jax.core.errors import UserError
from lipfake_jax.core.names import printable
from lipfake_jax.inference.findings import Document, Window, describe_video
from lipfake_jax.inference.run import Run, open_run, open_shipped, read_input, score_arrays
from lipfake_jax.inference.sound_evidence import describe_hearing
from lipfake_jax.scoring.aggregation import aggregate

PEOPLE = ('all', 'largest')
TIME_LIMIT_S = 6 * 3600.0  # for one video: what needs longer hangs
EXPLAINED = 3  # people of a video, those of the highest scores: each costs as much as scoring some 50 windows

Picture = Callable[[Clip], Any]


@dataclasses.dataclass(frozen=True)
class Finding:
  """What was found in a video.

  Attributes:
    video: the file.
    document: see `findings`; its timing is empty, so that it is the same whenever it is made.
    timing: seconds: 'look' for faces and windows, 'score' for the model.
    pictures: of each person's windows, what `picture` made of their clips.
    mouths: of each person, frames of each event of the sound, RGB uint8 [N, S, S, 3], see `sound_evidence`.
    stopped: whether Ctrl-C came before its end.
    explained: by the person's place in the document, the number of the highest window, from 0, and what `explain` made
      of its clip.
  """

  video: Path
  document: Document
  timing: dict[str, float | None]
  pictures: list[list[Any]]
  mouths: list[list[np.ndarray]]
  stopped: bool
  explained: dict[int, tuple[int, Any]]


@dataclasses.dataclass(frozen=True)
class Stop:
  """A file that tells all processes to end with what they have."""

  path: Path

  def __bool__(self) -> bool:
    return self.path.exists()


def open_weights(name: str) -> Run:
  """The shipped weights by 'shipped', those in a folder: of a run, or kept as the shipped ones are; or an ONNX file's.

  JAX is loaded for all but the last.

  Raises:
    UserError: they are missing or damaged, or JAX is not installed.
  """
  if name.lower().endswith('.onnx'):
    from lipfake_jax.inference.onnx_weights import open_onnx

    return open_onnx(Path(name).expanduser())
  try:
    from lipfake_jax.models.shipped import SHIPPED
  except ModuleNotFoundError as error:
    raise UserError(
      f'--weights={name}: it needs JAX and Flax ({error}): install lipfake_jax[train], or name an ONNX file'
    ) from error
  return open_shipped() if name == SHIPPED else open_run(Path(name).expanduser())


def detect_videos(
  run: Run,
  videos: Sequence[Path],
  picture: Picture,
  most: int,
  people: str = 'all',
  progress: Progress | None = None,
  time_limit_s: float = TIME_LIMIT_S,
  explain: Picture | None = None,
  listen: bool = False,
  crew: Sequence[Worker] = (),
) -> Iterator[Finding]:
  """Looks at videos and scores them.

  Ctrl-C ends with what is done: the video that is being looked at is scored as far as it was seen, and the ones after
  it are left out. A second one ends at once.

  Args:
    run: of `open_weights`.
    videos: files, which may be anything.
    picture: what is kept of a window beside its scores.
    most: windows a face; more are thinned out evenly.
    people: 'all', or the 'largest' face alone.
    progress: is told how far a video is, by another process.
    time_limit_s: of one video.
    explain: what is made of the highest window of each person, of at most EXPLAINED of them.
    listen: whether to compare lips with what is heard.
    crew: processes that have begun to start, at most `count_workers`; others are started as needed.
  """
  spec = ClipSpec(**run.meta['clip'])
  with tempfile.TemporaryDirectory(prefix='lipfake-') as scratch, ThreadPoolExecutor(1) as pool:
    jobs = [(video, Path(scratch, f'{number:06}')) for number, video in enumerate(videos)]
    compiled = pool.submit(_compile, run, spec)
    with stopping(Path(scratch, 'stop')) as stop:
      work = functools.partial(survey_video, most=most, stop=stop.path, progress=progress, listen=listen)
      for video, folder in _survey(jobs, spec, work, time_limit_s, crew):
        yield _score(run, video, folder, picture, people, compiled, explain)


@contextlib.contextmanager
def stopping(path: Path) -> Iterator[Stop]:
  """Within the context the first Ctrl-C makes the file, the second one raises KeyboardInterrupt."""

  def ask(number: int, frame: object) -> None:
    del number, frame
    path.touch()
    signal.signal(signal.SIGINT, signal.default_int_handler)

  before = signal.signal(signal.SIGINT, ask)
  try:
    yield Stop(path)
  finally:
    signal.signal(signal.SIGINT, before)


def count_workers(videos: int) -> int:
  """How many processes look at so many videos: one a core at most."""
  return min(videos, len(os.sched_getaffinity(0)))


def _survey(
  jobs: Sequence[tuple[Path, Path]], spec: ClipSpec, work: Callable, time_limit_s: float, crew: Sequence[Worker]
) -> Iterator[tuple[Path, Path]]:
  """Each video and the folder of its survey, in their order; without those that were not begun before the stop."""
  alone = len(jobs) < len(os.sched_getaffinity(0))  # then there are cores to spare
  work = functools.partial(work, ahead=AHEAD if alone else 0)
  waiting, ended = list(reversed(jobs)), {}
  for job, outcome in run_workers(jobs, spec, work, count_workers(len(jobs)), time_limit_s, crew):
    if isinstance(outcome, Rejection):
      save_rejection(job[1], job[0], outcome)
    ended[job] = outcome
    while waiting and waiting[-1] in ended:
      ready = waiting.pop()
      if ended.pop(ready) != 'interrupted':
        yield ready


def _compile(run: Run, spec: ClipSpec) -> None:
  """Has the model compiled for a whole group of windows, while videos are looked at."""
  feature = FEATURES[read_input(run.meta)]
  run.score(np.zeros((GROUP, *feature.shape(spec)), feature.dtype))


def _score(
  run: Run, video: Path, folder: Path, picture: Picture, people: str, compiled: Future, explain: Picture | None
) -> Finding:
  facts, groups = read_survey(folder)
  compiled.result()
  began, feature = time.monotonic(), read_input(run.meta)
  if people == 'largest' and facts['people']:  # of those that can be judged, if there are any
    fit = [track for track in facts['people'] if not track['reason']] or facts['people']
    facts['people'] = [max(fit, key=lambda track: track['area'])]
  chosen = [track['track'] for track in facts['people']]
  windows: list[Window] = []
  pictures: dict[int, list[Any]] = {}
  highest: dict[int, tuple[float, int, Clip]] = {}  # by the face's number: score, number and clip of its window
  for group in groups:
    wanted = [clip for clip in group if clip.track in chosen]
    logits = score_arrays(run.score, [clip.features[feature] for clip in wanted], GROUP) if wanted else ()
    for clip, logit in zip(wanted, logits, strict=True):
      pictures.setdefault(clip.track, []).append(picture(clip))
      found = (aggregate(np.ravel(logit), run.rule), len(pictures[clip.track]) - 1, clip)
      if explain:
        highest[clip.track] = max(highest.get(clip.track, found), found, key=operator.itemgetter(0))
      windows.append(Window(dataclasses.replace(clip, features={}), np.ravel(logit)))
  hearing = read_hearing(folder)
  heard = {track: describe_hearing(hearing, track) for track in chosen} if hearing else {}
  sounds = {track: document for track, (document, _) in heard.items()}
  document = describe_video(printable(str(video)), facts, windows, run, sounds)
  scores = {place: person['p_fake'] for place, person in enumerate(document['people']) if chosen[place] in highest}
  first = sorted(scores, key=lambda place: -scores[place])[:EXPLAINED]
  explained = {place: (highest[chosen[place]][1], explain(highest[chosen[place]][2])) for place in first if explain}
  seconds = folder / SECONDS
  timing = {'look': float(seconds.read_text()) if seconds.exists() else None, 'score': time.monotonic() - began}
  shutil.rmtree(folder)
  shown = [pictures.get(number, []) for number in chosen]
  mouths = [heard[number][1] if heard else [] for number in chosen]
  return Finding(video, document, timing, shown, mouths, facts['stopped'], explained)
