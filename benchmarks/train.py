"""How fast the paper's model trains and infers here, beside the same model in Keras and in PyTorch.

  python benchmarks/train.py --synthetic --peers=keras,torch
  python benchmarks/train.py --dataset=demo_lips --data_dir=data
  python benchmarks/train.py --synthetic --batch_sizes=4,32,256 --precisions=bfloat16,float16 --peers=torch_compile

Prints a table. Each contestant is a process; they stay, and step in turn, so that a machine's moods meet all of them;
figures are medians of the rounds, ratios too. Peers run in virtual environments of their own, which are made on first
use below benchmarks/peers/. Without peers it needs no more than jax, flax, optax, absl-py and ml-collections.
"""

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PEERS_DIR = Path(__file__).parent / 'peers'
CUDA = '[and-cuda]' if shutil.which('nvidia-smi') else ''
# Of each peer: its environment, what is installed there, its script and flags.
PEERS = {
  'keras': ('keras', [f'tensorflow{CUDA}==2.19.1'], ['keras_cnn_lstm.py']),
  'torch': ('torch', ['torch==2.13.0', 'numpy'], ['torch_cnn_lstm.py']),
  'torch_compile': ('torch', ['torch==2.13.0', 'numpy'], ['torch_cnn_lstm.py', '--compile']),
}
STEPS_PER_DISPATCH = 8  # of 'ours, 8 steps a dispatch'

Figures = dict[str, Any]


class Contestant:
  """A process that trains one model; see peers/protocol.py."""

  def __init__(self, python: str, command: Sequence[str], environment: Mapping[str, str]):
    self.command, started = command, f'--started={time.time()}'
    self.process = subprocess.Popen(
      [python, str(PEERS_DIR / command[0]), *command[1:], started],
      stdin=subprocess.PIPE,
      stdout=subprocess.PIPE,
      env={**os.environ, **environment},
      text=True,
    )
    self.facts = self._answer()

  def ask(self, command: str) -> Figures:
    """The answer to one line."""
    assert self.process.stdin
    self.process.stdin.write(command + '\n')
    self.process.stdin.flush()
    return self._answer()

  def stop(self) -> None:
    """Ends the process."""
    assert self.process.stdin
    self.process.stdin.close()
    self.process.wait()

  def _answer(self) -> Figures:
    assert self.process.stdout
    for line in self.process.stdout:
      if line.startswith('{'):  # libraries print, too
        return json.loads(line)
    raise SystemExit(f'{self.command[0]} ended with code {self.process.wait()}')


def open_environment(name: str, requirements: Sequence[str]) -> str:
  """The Python of a peer's own environment, made where it is not there yet."""
  folder = PEERS_DIR / '.envs' / name
  python, complete = folder / 'bin' / 'python', folder / '.complete'
  if not complete.exists():
    print(f'installing {" ".join(requirements)} into {folder}', file=sys.stderr)
    venv.create(folder, with_pip=True, clear=True)
    subprocess.run([str(python), '-m', 'pip', 'install', '--quiet', *requirements], check=True)
    complete.touch()
  return str(python)


def measure(options: argparse.Namespace, batch_size: int, precision: str, stack: contextlib.ExitStack) -> list[Figures]:
  """One row a contestant."""
  shared = [f'--batch_size={batch_size}', f'--precision={precision}']
  data = [] if options.synthetic else [f'--dataset={options.dataset}', f'--data_dir={options.data_dir}']
  compiled = {'JAX_COMPILATION_CACHE_DIR': stack.enter_context(tempfile.TemporaryDirectory())}
  ours = ['ours.py', *shared, *data]

  def start(python: str, command: Sequence[str], environment: Mapping[str, str]) -> Contestant:
    contestant = Contestant(python, command, environment)
    stack.callback(contestant.stop)
    return contestant

  cold = Contestant(sys.executable, ours, compiled)
  cold.stop()
  contestants = {'ours': start(sys.executable, ours, compiled)}
  if options.dispatch:
    flags = f'--steps_per_dispatch={STEPS_PER_DISPATCH}'
    contestants[f'ours, {STEPS_PER_DISPATCH} steps a dispatch'] = start(sys.executable, [*ours, flags], compiled)
  for devices in options.devices:
    command = ['ours.py', f'--batch_size={devices * batch_size}', f'--precision={precision}', *data]
    contestants[f'ours, {devices} devices'] = start(sys.executable, command, {**compiled, **_some_devices(devices)})
  for name in options.peers:
    environment, requirements, peer = PEERS[name]
    contestants[name] = start(open_environment(environment, requirements), [*peer, *shared], {})
  speeds = {name: run_rounds(contestants, options, kind, batch_size) for name in ('train', 'infer') for kind in (name,)}
  return [
    {
      'name': name,
      'batch_size': batch_size,
      'precision': precision,
      'cold_s': cold.facts['first_step_s'] if name == 'ours' else None,
      'first_step_s': contestant.facts['first_step_s'],
      **{f'{kind}_clips_per_s': statistics.median(speeds[kind][name]) for kind in speeds},
      **{f'{kind}_ratio': median_ratio(speeds[kind]['ours'], speeds[kind][name]) for kind in speeds},
      **contestant.ask('memory'),
      'facts': contestant.facts,
    }
    for name, contestant in contestants.items()
  ]


