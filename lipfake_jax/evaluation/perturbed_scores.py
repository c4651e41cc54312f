"""A run's scores of the videos of a dataset after something was done to their frames.

In: a run, and the files of a dataset that is built. Out: p(fake) of each video, or why there is none. Next stages:
`robustness` and `controls`.
"""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import tensorflow_datasets as tfds

from lipfake_jax.clips import extraction, results
from lipfake_jax.clips.clips import Rejection
from lipfake_jax.core.clip_spec import ClipSpec
from lipfake_jax.core.errors import UserError
from lipfake_jax.core.names import shorten
from lipfake_jax.core.vocabulary import LABELS, VideoRecord
from lipfake_jax.data import splits
from lipfake_jax.data.builder import create_builder
from lipfake_jax.data.dataset import Split
from lipfake_jax.evaluation.tested import name_tested, open_tested
from lipfake_jax.inference import predict
from lipfake_jax.inference.run import Run

VIDEOS_AT_ONCE = 512  # whose clips are in memory

Outcome = float | Rejection  # p(fake) of a video, or why there is none
ScorePerturbed = Callable[[Sequence[VideoRecord], str], list[Outcome]]  # videos, 'NAME:LEVEL' or '' -> one each


def find_test_videos(
  dataset: str, meta: dict[str, Any], data_dir: str, manual_dir: str | None
) -> tuple[Split, list[VideoRecord]]:
  """The part that a run is evaluated on, and its videos, those included that gave no clip.

  Args:
    dataset: as for `open_tested`; one that is built.
    meta: of the run.
    data_dir: where datasets are kept.
    manual_dir: the folder of its videos; None is where `tfds build` looks without one.

  Raises:
    UserError: the dataset is not built, or the folder is not the one that it was built from.
  """
  split = open_tested(dataset, meta, data_dir)
  name, config, _ = name_tested(dataset, meta)
  builder = create_builder(name, config, data_dir)
  folders = {'download_dir': f'{data_dir}/downloads', 'manual_dir': manual_dir or f'{data_dir}/downloads/manual'}
  root = builder.source_dir(
    tfds.download.DownloadManager(**folders, manual_dir_instructions=builder.MANUAL_DOWNLOAD_INSTRUCTIONS)
  )
  files = {(video.dataset, video.key): video for video in builder.survey(root).videos}
  rejected = [(rejection['dataset'], rejection['key']) for rejection in split.rejections]
  keys = sorted({*zip(split.table['dataset'], split.table['key'], strict=True), *rejected})
  lost = [key for key in keys if key not in files]
  if lost:
    names = shorten([key for _, key in lost])
    raise UserError(f'{len(lost)} of {len(keys)} videos are not below {root} ({names}): --manual_dir must be as built')
  return split, [files[key] for key in keys]


def limit_videos(videos: Sequence[VideoRecord], limit: int) -> list[VideoRecord]:
  """At most half of `limit` of each class, drawn by name alone; 0 takes all.

  Raises:
    UserError: one, or fewer than none.
  """
  if limit < 0 or limit == 1:
    raise UserError(f'--limit={limit}: give at least 2, one of each class, or 0 for all')
  if not limit:
    return list(videos)
  shuffled = sorted(videos, key=lambda video: splits.draw_number(f'limit/{video.dataset}/{video.key}', seed=0))
  return [video for label in LABELS for video in [v for v in shuffled if v.label == label][: limit // 2]]


def score_perturbed(
  run: Run, cache_dir: Path, batch_size: int, videos: Sequence[VideoRecord], perturbation: str
) -> list[Outcome]:
  """A run's score of each video after a perturbation of its frames; the clips stay in the cache."""
  spec = dataclasses.replace(ClipSpec(**run.meta['clip']), perturbation=perturbation)
  caches = extraction.extract_videos([video.path for video in videos], spec, cache_dir)
  outcomes: list[Outcome] = []
  for start in range(0, len(videos), VIDEOS_AT_ONCE):
    end = start + VIDEOS_AT_ONCE
    some = zip(caches[start:end], videos[start:end], strict=True)
    found = [results.load_result(cache, video.key) for cache, video in some]
    scores = iter(predict.score_videos(run, [f for f in found if not isinstance(f, Rejection)], batch_size))
    outcomes += [f if isinstance(f, Rejection) else next(scores) for f in found]
  return outcomes
