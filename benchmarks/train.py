"""How fast the paper's model trains and infers here, beside the same model in Keras and in PyTorch.

  python benchmarks/train.py --synthetic --peers=keras,torch
  python benchmarks/train.py --dataset=demo_lips --data_dir=data
  python benchmarks/train.py --synthetic --batch_sizes=4,32,256 --precisions=bfloat16,float16 --peers=torch_compile
  python benchmarks/train.py --synthetic --models=effnet_frames,cnn3d --feeds=host,device

Prints a table. Each contestant is a process; they start side by side, stay, and step in turn, so that a machine's moods
meet all of them; figures are medians of the rounds, ratios too. Peers run in virtual environments of their own, which
are made on first use below benchmarks/peers/, or with --here in this one. Without peers it needs no more than jax,
flax, optax and absl-py.
"""

import argparse
import contextlib
import functools
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

PEERS_DIR = Path(__file__).parent / 'peers'
CUDA = '[and-cuda]' if shutil.which('nvidia-smi') else ''
# Of each peer: its environment, what is installed there, and its flags. Its scripts are PEER_MODEL.py.
PEERS = {
  'keras': ('keras', [f'tensorflow{CUDA}==2.19.1'], []),
  'torch': ('torch', ['torch==2.13.0', 'numpy'], []),
  'torch_compile': ('torch', ['torch==2.13.0', 'numpy'], ['--compile']),
}
FEEDS = ('disk', 'host', 'device')
TOGETHER = ('models', 'precisions', 'none')  # all; all of a model; or, where memory is short, one of a model
STEPS_PER_DISPATCH = 8  # of 'ours, 8 steps a dispatch'
# FLOP/s of dense matrix products in TF32 (which JAX makes of float32 there), bfloat16 and float16, by a part of the
# device's name. Source: NVIDIA's data sheets of the H100 (SXM) and the H200; halved, since theirs are with sparsity.
HOPPER = {'float32': 494.7e12, 'bfloat16': 989.4e12, 'float16': 989.4e12}
CHIPS = {'H100 80GB HBM3': HOPPER, 'H200': HOPPER}

HEADER = """| | batch | precision | training, clips/s | a step, ms | ours to it | TFLOP/s | of the chip's peak \
| inference, clips/s | ours to it | first step, s | host MiB | device MiB |
|---|---|---|---|---|---|---|---|---|---|---|---|---|"""

Figures = dict[str, Any]
Key = tuple[str, str, str]  # of a contestant: model, precision, name


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

  @functools.cached_property
  def ready(self) -> Figures:
    """Seconds from its start until its first step was done, and its devices; waits for it."""
    return self._answer()

  @functools.cached_property
  def facts(self) -> Figures:
    """What it says of itself and of the device."""
    return self.ask('facts')

  def ask(self, command: str) -> Figures:
    """The answer to one line, once it is ready."""
    assert self.process.stdin
    assert self.ready
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


def measure(
  options: argparse.Namespace, batch_size: int, group: Sequence[tuple[str, str]], stack: contextlib.ExitStack
) -> list[Figures]:
  """One row a contestant; all of a group, models and precisions, are there at once."""
  compiled = {} if options.once else {'JAX_COMPILATION_CACHE_DIR': stack.enter_context(tempfile.TemporaryDirectory())}
  memory = {'XLA_PYTHON_CLIENT_PREALLOCATE': 'false'}  # of one GPU, which several have
  contestants: dict[Key, Contestant] = {}
  cold_s: dict[Key, float] = {}
  for model, precision in group:
    for name, python, command, environment in list_contestants(options, model, batch_size, precision):
      if name == 'ours' and not options.once:
        cold = Contestant(python, command, compiled)
        cold_s[model, precision, name] = cold.ready['first_step_s']
        cold.stop()
      contestants[model, precision, name] = Contestant(python, command, {**memory, **compiled, **environment})
      stack.callback(contestants[model, precision, name].stop)
  contestants = leave_out_ended(contestants)
  speeds = {kind: run_rounds(contestants, options, kind, batch_size) for kind in ('train', 'infer')}
  rows = []
  for key, contestant in contestants.items():
    ours = (*key[:2], 'ours')
    row: Figures = dict(zip(('model', 'precision', 'name'), key, strict=True))
    row |= {'batch_size': batch_size, 'cold_s': cold_s.get(key), 'first_step_s': contestant.ready['first_step_s']}
    for kind, found in speeds.items():
      row[f'{kind}_clips_per_s'] = statistics.median(found[key])
      row[f'{kind}_ratio'] = median_ratio(found[ours], found[key])
    rows.append({**row, **contestant.ask('memory'), 'facts': contestants[ours].facts})
  return rows


