"""Scores for a user's videos.

In: a workdir with a trained run, or none, for the shipped weights; files and folders. Out: a table on the terminal and
`predictions.json`, in the workdir or in the current folder.
"""

import dataclasses
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lipfake_jax.clips import extraction
from lipfake_jax.clips.clips import Clip, Rejection
from lipfake_jax.core.clip_spec import ClipSpec
from lipfake_jax.core.names import note_lines, printable
from lipfake_jax.data.files import find_sources
from lipfake_jax.inference.input_range import note_range
from lipfake_jax.inference.parallel_eval import check_batch_size
from lipfake_jax.inference.run import Run, open_run, open_shipped, read_input
from lipfake_jax.scoring.aggregation import aggregate
from lipfake_jax.scoring.conformal import decide_within
from lipfake_jax.scoring.verdict import calibrate

Prediction = dict[str, Any]
MAX_WIDTH = 100  # of the table's first column; longer names run into the next


def predict_videos(workdir: Path | None, sources: Sequence[str], batch_size: int) -> list[Prediction]:
  """Scores videos with a run's best weights, or the shipped ones, prints a table and writes predictions.json.

  Args:
    workdir: of the run; None for the shipped weights, where nothing is kept but predictions.json.
    sources: video files, folders to look through, patterns and lists with commas, see `files.find_sources`.
    batch_size: clips at once.

  Returns:
    One entry a video: 'video', 'p_fake', 'p_calibrated' and 'verdict' ('real', 'fake' or 'inconclusive'), None where
    there is no verdict, and 'reason' then; 'notes' on what lies outside of the range that was measured.

  Raises:
    UserError: no trained run, or a source that does not exist or holds no video.
  """
  check_batch_size(batch_size)
  files = find_sources(sources)
  run = open_shipped() if workdir is None else open_run(workdir)
  outcomes = _extract(files.found, ClipSpec(**run.meta['clip']), workdir)
  scores = iter(score_videos(run, [found for found in outcomes if not isinstance(found, Rejection)], batch_size))
  predictions = [
    _rejected(found) if isinstance(found, Rejection) else _scored(printable(str(path)), found, next(scores), run)
    for path, found in zip(files.found, outcomes, strict=True)
  ]
  print('\n'.join([prediction_table(predictions, _rule(run)), *note_lines(files.named())]))
  output = (workdir or Path()) / 'predictions.json'
  limits = {} if run.limits is None else {'limits': dataclasses.asdict(run.limits)}
  report = {**dataclasses.asdict(run.decision), **limits, 'videos': predictions, 'left_out': files.named()}
  output.write_text(json.dumps(report, indent=2))
  print(f'\nwritten to {output}')
  return predictions


def _extract(paths: Sequence[Path], spec: ClipSpec, workdir: Path | None) -> list[list[Clip] | Rejection]:
  """The clips of each video; they are kept below the workdir, if there is one."""
  with tempfile.TemporaryDirectory() as scratch:
    caches = extraction.extract_videos(paths, spec, (workdir or Path(scratch)) / 'clip_cache')
    return [extraction.load_result(cache, printable(str(path))) for path, cache in zip(paths, caches, strict=True)]


def score_videos(run: Run, videos: Sequence[Sequence[Clip]], batch_size: int) -> list[float]:
  """p(fake) of each video by all of its clips."""
  feature = read_input(run.meta)
  logits = iter(_score_clips(run.score, [clip.features[feature] for clips in videos for clip in clips], batch_size))
  return [aggregate(np.ravel([next(logits) for _ in clips]), run.rule) for clips in videos]


def prediction_table(predictions: Sequence[Prediction], rule: str) -> str:
  """One line a video, under a heading that tells how verdicts come about."""
  width = min(max(len('video'), *(len(p['video']) for p in predictions)), MAX_WIDTH)
  lines = [f'{"video":{width}}  p_fake  verdict ({rule})']
  for p in predictions:
    figure = '     -' if p['p_fake'] is None else f'{p["p_fake"]:6.3f}'
    lines.append(f'{p["video"]:{width}}  {figure}  {p["verdict"] or "none: " + p["reason"]}{_remark(p)}')
  return '\n'.join(lines)


def _score_clips(score, clips: Sequence[np.ndarray], batch_size: int) -> list[np.ndarray]:
  """Logits of clips, each [T, ...]; the last batch is padded, so that one shape is compiled."""
  logits: list[np.ndarray] = []
  for start in range(0, len(clips), batch_size):
    batch = np.stack(clips[start : start + batch_size])
    padding = np.zeros((batch_size - len(batch), *batch.shape[1:]), batch.dtype)
    logits += list(score(np.concatenate([batch, padding]))[: len(batch)])
  return logits


def _rule(run: Run) -> str:
  if run.limits is None:
    return f'fake above {run.decision.threshold:.3f}'
  low, high = sorted((run.limits.real, run.limits.fake))
  return f'fake above {high:.3f}, real below {low:.3f}: each wrong for at most {run.limits.error:.0%} of a class'


def _remark(prediction: Prediction) -> str:
  return f' ({"; ".join(prediction["notes"])})' if prediction['notes'] else ''


def _scored(video: str, clips: Sequence[Clip], p_fake: float, run: Run) -> Prediction:
  calibrated = float(calibrate(np.array(p_fake), run.decision.temperature))
  if run.limits is None:
    verdict = 'fake' if p_fake > run.decision.threshold else 'real'
  else:
    verdict = decide_within(p_fake, run.limits)
  found = {'video': video, 'p_fake': p_fake, 'p_calibrated': calibrated, 'verdict': verdict, 'reason': None}
  return {**found, 'notes': note_range(clips)}


def _rejected(rejection: Rejection) -> Prediction:
  reason = f'{rejection.reason} ({rejection.detail})'
  return {'video': rejection.key, 'p_fake': None, 'p_calibrated': None, 'verdict': None, 'reason': reason, 'notes': []}
