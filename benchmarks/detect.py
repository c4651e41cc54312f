"""How long `lipfake detect` takes: for the first video, cold and warm, and for each further one.

  python benchmarks/detect.py VIDEO --weights=RUN

Each row is a process of its own, started from a shell. `cold` compiles the model, `warm` finds it compiled by the run
before. `look` and `score` are the command's own times, of faces and windows and of the model; the rest is loading. CPU
seconds are those of the process and of all that it started: where other work shares the cores, they say more than the
clock does.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COPIES = 4  # of the video, from which the time of a further one follows
COMMAND = [sys.executable, '-c', 'from lipfake_jax.cli.main import main; main()', 'detect']


def measure(videos: list[Path], weights: str, cache: str, out: str) -> dict[str, float]:
  """Seconds on the clock and of the CPU for a run of the command, and those of its stages, summed over the videos."""
  began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
  command = [*COMMAND, *map(str, videos), f'--weights={weights}', f'--out={out}', '--json']
  environment = {**os.environ, 'JAX_COMPILATION_CACHE_DIR': cache, 'JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS': '0'}
  done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
  wall_s, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
  stages = [json.loads(line)['timing'] for line in done.stdout.splitlines()]
  cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
  return {'wall': wall_s, 'cpu': cpu_s} | {name: sum(row[name] for row in stages) for name in ('look', 'score')}


def main() -> None:
  """Prints a Markdown table."""
  parser = argparse.ArgumentParser(description='Seconds that lipfake detect takes.')
  parser.add_argument('video', type=Path)
  parser.add_argument('--weights', default='shipped')
  options = parser.parse_args()
  with tempfile.TemporaryDirectory() as folder:
    copies = [Path(folder, f'{number}{options.video.suffix}') for number in range(COPIES)]
    for copy in copies:
      shutil.copy(options.video, copy)
    cache, out = str(Path(folder, 'cache')), str(Path(folder, 'out'))
    rows = {
      'first video, cold': measure(copies[:1], options.weights, cache, out),
      'first video, warm': measure(copies[:1], options.weights, cache, out),
    }
    several = measure(copies, options.weights, cache, out)
    one = rows['first video, warm']
    rows['each further one'] = {name: (several[name] - one[name]) / (COPIES - 1) for name in several}
  load = os.getloadavg()[0]
  print(f'{len(os.sched_getaffinity(0))} cores, load {load:.1f}\n')
  print('| | seconds on the clock | of the CPU | look | score |\n|---|---|---|---|---|')
  for name, row in rows.items():
    print(f'| {name} | {" | ".join(f"{row[column]:.1f}" for column in ("wall", "cpu", "look", "score"))} |')


if __name__ == '__main__':
  main()
