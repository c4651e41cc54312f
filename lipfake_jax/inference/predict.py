"""Scores for a user's videos.

In: a workdir with a trained run; files and folders. Out: a table on the terminal and `<workdir>/predictions.json`.
"""

import dataclasses
import functools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lipfake_jax.clips import extraction
from lipfake_jax.clips.clips import Clip, Rejection
from lipfake_jax.core.clip_spec import ClipSpec
from lipfake_jax.core.names import note_lines, printable
from lipfake_jax.data.files import find_sources
from lipfake_jax.inference import people
from lipfake_jax.inference.parallel_eval import check_batch_size
from lipfake_jax.inference.run import Run, open_run, read_input
from lipfake_jax.scoring.aggregation import aggregate
from lipfake_jax.scoring.verdict import Decision, calibrate

Prediction = dict[str, Any]
MAX_WIDTH = 100  # of the table's first column; longer names run into the next


def predict_videos(workdir: Path, sources: Sequence[str], batch_size: int) -> list[Prediction]:
  """Scores videos with a run's best weights, prints a table and writes predictions.json.

  Args:
    workdir: of the run.
    sources: video files, folders to look through, patterns and lists with commas, see `files.find_sources`.
    batch_size: clips at once.

  Returns:
    One entry a video: 'video', 'p_fake', 'p_calibrated' and 'verdict' ('real' or 'fake'), None where there is no
    verdict, and 'reason' then; 'notes', what is unusual about it; and the same of each of its 'people'.

  Raises:
    UserError: no trained run, or a source that does not exist or holds no video.
  """
  check_batch_size(batch_size)
  files = find_sources(sources)
  paths = files.found
  run = open_run(workdir)
  spec = dataclasses.replace(ClipSpec(**run.meta['clip']), faces='all')  # of several people each gets a verdict
  caches = extraction.extract_videos(paths, spec, workdir / 'clip_cache')
  outcomes = [extraction.load_result(cache, printable(str(path))) for path, cache in zip(paths, caches, strict=True)]
  seen = [[] if isinstance(found, Rejection) else people.group_people(found) for found in outcomes]
  scores = iter(score_videos(run, [person for persons in seen for person in persons], batch_size))
  judge = functools.partial(_judge, decision=run.decision)
  predictions = [
    _rejected(found)
    if isinstance(found, Rejection)
    else {'video': found[0].key, **people.judge_people(persons, scores, judge)}
    for persons, found in zip(seen, outcomes, strict=True)
  ]
  print('\n'.join([prediction_table(predictions, run.decision.threshold), *note_lines(files.named())]))
  output = workdir / 'predictions.json'
  report = {**dataclasses.asdict(run.decision), 'videos': predictions, 'left_out': files.named()}
  output.write_text(json.dumps(report, indent=2))
  print(f'\nwritten to {output}')
  return predictions


def score_videos(run: Run, videos: Sequence[Sequence[Clip]], batch_size: int) -> list[float]:
  """p(fake) of each video, or person, by all of its clips."""
  feature = read_input(run.meta)
  logits = iter(_score_clips(run.score, [clip.features[feature] for clips in videos for clip in clips], batch_size))
  return [aggregate(np.ravel([next(logits) for _ in clips]), run.rule) for clips in videos]


def prediction_table(predictions: Sequence[Prediction], threshold: float) -> str:
  """One line a video, and below it one for each face where there are several."""
  width = min(max(len('video'), *(len(p['video']) for p in predictions)), MAX_WIDTH)
  lines = [f'{"video":{width}}  p_fake  verdict (fake above {threshold:.3f})']
  lines += [line for p in predictions for line in people.prediction_lines(p['video'], p, width)]
  return '\n'.join(lines)


def _score_clips(score, clips: Sequence[np.ndarray], batch_size: int) -> list[np.ndarray]:
  """Logits of clips, each [T, ...]; the last batch is padded, so that one shape is compiled."""
  logits: list[np.ndarray] = []
  for start in range(0, len(clips), batch_size):
    batch = np.stack(clips[start : start + batch_size])
    padding = np.zeros((batch_size - len(batch), *batch.shape[1:]), batch.dtype)
    logits += list(score(np.concatenate([batch, padding]))[: len(batch)])
  return logits


def _judge(p_fake: float, decision: Decision) -> Prediction:
  calibrated = float(calibrate(np.array(p_fake), decision.temperature))
  verdict = 'fake' if p_fake > decision.threshold else 'real'
  return {'p_fake': p_fake, 'p_calibrated': calibrated, 'verdict': verdict}


def _rejected(rejection: Rejection) -> Prediction:
  return {'video': rejection.key, **people.reject(f'{rejection.reason} ({rejection.detail})'), 'people': []}