def leave_out_ended(contestants: Mapping[Key, Contestant]) -> dict[Key, Contestant]:
  """Those that came to the end of their first step, once all have; without ours nothing can be told of the others."""
  ready = {}
  for key, contestant in contestants.items():
    try:
      assert contestant.ready
      ready[key] = contestant
    except SystemExit as end:
      print(f'left out, {", ".join(key)}: {end}', file=sys.stderr)
  return {key: contestant for key, contestant in ready.items() if (*key[:2], 'ours') in ready}


def list_groups(options: argparse.Namespace) -> list[list[tuple[str, str]]]:
  """Models and precisions, as they are measured together."""
  groups = [[(model, precision) for precision in options.precisions] for model in options.models]
  if options.together == 'none':
    return [[pair] for group in groups for pair in group]
  return groups if options.together == 'precisions' else [list(itertools.chain.from_iterable(groups))]


def list_contestants(
  options: argparse.Namespace, model: str, batch_size: int, precision: str
) -> Iterator[tuple[str, str, list[str], dict[str, str]]]:
  """Name, Python, command and environment of each."""
  data = [] if options.synthetic else [f'--dataset={options.dataset}', f'--data_dir={options.data_dir}']
  shared = [f'--batch_size={batch_size}', f'--precision={precision}']
  ours = ['ours.py', f'--model={model}', *data]
  yield 'ours', sys.executable, [*ours, *shared], {}
  if options.dispatch:
    several = [*ours, *shared, f'--steps_per_dispatch={STEPS_PER_DISPATCH}']
    yield f'ours, {STEPS_PER_DISPATCH} steps a dispatch', sys.executable, several, {}
  for feed in options.feeds:
    yield f'ours, from {feed}', sys.executable, [*ours, *shared, f'--feed={feed}'], {}
  for devices in options.devices:
    command = [*ours, f'--batch_size={devices * batch_size}', f'--precision={precision}']
    yield f'ours, {devices} devices', sys.executable, command, _some_devices(devices)
  for name in options.peers:
    environment, requirements, flags = PEERS[name]
    python = sys.executable if options.here else open_environment(environment, requirements)
    yield name, python, [f'{environment}_{model}.py', *flags, *shared], {}


def run_rounds(
  contestants: Mapping[Key, Contestant], options: argparse.Namespace, kind: str, batch_size: int
) -> dict[Key, list[float]]:
  """Clips per second of each contestant in each round; in a round each works for about the same time."""
  counts = {name: max(1, round(options.seconds / one.ask(f'{kind} 1')['seconds'])) for name, one in contestants.items()}
  speeds: dict[Key, list[float]] = {name: [] for name in contestants}
  for _ in range(options.rounds):
    for name, contestant in contestants.items():
      clips = counts[name] * batch_size * contestant.ready['devices']
      speeds[name].append(clips / contestant.ask(f'{kind} {counts[name]}')['seconds'])
  return speeds


def median_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
  """How many times as fast we are, round by round."""
  return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def format_row(row: Figures) -> str:
  """A row of the table below HEADER."""
  cold = f' ({row["cold_s"]:.1f} when nothing is compiled yet)' if row['cold_s'] else ''
  speed = row['train_clips_per_s']
  flops, peak = row['facts']['flops'] * speed / row['batch_size'], chip_peak(row)
  cells = [f'{row["model"]}, {row["name"]}', row['batch_size'], row['precision'], f'{speed:.1f}']
  cells += [f'{1e3 * row["batch_size"] / speed:.2f}', f'{row["train_ratio"]:.2f}', f'{flops / 1e12:.3g}']
  cells += [f'{flops / peak:.1%}' if peak else '-', f'{row["infer_clips_per_s"]:.1f}', f'{row["infer_ratio"]:.2f}']
  cells += [f'{row["first_step_s"]:.1f}{cold}', row['host_bytes'] >> 20, row['device_bytes'] >> 20]
  return f'| {" | ".join(map(str, cells))} |'


