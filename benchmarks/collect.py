"""What each detector says of real and fake videos, and what that costs: the file for `benchmarks/fused.py`.

  python benchmarks/collect.py LIST.csv --keep=FOLDER --sync=RUN --person=RUN --given NAME=FILE.csv

LIST.csv has the columns path, label, identity and split; its videos of validation and test are looked at. Each detector
is a command of `lipfake`, run once over all of them. What it prints is kept in --keep with the seconds of the CPU that
it took, its start included, and is not asked for again. scores.csv is written there: a row a video, a column of logits
a detector, empty where it says nothing:

  pixels    `detect`: of the video's p_fake
  av_sync   `sync check`, of videos with sound: minus the confidence, of the face that has the highest
  poi       `person check` by the first five real videos of a person, of that person's others: the score less the limit
  others    --given: a file with the columns path, logit and cpu_s, the seconds of the CPU that a video took, as
            `benchmarks/sound.py --scores` writes it

The last row, whose part is `cost`, has the seconds of the CPU for a second of video.
"""

import argparse
import csv
import json
import math
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lipfake_jax.clips.sound import read_sound
from lipfake_jax.core.vocabulary import LABELS
from lipfake_jax.data.lists import read_list
from lipfake_jax.scoring.person import FEWEST

PARTS = ('validation', 'test')
LIPFAKE = (sys.executable, '-c', 'from lipfake_jax.cli.main import main; main()')
NO_VERDICT = 3  # how `lipfake detect` ends where it has none
SMALLEST = 1e-6  # of p_fake, which is rounded to as much

Document = Mapping[str, Any]
Row = Mapping[str, str]
Logits = dict[str, float | None]  # by the video's path


def ask(command: Sequence[str], place: Path) -> tuple[list[Document], float]:
  """The lines of JSON that a command of `lipfake` prints, and the seconds of the CPU it took; kept in a file."""
  if not place.exists():
    before = os.times()
    done = subprocess.run([*LIPFAKE, *command], stdout=subprocess.PIPE, text=True, check=False)
    after = os.times()
    if done.returncode not in (0, NO_VERDICT):
      sys.exit(f'lipfake {command[0]}: exit code {done.returncode}')
    cpu_s = after.children_user + after.children_system - before.children_user - before.children_system
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{')]
    place.write_text(json.dumps({'cpu_s': cpu_s, 'documents': lines}))
  kept = json.loads(place.read_text())
  return kept['documents'], kept['cpu_s']


def ask_people(rows: Sequence[Row], weights: Path, keep: Path) -> tuple[list[Document], float, list[str]]:
  """What is said of people with enough real videos, the seconds of the CPU, and the videos that were looked at."""
  videos, documents, total_s, looked_at = defaultdict(list), [], 0.0, []
  for row in rows:
    videos[row['identity']].append(row)
  for name, theirs in videos.items():
    references = [row['path'] for row in theirs if row['label'] == LABELS[0]][:FEWEST]
    others = [row['path'] for row in theirs if row['path'] not in references]
    if len(references) == FEWEST and others:
      options = [f'--weights={weights}', f'--people={keep / "people"}']
      _, enroll_s = ask(['person', 'enroll', name, *references, *options], keep / f'enroll {name}.json')
      found, check_s = ask(['person', 'check', '--json', name, *others, *options], keep / f'check {name}.json')
      documents += found
      total_s += enroll_s + check_s
      looked_at += references + others
  return documents, total_s, looked_at


def score_pixels(document: Document) -> float | None:
  """The logit of p_fake, of a document of `detect`."""
  p_fake = document['p_fake']
  return None if p_fake is None else to_logit(min(max(p_fake, SMALLEST), 1 - SMALLEST))


def score_sync(document: Document) -> float | None:
  """Minus the highest confidence of a face, of a document of `sync check`: who does not speak need not fit."""
  return min((-face['confidence'] for face in document['people']), default=None)


def score_person(document: Document) -> float | None:
  """How far above the limit the score lies, of a document of `person check`."""
  return None if document['score'] is None else document['score'] - document['limit']


def to_logit(share: float) -> float:
  """Of a share between 0 and 1."""
  return math.log(share / (1 - share))


def read_given(path: Path, paths: Sequence[str]) -> tuple[Logits, float]:
  """Logits of some videos, by path, and the seconds of the CPU for all of those in the file."""
  rows = [row for _, row in read_list(path, ('path', 'logit', 'cpu_s')).rows if row['path'] in paths]
  logits = {row['path']: float(row['logit']) if row['logit'] else None for row in rows}
  return logits, sum(float(row['cpu_s']) for row in rows)


def collect(rows: Sequence[Row], options: argparse.Namespace) -> dict[str, tuple[Logits, float | None]]:
  """By detector the logits of videos, and the seconds of the CPU for a second of video, None if none was looked at."""
  paths, keep = [row['path'] for row in rows], options.keep
  seen, seen_s = ask(['detect', '--json', *paths], keep / 'detect.json')
  heard = [path for path in paths if len(read_sound(Path(path)).samples)]
  timed, timed_s = ask(['sync', 'check', '--json', f'--weights={options.sync}', *heard], keep / 'sync check.json')
  known, known_s, looked_at = ask_people(rows, options.person, keep)
  lengths_s = {document['video']['path']: document['video']['duration_s'] or 0.0 for document in seen}
  given = {name: read_given(Path(path), paths) for name, path in (pair.split('=', 1) for pair in options.given)}

  def cost(spent_s: float, videos: Iterable[str]) -> float | None:
    length_s = sum(lengths_s[path] for path in videos)
    return spent_s / length_s if length_s else None

  return {
    'pixels': ({document['video']['path']: score_pixels(document) for document in seen}, cost(seen_s, lengths_s)),
    **{name: (logits, cost(spent_s, logits)) for name, (logits, spent_s) in given.items()},
    'av_sync': ({d['video']: score_sync(d) for d in timed}, cost(timed_s, [d['video'] for d in timed])),
    'poi': ({document['video']: score_person(document) for document in known}, cost(known_s, looked_at)),
  }


def main() -> None:
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument('list', type=Path)
  parser.add_argument('--keep', type=Path, required=True)
  parser.add_argument('--sync', type=Path, required=True, metavar='RUN', help='workdir of configs/av_sync.py')
  parser.add_argument('--person', type=Path, required=True, metavar='RUN', help='workdir of configs/poi.py')
  parser.add_argument('--given', nargs='*', default=[], metavar='NAME=FILE')
  options = parser.parse_args()
  options.keep.mkdir(parents=True, exist_ok=True)
  table = read_list(options.list, ('path', 'label', 'identity', 'split'))
  rows = [row | {'path': str(options.list.parent / row['path'])} for _, row in table.rows if row['split'] in PARTS]
  found = collect(rows, options)
  with open(options.keep / 'scores.csv', 'w', newline='') as file:
    writer = csv.writer(file)
    writer.writerow(['key', 'part', 'label', 'group', *found])
    for row in rows:
      logits = [logits.get(row['path']) for logits, _ in found.values()]
      writer.writerow([row['path'], row['split'], LABELS.index(row['label']), row['identity'], *logits])
    writer.writerow(['', 'cost', '', '', *(cost for _, cost in found.values())])


if __name__ == '__main__':
  main()
