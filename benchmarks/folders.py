"""How fast a folder of videos becomes clips, with one worker and with several, and how a dataset's lists grow.

  python benchmarks/folders.py FOLDER --videos=60 --workers=1,2
  python benchmarks/folders.py --grow=100,1000,10000

The first measures `clips.extraction` on videos of a folder, with an empty cache each time, in turns; start-up is the
time that a file takes which is no video. The second counts seconds of the CPU of what is done once for all videos of a
dataset, on files of a few bytes in the layout of `video_folder`. Both print Markdown.
"""

import argparse
import contextlib
import itertools
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

ROUNDS = 3
FRAMES_OF_A_LOOK = (2, 144)  # of what `data.audit.describe` makes of a clip


def take(videos: Sequence[Path], workers: int, config: str) -> float:
  """Seconds that it takes to extract videos into a new cache."""
  from lipfake_jax.clips.extraction import extract_videos
  from lipfake_jax.core.clip_spec import SPECS

  with tempfile.TemporaryDirectory() as cache, open(os.devnull, 'w') as nowhere, contextlib.redirect_stderr(nowhere):
    began = time.perf_counter()
    extract_videos(videos, SPECS[config], Path(cache), workers)
    return time.perf_counter() - began


def print_speeds(folder: Path, count: int, crews: Sequence[int], config: str) -> None:
  """Videos a second, by the number of workers."""
  from lipfake_jax.data.files import find_videos

  videos = list(find_videos(folder))[:count]
  with tempfile.NamedTemporaryFile(suffix='.mp4') as text:
    text.write(b'no video')
    text.flush()
    rounds = [
      {crew: (take([Path(text.name)], crew, config), take(videos, crew, config)) for crew in crews}
      for _ in range(ROUNDS)
    ]
  print(f'{len(videos)} videos, {config}, {_machine()}\n')
  print('| workers | videos/s | a worker, beside the first row | start-up, s |\n|---|---|---|---|')
  first = None
  for crew in crews:
    start_s, taken_s = (statistics.median(row[crew][i] for row in rounds) for i in (0, 1))
    first = first or len(videos) / taken_s / crew
    print(f'| {crew} | {len(videos) / taken_s:.2f} | {len(videos) / taken_s / crew / first:.0%} | {start_s:.1f} |')
  print(f'\nlargest process: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10} MiB')


def print_growth(counts: Sequence[int]) -> None:
  """CPU seconds of each stage by the number of videos, and how many times as many as with the number before."""
  rows: dict[str, list[float]] = {}
  for count in counts:
    with tempfile.TemporaryDirectory() as folder:
      write_folder(Path(folder), count)
      for name, seconds in time_stages(Path(folder)).items():
        rows.setdefault(name, []).append(seconds)
  print(f'{_machine()}\n\n| CPU seconds, by videos | {" | ".join(f"{count:,}" for count in counts)} | growth |')
  print('|---' * (len(counts) + 2) + '|')
  for name, row in rows.items():
    growth = ' '.join(f'{after / max(before, 1e-3):.1f}' for before, after in itertools.pairwise(row))
    print(f'| {name} | {" | ".join(f"{seconds:.3f}" for seconds in row)} | {growth} |')


def write_folder(folder: Path, count: int) -> None:
  """A list of so many videos, half of them fake, ten a person, and files that hold no more than their names."""
  lines = ['path,label,identity,method,original']
  for number in range(count):
    label, person = ('real', 'fake')[number % 2], f'p{number // 10:05}'
    name = f'{label}/{person}/{number:06}.mp4'
    original = f'real/{person}/{number - 1:06}.mp4' if label == 'fake' else ''
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(name)
    lines.append(f'{name},{label},{person},{"swap" if original else "original"},{original}')
  (folder / 'videos.csv').write_text('\n'.join(lines))


def time_stages(folder: Path) -> dict[str, float]:
  """CPU seconds of each thing that is done once for all videos of a dataset."""
  from lipfake_jax.clips.extraction import plan_jobs
  from lipfake_jax.core.clip_spec import ClipSpec
  from lipfake_jax.data import audit, splits
  from lipfake_jax.data.builder import create_builder
  from lipfake_jax.data.contents import digest_source
  from lipfake_jax.data.listing import layout_table

  seconds: dict[str, float] = {}

  def stage(name: str, work: Callable[[], Any]) -> Any:
    began = time.process_time()
    made = work()
    seconds[name] = time.process_time() - began
    return made

  with tempfile.TemporaryDirectory() as data_dir:
    builder = create_builder('video_folder', data_dir=data_dir)
    listing = stage('listing, names, labels by content', lambda: builder.survey(folder))
    rows = [{**vars(video), 'sha256': str(number)} for number, video in enumerate(listing.videos)]
    looks = np.random.default_rng(0).standard_normal((len(rows), *FRAMES_OF_A_LOOK), np.float32)
    parts = stage('parts', lambda: splits.assign_parts(rows, 'identity'))
    stage('tables', lambda: (layout_table(listing, {}), splits.split_table(rows, 'identity')))
    stage('names in the cache', lambda: plan_jobs([v.path for v in listing.videos], ClipSpec(), Path(data_dir)))
    stage('digest of the source', lambda: digest_source(listing.videos, ClipSpec()))
    stage('audit', lambda: audit.find_leaks(rows, parts))
    stage('audit, near-duplicates too', lambda: audit.find_leaks(rows, parts, looks))
  return seconds


def _machine() -> str:
  return f'{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}'


def main() -> None:
  """Measures what is asked for."""

  def numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(',')]

  parser = argparse.ArgumentParser(description='Videos a second, and how lists grow.')
  parser.add_argument('folder', nargs='?', type=Path)
  parser.add_argument('--videos', type=int, default=60, help='of the folder, the first ones')
  parser.add_argument('--workers', type=numbers, default=[1, 2])
  parser.add_argument('--config', default='flow_lips_60x64', help='a name in lipfake_jax.core.clip_spec.SPECS')
  parser.add_argument('--grow', type=numbers, default=[], help='numbers of videos')
  options = parser.parse_args()
  if options.folder:
    print_speeds(options.folder, options.videos, options.workers, options.config)
  if options.grow:
    print_growth(options.grow)


if __name__ == '__main__':
  main()
