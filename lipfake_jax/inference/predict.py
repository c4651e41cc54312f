"""Scores for a user's videos.

In: a workdir with a trained run; files and folders. Out: a table on the terminal and `<workdir>/predictions.json`.
"""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lipfake_jax.clips import extraction, results
from lipfake_jax.clips.clips import Clip, Rejection
from lipfake_jax.core.clip_spec import ClipSpec
from lipfake_jax.core.errors import UserError
from lipfake_jax.data import listing
from lipfake_jax.inference.parallel_eval import check_batch_size
from lipfake_jax.inference.run import Run, open_run, read_input
from lipfake_jax.scoring.aggregation import aggregate
from lipfake_jax.scoring.verdict import Decision, calibrate

Prediction = dict[str, Any]


def predict_videos(workdir: Path, sources: Sequence[str], batch_size: int) -> list[Prediction]:
  """Scores videos with a run's best weights, prints a table and writes predictions.json.

  Args:
    workdir: of the run.
    sources: video files, and folders to look through for video files.
    batch_size: clips at once.

  Returns:
    One entry a video: 'video', 'p_fake', 'p_calibrated' and 'verdict' ('real' or 'fake'), None where there is no
    verdict, and 'reason' then.

  Raises:
    UserError: no trained run, or a source that does not exist or holds no video.
  """
  check_batch_size(batch_size)
  paths = find_videos(sources)
  run = open_run(workdir)
  caches = extraction.extract_videos(paths, ClipSpec(**run.meta['clip']), workdir / 'clip_cache')
  outcomes = [results.load_result(cache, str(path)) for path, cache in zip(paths, caches, strict=True)]
  scores = iter(score_videos(run, [found for found in outcomes if not isinstance(found, Rejection)], batch_size))
  predictions = [
    _rejected(found) if isinstance(found, Rejection) else _scored(str(path), next(scores), run.decision)
    for path, found in zip(paths, outcomes, strict=True)
  ]
  print(prediction_table(predictions, run.decision.threshold))
  output = workdir / 'predictions.json'
  output.write_text(json.dumps({**dataclasses.asdict(run.decision), 'videos': predictions}, indent=2))
  print(f'\nwritten to {output}')
  return predictions


def score_videos(run: Run, videos: Sequence[Sequence[Clip]], batch_size: int) -> list[float]:
  """p(fake) of each video by all of its clips."""
  feature = read_input(run.meta)
  logits = iter(_score_clips(run.score, [clip.features[feature] for clips in videos for clip in clips], batch_size))
  return [aggregate(np.ravel([next(logits) for _ in clips]), run.rule) for clips in videos]


def find_videos(sources: Sequence[str]) -> list[Path]:
  """The files named, and the video files below the folders named, sorted within each folder, each once."""
  paths: list[Path] = []
  for source in map(Path, sources):
    if source.is_dir():
      found = listing.find_videos(source)
      if not found:
        raise UserError(f'{source}: no video in this folder (a name that ends in {", ".join(listing.VIDEO_SUFFIXES)})')
      paths += found
    elif source.is_file():
      paths.append(source)
    else:
      raise UserError(f'{source}: no such file or folder')
  return list(dict.fromkeys(paths))


def prediction_table(predictions: Sequence[Prediction], threshold: float) -> str:
  """One line a video."""
  width = max(len('video'), *(len(p['video']) for p in predictions))
  lines = [f'{"video":{width}}  p_fake  verdict (fake above {threshold:.3f})']
  for p in predictions:
    figure = '     -' if p['p_fake'] is None else f'{p["p_fake"]:6.3f}'
    lines.append(f'{p["video"]:{width}}  {figure}  {p["verdict"] or "none: " + p["reason"]}')
  return '\n'.join(lines)


def _score_clips(score, clips: Sequence[np.ndarray], batch_size: int) -> list[np.ndarray]:
  """Logits of clips, each [T, ...]; the last batch is padded, so that one shape is compiled."""
  logits: list[np.ndarray] = []
  for start in range(0, len(clips), batch_size):
    batch = np.stack(clips[start : start + batch_size])
    padding = np.zeros((batch_size - len(batch), *batch.shape[1:]), batch.dtype)
    logits += list(score(np.concatenate([batch, padding]))[: len(batch)])
  return logits


def _scored(video: str, p_fake: float, decision: Decision) -> Prediction:
  calibrated = float(calibrate(np.array(p_fake), decision.temperature))
  verdict = 'fake' if p_fake > decision.threshold else 'real'
  return {'video': video, 'p_fake': p_fake, 'p_calibrated': calibrated, 'verdict': verdict, 'reason': None}


def _rejected(rejection: Rejection) -> Prediction:
  reason = f'{rejection.reason} ({rejection.detail})'
  return {'video': rejection.key, 'p_fake': None, 'p_calibrated': None, 'verdict': None, 'reason': reason}