def run_rounds(
  contestants: Mapping[str, Contestant], options: argparse.Namespace, kind: str, batch_size: int
) -> dict[str, list[float]]:
  """Clips per second of each contestant in each round; in a round each works for about the same time."""
  counts = {name: max(1, round(options.seconds / one.ask(f'{kind} 1')['seconds'])) for name, one in contestants.items()}
  speeds: dict[str, list[float]] = {name: [] for name in contestants}
  for _ in range(options.rounds):
    for name, contestant in contestants.items():
      clips = counts[name] * batch_size * contestant.facts.get('devices', 1)
      speeds[name].append(clips / contestant.ask(f'{kind} {counts[name]}')['seconds'])
  return speeds


def median_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
  """How many times as fast we are, round by round."""
  return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def table(rows: Sequence[Figures]) -> str:
  """Markdown."""
  lines = [
    '| | batch | precision | training, clips/s | ours to it | inference, clips/s | ours to it | first step, s'
    ' | host MiB | device MiB |',
    '|---|---|---|---|---|---|---|---|---|---|',
  ]
  for row in rows:
    cold = f' ({row["cold_s"]:.1f} when nothing is compiled yet)' if row['cold_s'] else ''
    cells = [row['name'], row['batch_size'], row['precision']]
    for kind in ('train', 'infer'):
      cells += [f'{row[f"{kind}_clips_per_s"]:.1f}', f'{row[f"{kind}_ratio"]:.2f}']
    cells += [f'{row["first_step_s"]:.1f}{cold}', row['host_bytes'] >> 20, row['device_bytes'] >> 20]
    lines.append(f'| {" | ".join(map(str, cells))} |')
  return '\n'.join(lines)


def roofline(row: Figures) -> str:
  """How near the training step is to what the device can do at best, and which limit that is."""
  facts = row['facts']
  compute, memory = facts['flops'] / facts['peak_flops'], facts['bytes'] / facts['peak_bytes']
  floor, taken = max(compute, memory), row['batch_size'] / row['train_clips_per_s']
  limit = 'arithmetic' if compute > memory else 'memory'
  return (
    f'batch {row["batch_size"]}, {row["precision"]}: {facts["flops"] / 1e9:.1f} GFLOP and {facts["bytes"] / 1e9:.2f} GB'
    f' a step; a large matrix product runs at {facts["peak_flops"] / 1e12:.2f} TFLOP/s and memory at'
    f' {facts["peak_bytes"] / 1e9:.0f} GB/s, so {limit} binds: {floor * 1e3:.1f} ms at least,'
    f' {taken * 1e3:.1f} ms taken, {floor / taken:.0%}'
  )


def _some_devices(count: int) -> dict[str, str]:
  """Environment of a process that sees so many devices: GPUs where there are some, else virtual ones on the CPU."""
  if shutil.which('nvidia-smi'):
    return {'CUDA_VISIBLE_DEVICES': ','.join(map(str, range(count)))}
  return {'XLA_FLAGS': f'--xla_force_host_platform_device_count={count}'}


def main() -> None:
  """Measures and prints."""

  def numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(',')]

  parser = argparse.ArgumentParser(description='Training and inference speed, ours and others.')
  parser.add_argument('--synthetic', action='store_true', help='clips of noise; else those of a dataset')
  parser.add_argument('--dataset', default='demo_lips')
  parser.add_argument('--data_dir', default='data')
  parser.add_argument('--peers', type=lambda text: text.split(','), default=[], help=', '.join(PEERS))
  parser.add_argument('--batch_sizes', type=numbers, default=[4])
  parser.add_argument('--precisions', type=lambda text: text.split(','), default=['float32'])
  parser.add_argument('--devices', type=numbers, default=[], help='also ours on 1, 2, ... devices, a batch for each')
  parser.add_argument('--dispatch', action='store_true', help=f'also ours with {STEPS_PER_DISPATCH} steps a dispatch')
  parser.add_argument('--rounds', type=int, default=5)
  parser.add_argument('--seconds', type=float, default=3.0, help='of each contestant in each round')
  options = parser.parse_args()
  if unknown := set(options.peers) - set(PEERS):
    parser.error(f'unknown peer {", ".join(unknown)}; there are {", ".join(PEERS)}')
  rows = []
  for batch_size in options.batch_sizes:
    for precision in options.precisions:
      with contextlib.ExitStack() as stack:
        rows += measure(options, batch_size, precision, stack)
  facts = rows[0]['facts']
  print(f'{facts["device"]}, {len(os.sched_getaffinity(0))} cores, JAX {facts["jax"]}\n\n{table(rows)}\n')
  print('\n'.join(roofline(row) for row in rows if row['name'] == 'ours'))


if __name__ == '__main__':
  main()
