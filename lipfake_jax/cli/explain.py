"""Shows which frames and which parts of the mouth carried a score.

Of the highest window of each person (of at most three) writes V.person1.jpg below
--out: what raised the score is red, what lowered it blue. With --measure it tests in
place of that whether such pictures are true for these weights, on a dataset (NAME is
its test part), prints the figures, and keeps those of a test part beside the weights:
a map that fails is not shown.

  lipfake explain talk.mp4 --out=findings
  lipfake explain --measure --weights=runs/mine --dataset=video_folder
"""

import functools
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lipfake_jax.cli.arguments import DATA_DIR_HELP, create_parser, split_commas
from lipfake_jax.core.errors import UserError
from lipfake_jax.core.names import note_lines, printable

if TYPE_CHECKING:
  from lipfake_jax.inference.detect import Finding
  from lipfake_jax.inference.run import Run


def main(arguments: Sequence[str]) -> None:
  """Draws and explains each video, or measures."""
  parser = create_parser('explain', __doc__)
  parser.add_argument('videos', nargs='*', metavar='VIDEO', help='a file, a folder, or a pattern in quotes')
  parser.add_argument(
    '--weights', metavar='NAME', default='shipped', help="'shipped', or a run's workdir (%(default)s)"
  )
  parser.add_argument(
    '--out', metavar='FOLDER', type=Path, default=Path('.'), help='folder for the pictures (default: here)'
  )
  parser.add_argument('--measure', action='store_true', help='test on a dataset whether the pictures are true')
  parser.add_argument('--dataset', metavar='NAME', help='with --measure: NAME or NAME:PART (default: test of its own)')
  parser.add_argument('--methods', metavar='NAMES', type=split_commas, help='with --measure: A,B or all (those shown)')
  parser.add_argument(
    '--limit', metavar='N', type=int, default=40, help='with --measure: take this many videos, 0 is all (%(default)s)'
  )
  parser.add_argument('--data_dir', metavar='FOLDER', help=DATA_DIR_HELP)
  options = parser.parse_args(arguments)
  if bool(options.videos) == options.measure:
    parser.error('name a VIDEO, or --measure without one')

  from lipfake_jax.inference.compilation import keep_compiled
  from lipfake_jax.inference.detect import open_weights

  keep_compiled()
  run = open_weights(options.weights)
  if options.measure:
    _measure(run, options)
  else:
    _explain(run, options)


def _explain(run: 'Run', options: Namespace) -> None:
  from lipfake_jax.clips.windows import MOST
  from lipfake_jax.inference.detect import detect_videos
  from lipfake_jax.inference.explain import list_kinds
  from lipfake_jax.report.detect_files import find_places
  from lipfake_jax.report.heat import explain_window

  list_kinds(run)
  files, places = find_places(options.videos)
  explain = functools.partial(explain_window, run)
  found = detect_videos(run, files.found, lambda clip: None, MOST, explain=explain)
  for place, finding in zip(places, found, strict=False):  # fewer where Ctrl-C came
    _show(options.out / place, finding)
  for line in note_lines(files.named()):
    print(line, file=sys.stderr)


def _show(place: Path, finding: 'Finding') -> None:
  from lipfake_jax.report.detect_words import clock, say

  document = finding.document
  print(f'{document["video"]["path"]}: {document["verdict"]}')
  if not finding.explained:
    print(f'  nothing to explain: {say(document["reason"])}')
  for person, (number, (picture, sentences)) in finding.explained.items():
    window = document['people'][person]['windows'][number]
    print(f'  person {person + 1}, {clock(window["start_s"])} to {clock(window["end_s"])}')
    print(*(f'    {sentence}' for sentence in sentences), sep='\n')
    if picture:
      path = place.with_name(f'{place.name}.person{person + 1}.jpg')
      path.parent.mkdir(parents=True, exist_ok=True)
      path.write_bytes(picture)
      print(f'    {printable(str(path))}')


def _measure(run: 'Run', options: Namespace) -> None:
  from lipfake_jax.evaluation.explanations import measure_maps, write_trust
  from lipfake_jax.evaluation.tested import open_tested
  from lipfake_jax.inference.explain import METHODS, SHOWN, list_kinds
  from lipfake_jax.inference.run import read_input
  from lipfake_jax.report.explain_table import explain_table

  list_kinds(run)
  known = list(METHODS[read_input(run.meta)])
  methods = known if options.methods == ['all'] else options.methods or [SHOWN]
  if unknown := set(methods) - set(known):
    raise UserError(f'--methods={",".join(sorted(unknown))}: choose of {", ".join(known)}, or all')
  if options.limit < 0:
    raise UserError(f'--limit={options.limit}: give a number of videos, or 0 for all')
  split = open_tested(options.dataset or run.meta['data']['dataset'], run.meta, options.data_dir)
  found = measure_maps(run, split, methods, options.limit)
  print(explain_table(f'maps of {run.meta["model"]["name"]}, on {split.dataset} ({split.name})', found))
  if split.name == 'test' and SHOWN in methods:
    print(f'written to {write_trust(run, split, found)}: detect --explain shows what passed')
