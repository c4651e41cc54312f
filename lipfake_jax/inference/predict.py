"""Scores for a user's videos.

In: a workdir with a trained run, or none, for the shipped weights; files and folders. Out: a table on the terminal, and
in the workdir or the current folder predictions.csv, with a row for each video as soon as it is scored, and
predictions.json at the end.
"""

import contextlib
import dataclasses
import functools
import os
import signal
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lipfake_jax.clips.clips import Clip, Rejection
from lipfake_jax.clips.extraction import stream_videos
from lipfake_jax.clips.results import load_result
from lipfake_jax.core.clip_spec import ClipSpec
from lipfake_jax.core.errors import Interrupted
from lipfake_jax.core.names import note_lines, printable
from lipfake_jax.data.files import find_sources
from lipfake_jax.inference.findings import decide, thresholds
from lipfake_jax.inference.parallel_eval import check_batch_size
from lipfake_jax.inference.people import group_people, judge_people, reject
from lipfake_jax.inference.predictions import Prediction, keep_predictions, prediction_table
from lipfake_jax.inference.run import Run, open_run, open_shipped, read_input, score_arrays
from lipfake_jax.scoring.aggregation import aggregate
from lipfake_jax.scoring.verdict import calibrate


def predict_videos(workdir: Path | None, sources: Sequence[str], batch_size: int) -> list[Prediction]:
  """Scores videos with a run's best weights, prints a table and writes predictions.csv and predictions.json.

  A run in a folder that can't be written scores them all the same, and says so.

  Args:
    workdir: of the run; None for the shipped weights, where predictions lie in the current folder.
    sources: video files, folders to look through, patterns and lists with commas, see `files.find_sources`.
    batch_size: clips at once, at most.

  Returns:
    One entry a video: 'video', 'p_fake', 'p_calibrated' and 'verdict' ('real', 'fake' or 'inconclusive'), None where
    there is no verdict, and 'reason' then; 'notes', what is unusual about it; and the same of each of its 'people'.

  Raises:
    UserError: no trained run, or a source that does not exist or holds no video.
    Interrupted: by Ctrl-C; what was scored is kept.
  """
  check_batch_size(batch_size)
  files = find_sources(sources)
  paths = files.found
  run = open_shipped() if workdir is None else open_run(workdir)
  predictions: list[Prediction] = []
  try:
    with (
      keep_predictions(workdir or Path(), describe_rule(run), files.named()) as keep,
      open_cache(workdir) as cache_dir,
    ):
      for group in stream_predictions(run, paths, cache_dir, batch_size):
        predictions += group
        keep(group)
      print('\n'.join([prediction_table(predictions, _heading(run)), *note_lines(files.named())]))
  except (KeyboardInterrupt, Interrupted) as stop:
    raise Interrupted(
      f'interrupted: {len(predictions)} of {len(paths)} videos are scored; the same command goes on from there',
      128 + signal.SIGINT,
    ) from stop
  return predictions


def stream_predictions(run: Run, paths: Sequence[Path], cache_dir: Path, batch_size: int) -> Iterator[list[Prediction]]:
  """Predictions of videos in their order, a few at once, as soon as their clips are there; none is held longer."""
  names = (printable(str(path)) for path in paths)
  spec = dataclasses.replace(ClipSpec(**run.meta['clip']), faces='all')  # of several people each gets a verdict
  judge = functools.partial(_judge, run)
  for caches in stream_videos(paths, spec, cache_dir, batch_size):
    outcomes = [load_result(cache, next(names)) for cache in caches]
    seen = [[] if isinstance(found, Rejection) else group_people(found) for found in outcomes]
    scores = iter(score_videos(run, [person for people in seen for person in people], batch_size))
    yield [
      _rejected(found)
      if isinstance(found, Rejection)
      else {'video': found[0].key, **judge_people(people, scores, judge)}
      for found, people in zip(outcomes, seen, strict=True)
    ]


@contextlib.contextmanager
def open_cache(workdir: Path | None) -> Iterator[Path]:
  """A folder for clips: the run's, or for this time only another one, where there is none or it can't be written."""
  folder = (workdir or Path(os.devnull)) / 'clip_cache'
  try:
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
      pass
  except OSError:
    with tempfile.TemporaryDirectory() as other:
      yield Path(other)
  else:
    yield folder


def score_videos(run: Run, videos: Sequence[Sequence[Clip]], batch_size: int) -> list[float]:
  """p(fake) of each video, or person, by all of its clips."""
  feature = read_input(run.meta)
  logits = iter(score_arrays(run.score, [clip.features[feature] for clips in videos for clip in clips], batch_size))
  return [aggregate(np.ravel([next(logits) for _ in clips]), run.rule) for clips in videos]


def describe_rule(run: Run) -> dict[str, Any]:
  """How a run decides: its threshold and temperature, and the limits between which it does not."""
  limits = {} if run.limits is None else {'limits': dataclasses.asdict(run.limits)}
  return {**dataclasses.asdict(run.decision), **limits}


def _heading(run: Run) -> str:
  if run.limits is None:
    return f'fake above {run.decision.threshold:.3f}'
  high, low = thresholds(run)
  return f'fake above {high:.3f}, real below {low:.3f}: each wrong for at most {run.limits.error:.0%} of a class'


def _judge(run: Run, p_fake: float) -> Prediction:
  calibrated = float(calibrate(np.array(p_fake), run.decision.temperature))
  return {'p_fake': p_fake, 'p_calibrated': calibrated, 'verdict': decide(p_fake, run)}


def _rejected(rejection: Rejection) -> Prediction:
  return {'video': rejection.key, **reject(f'{rejection.reason} ({rejection.detail})'), 'people': []}
