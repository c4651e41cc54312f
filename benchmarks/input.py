"""How fast clips come from disk, on one core, beside what the same bytes cost at least.

  python benchmarks/input.py DATASET --data_dir=FOLDER

Prints JSON, in clips per second: `file`, a plain file of the clips' bytes, read and seen by np.frombuffer; `records`,
the records of the dataset, read in order by ArrayRecord alone and seen by np.frombuffer; `clips`, decoded clips at
random; `batches`, what training gets: shuffled, decoded, batched. All from the page cache; the best of several rounds.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable

import numpy as np

from lipfake_jax.core.clip_spec import SPECS
from lipfake_jax.data.batches import read_clip, train_batches
from lipfake_jax.data.dataset import DataChoice, open_split
from lipfake_jax.inference.host_memory import keep_freed_memory

ROUNDS = 5


def measure(read: Callable[[], None], clips: int) -> float:
  """Clips per second of the best round."""
  best = float('inf')
  for _ in range(ROUNDS):
    started = time.perf_counter()
    read()
    best = min(best, time.perf_counter() - started)
  return clips / best


def main() -> None:
  """Measures a built dataset."""
  parser = argparse.ArgumentParser(description='Clips per second from disk, on one core.')
  parser.add_argument('dataset')
  parser.add_argument('--config', default=next(iter(SPECS)))
  parser.add_argument('--data_dir')
  parser.add_argument('--batch_size', type=int, default=32)
  options = parser.parse_args()
  os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
  keep_freed_memory()
  split = open_split(DataChoice(options.dataset, options.config), 'all', options.data_dir)
  count, size = len(split), int(np.prod(split.clip_shape))
  order = np.random.default_rng(0).permutation(count)
  with tempfile.NamedTemporaryFile() as plain:
    for position in range(count):
      plain.write(read_clip(split, position).tobytes())
    plain.flush()

    def read_file() -> None:
      with open(plain.name, 'rb') as file:
        for _ in range(count):
          np.frombuffer(file.read(size), np.uint8)

    def read_records() -> None:
      for source, place in split.places:
        np.frombuffer(split.sources[source][int(place)], np.uint8)

    def read_clips() -> None:
      for position in order:
        read_clip(split, int(position))

    def read_batches() -> None:
      for _ in train_batches(split, options.batch_size, 0, 0):
        pass

    speeds = {
      'file': measure(read_file, count),
      'records': measure(read_records, count),
      'clips': measure(read_clips, count),
      'batches': measure(read_batches, count // options.batch_size * options.batch_size),
    }
  result = {
    'dataset': f'{options.dataset}/{options.config}',
    'clips': count,
    'bytes_a_clip': size,
    'clips_per_s': {name: round(speed) for name, speed in speeds.items()},
    'batches_to_records': round(speeds['batches'] / speeds['records'], 2),
    'batches_to_file': round(speeds['batches'] / speeds['file'], 2),
  }
  print(json.dumps(result, indent=2))


if __name__ == '__main__':
  main()
