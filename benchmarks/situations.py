"""What people's files do to the commands: `python benchmarks/situations.py --workdir=RUN` makes some and looks.

Hundreds of files in drawn situations (`tests/situations.py`: containers, codecs, orientations, streams, names, folders,
damage, lists) go through `run.py --mode=predict` and `tfds build`, by folders and by a list, as a user would call them.
Each must have the verdict, the reason or the place among what is left out that follows from its making. Prints a table
of outcomes, seconds and peak memory, and each situation that came out otherwise, then with exit code 1.

RUN is a trained run of the demo (`make demo`), which is copied.
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
import unicodedata
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import tensorflow_datasets as tfds

from lipfake_jax.core.names import printable
from lipfake_jax.data.files import IS_HIDDEN, IS_NO_VIDEO, IS_SPECIAL
from tests import situations
from tests.situations import Situation

ROOT = Path(__file__).parents[1]
LEFT_OUT = (IS_HIDDEN, IS_NO_VIDEO, IS_SPECIAL)
CONFIG = 'flow_lips_60x64'

Outcomes = dict[str, str]  # by the path below the root of the videos: a verdict, CLIP or a reason


def main() -> None:
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument('--workdir', type=Path, required=True, help='a trained run of the demo')
  parser.add_argument('--count', type=int, default=300, help='situations (%(default)s)')
  parser.add_argument('--seed', type=int, default=0)
  options = parser.parse_args()
  drawn = situations.draw(options.count, options.seed)
  with tempfile.TemporaryDirectory() as folder:
    videos = Path(folder, 'videos')
    films = situations.render_films()
    for situation in drawn:
      situations.write(situation, videos, films)
    failed = _compare(
      'predict', {s: _expect_verdict(s) for s in drawn}, _predict(options.workdir, videos, Path(folder))
    )
    failed += _compare('tfds build', {s: _expect_row(s) for s in drawn}, _build(videos, Path(folder, 'by_folder')))
    kind = list(situations.LISTS)[options.seed % len(situations.LISTS)]
    listed = dict.fromkeys(drawn, '')
    listed |= {s: situations.expect_listed(s) for s in situations.write_list(drawn, videos, kind)}
    failed += _compare(f'tfds build by a list ({kind})', listed, _build(videos, Path(folder, 'by_list')))
  print('\n'.join(failed))
  sys.exit(1 if failed else 0)


def _predict(workdir: Path, videos: Path, folder: Path) -> Outcomes:
  copy = folder / 'run'
  shutil.copytree(workdir, copy, ignore=shutil.ignore_patterns('clip_cache'))
  _run('predict', 'run.py', '--mode=predict', f'--workdir={copy}', f'--video={videos}')
  report = json.loads((copy / 'predictions.json').read_text())
  found = {video['video']: video['verdict'] or video['reason'].split(' ')[0] for video in report['videos']}
  found |= {name: reason for reason, names in report['left_out'].items() for name in names}
  return {name.removeprefix(f'{videos}/'): outcome for name, outcome in found.items()}


def _expect_verdict(situation: Situation) -> str:
  expected = situations.expect(situation)
  return situation.label if expected == situations.CLIP else expected


def _expect_row(situation: Situation) -> str:
  """'' for what is left out: no row is there for it."""
  expected = situations.expect(situation)
  return '' if expected in LEFT_OUT else expected


def _build(videos: Path, data_dir: Path) -> Outcomes:
  """What the dataset's table says; of what is left out, only its message does, with some of the names."""
  build = ['build', 'data_builders/video_folder', f'--config={CONFIG}', f'--manual_dir={videos}']
  text = _run('tfds build', Path(sys.executable).with_name('tfds'), *build, f'--data_dir={data_dir}')
  for reason in LEFT_OUT:
    print('  ', next((line for line in text.splitlines() if reason in line), f'none: {reason}'))
  builder = tfds.core.read_only_builder.builder_from_files(f'video_folder/{CONFIG}', data_dir=str(data_dir))
  metadata = builder.info.metadata
  found = dict.fromkeys(metadata['clips']['key'], situations.CLIP)
  return found | {rejection['key']: rejection['reason'] for rejection in metadata['rejections']}


def _run(name: str, *command: str | Path) -> str:
  """Its standard output. Prints how long it took, and the peak memory of the largest process so far."""
  started = time.perf_counter()
  first = [] if name == 'tfds build' else [sys.executable]
  environment = os.environ | {'PYTHONPATH': str(ROOT)}
  done = subprocess.run(
    [*first, *command], cwd=ROOT, env=environment, capture_output=True, text=True, errors='replace', check=False
  )
  peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
  print(f'{name}: exit code {done.returncode}, {time.perf_counter() - started:.0f} s, {peak:.2f} GiB')
  if done.returncode or 'Traceback' in done.stderr:
    sys.exit(done.stderr)
  return done.stdout


def _compare(command: str, wanted: Mapping[Situation, str], found: Outcomes) -> list[str]:
  """A line for each situation that came out otherwise; prints how many there were of each outcome."""
  failed: list[str] = []
  counts: Counter[str] = Counter()
  found = {unicodedata.normalize('NFC', name): outcome for name, outcome in found.items()}
  for situation, expected in wanted.items():
    path = unicodedata.normalize('NFC', printable(situation.path))
    places = [path, *map(str, Path(path).parents)]  # a hidden folder stands for all that is in it
    outcome = next((found[place] for place in places if place in found), '')
    counts[expected or 'left out'] += 1
    if outcome != expected:
      failed.append(f'{command}: {outcome or "missing"} in place of {expected or "left out"}: {situation}')
  print(f'{command}: {len(wanted) - len(failed)} of {len(wanted)} as expected; of these, expected:')
  print('\n'.join(f'{count:6} {outcome}' for outcome, count in counts.most_common()))
  return failed


if __name__ == '__main__':
  main()
