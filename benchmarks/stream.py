"""How much memory `lipfake stream` takes while a stream goes on, and how late its lines are.

  python benchmarks/stream.py VIDEO --minutes=120

The video is written to the command's standard input over and over, as one MPEG-TS stream, as fast as it is read. A row
is a tenth of the stream: resident memory of the two processes in MiB, one that looks and one that scores; how many
windows and people there were so far; how fast it went.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO

import av

COMMAND = [sys.executable, '-c', 'from lipfake_jax.cli.main import main; main()', 'stream', '-']
ROWS = 10


def feed(video: Path, minutes: float, target: IO[bytes]) -> None:
  """Writes a video over and over, until so many minutes are written."""
  with contextlib.suppress(OSError), av.open(str(video)) as source, av.open(target, 'w', format='mpegts') as sink:
    stream = source.streams.video[0]
    copy, shift, length = sink.add_stream_from_template(stream), 0, int(stream.duration or 0)
    while shift * stream.time_base < minutes * 60:  # type: ignore[operator]  # of a stream it is known
      for packet in source.demux(stream):
        if packet.dts is not None and packet.pts is not None:
          packet.pts, packet.dts, packet.stream = packet.pts + shift, packet.dts + shift, copy
          sink.mux(packet)
      shift += length
      source.seek(0)
  target.close()


def measure(video: Path, minutes: float, weights: str) -> None:
  """Prints a Markdown table, row by row."""
  began = time.monotonic()
  print('| minutes | scores, MiB | looks, MiB | windows | people | seconds on the clock |\n|---|---|---|---|---|---|')
  with subprocess.Popen([*COMMAND, f'--weights={weights}'], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
    assert process.stdin is not None
    assert process.stdout is not None
    threading.Thread(target=feed, args=(video, minutes, process.stdin), daemon=True).start()
    windows, people, due = 0, 0, 1
    for event in map(json.loads, process.stdout):
      if event['event'] == 'window':
        windows, people = windows + 1, event['person']['id']
        if event['end_s'] >= due * minutes * 60 / ROWS:
          row = (
            f'{event["end_s"] / 60:.1f}',
            *_measure_processes(process.pid),
            windows,
            people,
            f'{time.monotonic() - began:.0f}',
          )
          print('| ' + ' | '.join(map(str, row)) + ' |', flush=True)
          due += 1
  print(f'\n{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}; the last line: {event}')


def _measure_processes(pid: int) -> list[int]:
  """MiB that the command has, and the largest of those that it started."""
  states = [
    dict(line.split(':\t', 1) for line in _read(path) if ':\t' in line) for path in Path('/proc').glob('*/status')
  ]
  sizes = {
    int(state['Pid']): (int(state['PPid']), int(state['VmRSS'].split()[0]) >> 10)
    for state in states
    if 'VmRSS' in state
  }
  return [sizes[pid][1], max(size for parent, size in sizes.values() if parent == pid)]


def _read(path: Path) -> list[str]:
  """No lines of a process that has just ended."""
  try:
    return path.read_text().splitlines()
  except OSError:
    return []


def main() -> None:
  """Measures one video."""
  parser = argparse.ArgumentParser(description='Memory that lipfake stream takes.')
  parser.add_argument('video', type=Path)
  parser.add_argument('--minutes', type=float, default=120.0)
  parser.add_argument('--weights', default='shipped')
  options = parser.parse_args()
  measure(options.video, options.minutes, options.weights)


if __name__ == '__main__':
  main()
