"""Looks at a dataset on disk before its build: what is there, what can be read, how long it will take, whether it fits.

In: the videos that a builder lists. Out: what `lipfake doctor` prints.
"""

import concurrent.futures
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lipfake_jax.clips.clips import Clip, extract_clips
from lipfake_jax.clips.extraction import clip_bytes
from lipfake_jax.clips.landmarks import open_face_models
from lipfake_jax.clips.video import VideoError, probe
from lipfake_jax.core.clip_spec import ClipSpec
from lipfake_jax.core.disk import free_bytes
from lipfake_jax.core.vocabulary import VideoRecord

COPIES = 2  # of each clip: in the cache, from which a build goes on, and in the dataset


def find_unreadable(paths: Sequence[Path]) -> dict[Path, str]:
  """The files whose head can't be read as a video's, with the reason."""

  def read_head(path: Path) -> str:
    try:
      probe(path)
      return ''
    except VideoError as error:
      return str(error)

  with concurrent.futures.ThreadPoolExecutor() as pool:
    reasons = dict(zip(paths, pool.map(read_head, paths), strict=True))
  return {path: reason for path, reason in reasons.items() if reason}


def measure_extraction(videos: Sequence[VideoRecord], spec: ClipSpec, sample: int) -> tuple[float, float]:
  """Seconds a video on one core, and the share of videos that gave a clip, of a few spread evenly over all."""
  chosen = [videos[i] for i in np.unique(np.linspace(0, len(videos) - 1, sample).round().astype(int))]
  with open_face_models() as models:
    started = time.perf_counter()
    outcomes = [extract_clips(video.path, spec, models) for video in chosen]
  seconds = time.perf_counter() - started
  return seconds / len(chosen), sum(_has_clip(outcome) for outcome in outcomes) / len(chosen)


def measure_room(videos: int, spec: ClipSpec, data_dir: Path) -> tuple[int, int]:
  """Bytes that a build of so many videos needs at most, and those that are free where it will be."""
  return COPIES * videos * clip_bytes(spec), free_bytes(data_dir)


def _has_clip(outcome) -> bool:
  return isinstance(outcome, list) and isinstance(outcome[0], Clip)
