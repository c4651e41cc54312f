"""Looks at a dataset on disk before its build: what is there, what is missing, whether it fits, how long it will take.

  python -m lipfake_jax.data.doctor DATASET --manual_dir=FOLDER

Exit code 2 where it can't be built, with the remedy; `tfds build` would say the same.
"""

import argparse
import concurrent.futures
import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds

from lipfake_jax.clips.clips import Clip, extract_clips
from lipfake_jax.clips.features import features_of
from lipfake_jax.clips.landmarks import open_face_models
from lipfake_jax.clips.video import VideoError, probe
from lipfake_jax.core.clip_spec import ClipSpec
from lipfake_jax.core.errors import UserError, exit_codes
from lipfake_jax.core.vocabulary import VideoRecord
from lipfake_jax.data import splits
from lipfake_jax.data.builder import LipClipBuilder, create_builder
from lipfake_jax.data.listing import layout_table

SAMPLE = 4  # videos that are extracted to measure the time
COPIES = 2  # of each clip: in the cache, from which a build goes on, and in the dataset


def examine(builder: LipClipBuilder, root: Path, data_dir: Path, sample: int = SAMPLE) -> str:
  """What a user should know before a build, as a text.

  Args:
    builder: of the dataset, with its config.
    root: the folder of its videos.
    data_dir: where the dataset would be built.
    sample: videos to measure the time by.

  Raises:
    UserError: it can't be built: a wrong layout, no readable video, too little room.
  """
  if not root.is_dir():
    raise UserError(f'{builder.name}: there is no folder {root}.\n\n{builder.MANUAL_DOWNLOAD_INSTRUCTIONS}')
  listing = builder.survey(root)
  lines = [layout_table(listing, builder.PUBLISHED)]
  unreadable = find_unreadable([video.path for video in listing.videos])
  readable = [video for video in listing.videos if video.path not in unreadable]
  lines.append(f'{len(unreadable)} of {len(listing.videos)} videos have no readable head')
  lines += [f'  {path}: {why}' for path, why in list(unreadable.items())[:SAMPLE]]
  rows = [vars(video) for video in listing.videos]
  named = ['official'] if any(video.official for video in listing.videos) else []
  lines += ['', *(splits.split_table(rows, rule) for rule in ('identity', *named)), '']
  if not readable:
    raise UserError('\n'.join([*lines, f'{builder.name}: none of its videos can be read']))
  spec = builder.builder_config.spec
  seconds, share = measure(readable, spec, sample)
  cores = len(os.sched_getaffinity(0))
  lines.append(
    f'time: about {_duration(seconds * len(listing.videos) / cores)} on {cores} cores'
    f' ({seconds:.1f} s a video and core, measured on {min(sample, len(readable))}, of which {share:.0%} gave clips)'
  )
  needed = COPIES * len(listing.videos) * sum(feature.count_bytes(spec) for feature in features_of(spec))
  free = shutil.disk_usage(_existing(data_dir)).free
  room = f'room: {_gibibytes(needed)} needed at most, {_gibibytes(free)} free at {data_dir}'
  if needed > free:
    raise UserError('\n'.join([*lines, f'{room}: free some, or choose another --data_dir']))
  return '\n'.join([*lines, room])


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


def measure(videos: Sequence[VideoRecord], spec: ClipSpec, sample: int) -> tuple[float, float]:
  """Seconds a video on one core, and the share of videos that gave a clip, of a few spread evenly over all."""
  chosen = [videos[i] for i in np.unique(np.linspace(0, len(videos) - 1, sample).round().astype(int))]
  with open_face_models() as models:
    started = time.perf_counter()
    outcomes = [extract_clips(video.path, spec, models) for video in chosen]
  seconds = time.perf_counter() - started
  return seconds / len(chosen), sum(_has_clip(outcome) for outcome in outcomes) / len(chosen)


def _has_clip(outcome) -> bool:
  return isinstance(outcome, list) and isinstance(outcome[0], Clip)


def _existing(folder: Path) -> Path:
  """The folder, or the nearest one above it that exists."""
  return next(place for place in (folder, *folder.absolute().parents) if place.exists())


def _duration(seconds: float) -> str:
  hours, minutes = divmod(round(seconds / 60), 60)
  return f'{hours} h {minutes} min' if hours else f'{minutes} min' if minutes else f'{seconds:.0f} s'


def _gibibytes(size: float) -> str:
  return f'{size / 2**30:.1f} GiB'


def main() -> None:
  """Examines the dataset that the command line names."""
  parser = argparse.ArgumentParser(
    prog='python -m lipfake_jax.data.doctor', description='Looks at a dataset on disk before it is built.'
  )
  parser.add_argument('dataset', help='name of a builder')
  parser.add_argument('--manual_dir', type=Path, required=True, help='the folder that holds its videos')
  parser.add_argument('--config', help='builder config (default: the first)')
  parser.add_argument('--data_dir', default=tfds.core.constants.DATA_DIR, help='where it will be built (%(default)s)')
  options = parser.parse_args()
  with exit_codes():
    builder = create_builder(options.dataset, options.config, options.data_dir)
    print(examine(builder, options.manual_dir, Path(options.data_dir).expanduser()))
    command = f'tfds build data_builders/{builder.name} --config={builder.builder_config.name}'
    print(f'\nnext: {command} --manual_dir={options.manual_dir} --data_dir={options.data_dir}')


if __name__ == '__main__':
  main()
