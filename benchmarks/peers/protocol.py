"""How `benchmarks/train.py` talks to a contestant: a process that trains one model, and steps when it is told to.

Standard library alone, since contestants have little in common. A contestant prints one line of JSON once its first
training step is done, then answers each line of its input, 'train N' or 'infer N', with the seconds that N steps took,
'memory' with its peaks, and 'facts' with what there is to tell.
"""

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

CLIP = (60, 64, 64, 3)  # frames, rows, columns, colours
Steps = Callable[[int], None]


def serve(
  prepare: Callable[[argparse.Namespace], tuple[Steps, Steps, Callable[[], int]]],
  describe: Callable[[argparse.Namespace], dict[str, Any]] = lambda options: {},
  count_devices: Callable[[], int] = lambda: 1,
  **flags: Any,
) -> None:
  """Runs a contestant.

  Args:
    prepare: makes of the options `train` and `infer`, which do N steps and wait for the last, and `device_bytes`, the
      peak use of the device's own memory (0 on a CPU).
    describe: what 'facts' tells.
    count_devices: between which a step's clips are divided.
    **flags: further options and their defaults.
  """
  parser = argparse.ArgumentParser()
  parser.add_argument('--batch_size', type=int, default=4)
  parser.add_argument('--precision', default='float32')
  parser.add_argument('--started', type=float, default=time.time())
  for name, default in flags.items():
    kind = {'action': 'store_true'} if default is False else {'type': type(default), 'default': default}
    parser.add_argument(f'--{name}', **kind)
  options = parser.parse_args()
  train, infer, device_bytes = prepare(options)
  train(1)
  first = time.time() - options.started
  infer(1)
  _say({'first_step_s': first, 'devices': count_devices()})
  for line in sys.stdin:
    command, *count = line.split()
    if command == 'facts':
      _say(describe(options))
      continue
    if command == 'memory':
      host = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
      _say({'host_bytes': host, 'device_bytes': device_bytes()})
      continue
    started = time.perf_counter()
    (train if command == 'train' else infer)(int(count[0]))
    _say({'seconds': time.perf_counter() - started})


def _say(answer: dict[str, Any]) -> None:
  print(json.dumps(answer), flush=True)
