"""A run as a file that other programs run: exported, and compared with the run on clips of real faces.

In: a run. Out: a file of one of `export_formats.FORMATS`, and what was measured. Next stage: `detect` takes ONNX.
"""

import dataclasses
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lipfake_jax.clips.clips import Rejection, extract_clips
from lipfake_jax.clips.landmarks import open_face_models
from lipfake_jax.core.clip_spec import ClipSpec
from lipfake_jax.core.errors import UserError
from lipfake_jax.demo.videos import DemoSpec, encode_video, list_videos, render_frames
from lipfake_jax.inference.export_formats import ENTRY, FORMATS, RESULT, Scorer
from lipfake_jax.inference.findings import describe_tool
from lipfake_jax.inference.programs import describe_entry, open_program
from lipfake_jax.inference.run import Run, read_input

FORMAT = 1  # of what a file tells of itself
TOLERANCE = 1e-4  # of a logit, or of its own size where that is over 1
ROUNDS = 10  # of a clip, of which the median time counts


@dataclasses.dataclass(frozen=True)
class Exported:
  """A file that was made.

  Attributes:
    n_bytes: its size.
    entry: shape of what it takes, symbolic sizes by their names.
    n_clips: how many were compared.
    difference: the largest between its logits and the run's.
    ms: for one clip on this CPU, by 'run' and 'file'.
  """

  n_bytes: int
  entry: tuple[str, ...]
  n_clips: int
  difference: float
  ms: dict[str, float]


def export_run(run: Run, target: str, path: Path, video: Path | None = None) -> Exported:
  """Writes a run's model as a file that tells what it is, once its logits have proved to be the run's.

  Args:
    run: with weights of JAX.
    target: one of FORMATS.
    path: the file.
    video: whose clips both score; None for two of the demo's, which are rendered.

  Raises:
    UserError: the format can't hold the model, its logits differ by more than TOLERANCE, or the video has no clip.
  """
  write, read = FORMATS[target]
  clips = np.stack(read_clips(run, video))
  program = open_program(run)
  entry = describe_entry(run, program)
  path.parent.mkdir(parents=True, exist_ok=True)
  partial = path.with_name(f'.{os.getpid()}_{path.name}')
  try:
    partial.write_bytes(write(program, entry, clips.shape[1:], describe_file(run, clips.dtype)))
    score = read(partial)
    difference = compare(run.score(clips), score(clips))
    partial.replace(path)
  finally:
    partial.unlink(missing_ok=True)
  ms = {name: _time(scorer, clips[:1]) for name, scorer in (('run', run.score), ('file', score))}
  return Exported(path.stat().st_size, tuple(map(str, entry.shape)), len(clips), difference, ms)


def describe_file(run: Run, dtype: np.dtype) -> dict[str, Any]:
  """What a file tells of itself: docs/export.md says what each key means."""
  kept = ('version', 'training', 'model', 'clip', 'digests')
  scale = {'divided_by': 255, 'where': 'in the model'} if dtype == np.uint8 else None
  return {
    'format': FORMAT,
    'tool': describe_tool(),
    'name': run.meta.get('name', run.workdir.name),
    **{name: run.meta[name] for name in kept if name in run.meta},
    'input': read_input(run.meta),
    'entry': {'name': ENTRY, 'dtype': dtype.name, 'scale': scale},
    'result': {'name': RESULT, 'dtype': 'float32', 'positive': 'fake'},
    'decision': dataclasses.asdict(run.decision),
    'limits': run.limits and dataclasses.asdict(run.limits),
  }


def read_clips(run: Run, video: Path | None) -> list[np.ndarray]:
  """What a run's model takes of a video, or of a real and a fake one of the demo."""
  spec, feature = ClipSpec(**run.meta['clip']), read_input(run.meta)
  with open_face_models() as models, tempfile.TemporaryDirectory() as folder:
    videos = [video] if video else _render(Path(folder))
    outcomes = [extract_clips(path, spec, models) for path in videos]
  for outcome in outcomes:
    if isinstance(outcome, Rejection):
      raise UserError(f'{outcome.key}: {outcome.reason} ({outcome.detail}): name a video with a face by --video')
  return [clip.features[feature] for outcome in outcomes if not isinstance(outcome, Rejection) for clip in outcome]


def compare(expected: np.ndarray, found: np.ndarray) -> float:
  """The largest difference between logits, each over its own size where that is over 1; UserError over TOLERANCE."""
  if expected.shape != found.shape:
    raise UserError(f'the exported model gives {found.shape}, not {expected.shape}: it was not kept')
  difference = float((np.abs(found - expected) / np.maximum(1, np.abs(expected))).max())
  if not difference <= TOLERANCE:
    raise UserError(f'the exported logits differ by {difference:.2g}, over {TOLERANCE:g}: the file was not kept')
  return difference


def _render(folder: Path) -> Sequence[Path]:
  """A real video and a fake one, as the demo has them."""
  spec = DemoSpec()
  videos = list_videos(spec)[:2]
  for video in videos:
    encode_video(folder / f'{video.label}.mp4', render_frames(spec, video), 'libx264', {'crf': '20'})
  return [folder / f'{video.label}.mp4' for video in videos]


def _time(score: Scorer, clip: np.ndarray) -> float:
  """Milliseconds, the median of some rounds after one that does not count."""
  score(clip)
  seconds = []
  for _ in range(ROUNDS):
    began = time.perf_counter()
    score(clip)
    seconds.append(time.perf_counter() - began)
  return 1000 * float(np.median(seconds))