def chip_peak(row: Figures) -> float | None:
  """FLOP/s of its chip in a row's precision; None where no source is known."""
  known = (peaks for name, peaks in CHIPS.items() if name in row['facts']['device'])
  return next(known, {}).get(row['precision'])


def roofline(row: Figures) -> str:
  """How near the training step is to what the device can do at best, and which limit that is."""
  facts = row['facts']
  compute, memory = facts['flops'] / facts['peak_flops'], facts['bytes'] / facts['peak_bytes']
  floor, taken = max(compute, memory), row['batch_size'] / row['train_clips_per_s']
  limit = 'arithmetic' if compute > memory else 'memory'
  return (
    f'{row["model"]}, batch {row["batch_size"]}, {row["precision"]}: {facts["flops"] / 1e9:.1f} GFLOP and'
    f' {facts["bytes"] / 1e9:.2f} GB a step; a large matrix product runs at {facts["peak_flops"] / 1e12:.2f} TFLOP/s'
    f' and memory at {facts["peak_bytes"] / 1e9:.0f} GB/s, so {limit} binds: {floor * 1e3:.1f} ms at least,'
    f' {taken * 1e3:.1f} ms taken, {floor / taken:.0%}'
  )


def _some_devices(count: int) -> dict[str, str]:
  """Environment of a process that sees so many devices: GPUs where there are some, else virtual ones on the CPU."""
  if shutil.which('nvidia-smi'):
    return {'CUDA_VISIBLE_DEVICES': ','.join(map(str, range(count)))}
  return {'XLA_FLAGS': f'--xla_force_host_platform_device_count={count}'}


def main() -> None:
  """Measures and prints."""

  def names(text: str) -> list[str]:
    return text.split(',')

  def numbers(text: str) -> list[int]:
    return [int(number) for number in names(text)]

  parser = argparse.ArgumentParser(description='Training and inference speed, ours and others.')
  parser.add_argument('--models', type=names, default=['cnn_lstm'], help='of lipfake_jax/models')
  parser.add_argument('--synthetic', action='store_true', help='clips of noise; else those of a dataset')
  parser.add_argument('--dataset', default='demo_lips')
  parser.add_argument('--data_dir', default='data')
  parser.add_argument('--peers', type=names, default=[], help=', '.join(PEERS))
  parser.add_argument('--batch_sizes', type=numbers, default=[4])
  parser.add_argument('--precisions', type=names, default=['float32'])
  parser.add_argument('--devices', type=numbers, default=[], help='also ours on 1, 2, ... devices, a batch for each')
  parser.add_argument('--dispatch', action='store_true', help=f'also ours with {STEPS_PER_DISPATCH} steps a dispatch')
  parser.add_argument('--feeds', type=names, default=[], help=f'also ours from {", ".join(FEEDS)}, clips at random')
  parser.add_argument('--here', action='store_true', help='peers run in this Python, where nothing is installed')
  parser.add_argument('--once', action='store_true', help='compile all once, and keep nothing compiled')
  parser.add_argument('--together', choices=TOGETHER, default='precisions', help='what has contestants at once')
  parser.add_argument('--rounds', type=int, default=5)
  parser.add_argument('--seconds', type=float, default=3.0, help='of each contestant in each round')
  options = parser.parse_args()
  for chosen, known in ((options.peers, PEERS), (options.feeds, FEEDS)):
    if unknown := set(chosen) - set(known):
      parser.error(f'unknown {", ".join(unknown)}; there are {", ".join(known)}')
  for model, peer in itertools.product(options.models, options.peers):
    if not (PEERS_DIR / f'{PEERS[peer][0]}_{model}.py').exists():
      parser.error(f'{model} is not written for {peer}')
  limits: list[str] = []
  heading = HEADER
  for batch_size, group in itertools.product(options.batch_sizes, list_groups(options)):
    with contextlib.ExitStack() as stack:
      rows = measure(options, batch_size, group, stack)
    if rows and heading:
      facts = rows[0]['facts']
      print(f'{facts["device"]}, {len(os.sched_getaffinity(0))} cores, JAX {facts["jax"]}\n\n{heading}')
      heading = ''
    for row in rows:  # at once: whoever ends this early keeps what is done
      print(format_row(row), flush=True)
    limits += [roofline(row) for row in rows if row['name'] == 'ours' and row['facts']['bytes']]
  print('', *limits, sep='\n')


if __name__ == '__main__':
  main()
