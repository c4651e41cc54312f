"""How long `lipfake detect` takes: for the first video, cold and warm, and for each further one.

  python benchmarks/detect.py VIDEO --weights=RUN

Each row is a process of its own, started from a shell. `decoding alone` is the floor: a process that imports PyAV and
throws away all frames, decoded by all cores, as `ffmpeg -i VIDEO -f null -` does. `cold` compiles the model, `warm`
finds it compiled by the run before. `look` and `score` are the command's own times, of faces and windows and of the
model; the rest is loading. Medians of rounds, in turns. CPU seconds are those of the process and of all that it
started: where other work shares the cores, they say more than the clock does.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

COPIES = 4  # of the video, from which the time of a further one follows
COMMAND = [sys.executable, '-c', 'from lipfake_jax.cli.main import main; main()', 'detect']
DECODE = """
import sys
import av
with av.open(sys.argv[1]) as container:
  container.streams.video[0].thread_type = 'AUTO'
  for _ in container.decode(container.streams.video[0]):
    pass
"""

Row = dict[str, float]  # seconds: on the clock, of the CPU, and of stages


def run(command: list[str], environment: dict[str, str] | None = None) -> tuple[str, Row]:
  """What a process prints, and its seconds on the clock and of the CPU."""
  began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
  done = subprocess.run(
    command, env={**os.environ, **(environment or {})}, stdout=subprocess.PIPE, text=True, check=True
  )
  wall_s, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
  return done.stdout, {'wall': wall_s, 'cpu': after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}


def detect(videos: list[Path], options: argparse.Namespace, cache: Path) -> Row:
  """A run of the command; its stages are summed over the videos."""
  flags = [f'--weights={options.weights}', f'--out={cache}/out', '--json', *(['--dense'] if options.dense else [])]
  environment = {'JAX_COMPILATION_CACHE_DIR': str(cache), 'JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS': '0'}
  printed, seconds = run([*COMMAND, *map(str, videos), *flags], environment)
  stages = [json.loads(line)['timing'] for line in printed.splitlines()]
  return seconds | {name: sum(row[name] for row in stages) for name in ('look', 'score')}


def measure(copies: list[Path], options: argparse.Namespace) -> dict[str, Row]:
  """One round."""
  with tempfile.TemporaryDirectory() as cache:
    rows = {'decoding alone': run([sys.executable, '-c', DECODE, str(copies[0])])[1]}
    for name in ('first video, cold', 'first video, warm'):
      rows[name] = detect(copies[:1], options, Path(cache))
    several, one = detect(copies, options, Path(cache)), rows['first video, warm']
  rows['each further one'] = {name: (several[name] - one[name]) / (COPIES - 1) for name in several}
  return rows


def main() -> None:
  """Prints a Markdown table."""
  parser = argparse.ArgumentParser(description='Seconds that lipfake detect takes.')
  parser.add_argument('video', type=Path)
  parser.add_argument('--weights', default='shipped')
  parser.add_argument('--dense', action='store_true')
  parser.add_argument('--rounds', type=int, default=3)
  options = parser.parse_args()
  with tempfile.TemporaryDirectory() as folder:
    copies = [Path(folder, f'{number}{options.video.suffix}') for number in range(COPIES)]
    for copy in copies:
      shutil.copy(options.video, copy)
    rounds = [measure(copies, options) for _ in range(options.rounds)]
  load = os.getloadavg()[0]
  print(f'{len(os.sched_getaffinity(0))} cores, load {load:.1f}\n')
  print('| | seconds on the clock | of the CPU | look | score |\n|---|---|---|---|---|')
  for name in rounds[0]:
    cells = [_cell(row[name].get(column) for row in rounds) for column in ('wall', 'cpu', 'look', 'score')]
    print(f'| {name} | {" | ".join(cells)} |')


def _cell(values: Iterable[float | None]) -> str:
  """The median of some rounds."""
  known = [value for value in values if value is not None]
  return f'{statistics.median(known):.2f}' if known else '-'


if __name__ == '__main__':
  main()
