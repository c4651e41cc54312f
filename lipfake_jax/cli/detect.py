"""Looks for signs of a fake in videos: whose face, when, how sure.

Every face is scored in windows over the whole video. With --out, each video V gets
V.json and V.html: the verdict in words, the moments, what speaks for and against it;
with --overlay also V.overlay.mp4, the video with boxes and scores drawn on it.
Ends with 0 if any video got a verdict (inconclusive is one), with 3 if none did.

  lipfake detect talk.mp4 --out=findings --overlay
  lipfake detect folder 'more/*.mov' --weights=runs/demo --json
  lipfake detect talk.mp4 --sound --out=findings
"""

import argparse
import functools
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lipfake_jax.cli.arguments import create_parser
from lipfake_jax.core.errors import Interrupted, UserError, loading
from lipfake_jax.core.names import note_lines, printable

if TYPE_CHECKING:
  from lipfake_jax.clips.clips import Clip
  from lipfake_jax.inference.detect import Finding, Picture
  from lipfake_jax.inference.run import Run
  from lipfake_jax.report.overlay import Trace

NO_VERDICT = 3  # the exit code where no video got one
WIDEST = 60  # characters of the names' column


def main(arguments: Sequence[str]) -> None:
  """Prints each video's findings, and writes them below --out, as soon as they are there."""
  options = _parse(arguments)
  with loading():
    from lipfake_jax.clips.phones import check_recogniser
    from lipfake_jax.clips.survey import DENSE, tell_terminal
    from lipfake_jax.clips.windows import MOST
    from lipfake_jax.clips.workers import hire_workers
    from lipfake_jax.inference.compilation import keep_compiled
    from lipfake_jax.inference.detect import count_workers, detect_videos, open_weights
    from lipfake_jax.report.detect_files import find_places
    from lipfake_jax.report.detect_page import draw_window
    from lipfake_jax.report.overlay import trace_face
    from lipfake_jax.report.redrawn_video import check_encoder

  files, places = find_places(options.videos)
  _check_folder(options.out)
  if options.sound:
    check_recogniser()
  if options.overlay:
    check_encoder()
  keep_compiled()
  verdicts: list[str] = []
  stopped = False
  with hire_workers(count_workers(len(files.found))) as crew:  # who start while the model is loaded
    run = open_weights(options.weights)
    most, progress = DENSE if options.dense else MOST, tell_terminal if sys.stderr.isatty() else None
    explain = _explainer(run) if options.explain else None
    width = min(max(len('video'), *(len(printable(str(video))) for video in files)), WIDEST)
    if not options.json:
      _print_header(width)

    def look(clip: 'Clip') -> tuple[bytes, 'Trace']:
      return draw_window(clip), trace_face(clip)

    for finding in detect_videos(
      run, files.found, look, most, options.people, progress, explain=explain, listen=options.sound, crew=crew
    ):
      verdicts.append(finding.document['verdict'])
      stopped |= finding.stopped
      if options.out:
        _write(options.out / places[len(verdicts) - 1], finding, options.overlay)
      _show(finding, width, options.json)
  _tell_end(verdicts, options.out, note_lines(files.named()))
  if stopped or len(verdicts) < len(files.found):
    raise Interrupted(f'interrupted: {len(verdicts)} of {len(files.found)} videos are done', 128 + signal.SIGINT)
  if all(verdict == 'none' for verdict in verdicts):
    sys.exit(NO_VERDICT)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
  parser = create_parser('detect', __doc__)
  parser.add_argument('videos', nargs='+', metavar='VIDEO', help='a file, a folder, or a pattern in quotes')
  parser.add_argument(
    '--weights', metavar='NAME', default='shipped', help="'shipped', a run's workdir, or an ONNX file (%(default)s)"
  )
  parser.add_argument('--out', metavar='FOLDER', type=Path, help='folder for V.json and V.html of each video V')
  parser.add_argument('--json', action='store_true', help='print a line of JSON a video in place of the table')
  parser.add_argument(
    '--people', metavar='WHO', default='all', choices=('all', 'largest'), help="'all' faces, or the 'largest' (all)"
  )
  parser.add_argument(
    '--explain', action='store_true', help='with --out: show what carried the highest scores (some seconds a person)'
  )
  dense = 'look at all of a long video, and score all windows; by default 120 a face, spread evenly'
  parser.add_argument('--dense', action='store_true', help=dense)
  parser.add_argument('--sound', action='store_true', help='compare lips with what is heard, of English speech')
  parser.add_argument('--overlay', action='store_true', help='with --out: also V.overlay.mp4, the video drawn on')
  options = parser.parse_args(arguments)
  for name in ('overlay', 'explain'):
    if getattr(options, name) and not options.out:
      parser.error(f'--{name} needs --out=FOLDER')
  return options


def _explainer(run: 'Run') -> 'Picture':
  """Of a model that can be explained: told before minutes of work, not after them."""
  from lipfake_jax.inference.explain import list_kinds
  from lipfake_jax.report.heat import explain_window

  list_kinds(run)
  return functools.partial(explain_window, run)


def _check_folder(folder: Path | None) -> None:
  """Before minutes of work, not after them."""
  if folder is not None and folder.exists() and not folder.is_dir():
    raise UserError(f'--out={folder}: it is a file: name a folder')
  if folder is not None:
    folder.mkdir(parents=True, exist_ok=True)


def _print_header(width: int) -> None:
  from lipfake_jax.report.detect_table import header

  print(header(width), flush=True)


def _show(finding: 'Finding', width: int, as_json: bool) -> None:
  from lipfake_jax.report.detect_table import BLOCKS, PLAIN, describe_lines

  if as_json:
    timing = {name: seconds and round(seconds, 3) for name, seconds in finding.timing.items()}
    print(json.dumps({**finding.document, 'timing': timing}), flush=True)
    return
  blocks = BLOCKS if (sys.stdout.encoding or '').lower().startswith('utf') else PLAIN
  print('\n'.join(describe_lines(finding.document, width, blocks)), flush=True)


def _write(place: Path, finding: 'Finding', overlay: bool) -> None:
  from lipfake_jax.report.detect_files import replace_file, write_document
  from lipfake_jax.report.detect_page import render_finding

  strips = [[strip for strip, _ in windows] for windows in finding.pictures]
  write_document(place.with_name(f'{place.name}.json'), finding.document)
  page = render_finding(finding.document, strips, finding.explained, finding.mouths)
  replace_file(place.with_name(f'{place.name}.html'), page)
  if overlay and finding.document['video']['frames'] and not finding.stopped:
    _write_overlay(place.with_name(f'{place.name}.overlay.mp4'), finding)


def _write_overlay(path: Path, finding: 'Finding') -> None:
  from lipfake_jax.inference.detect import TIME_LIMIT_S
  from lipfake_jax.report.overlay import write_overlay

  traces = [[trace for _, trace in windows] for windows in finding.pictures]
  if fault := write_overlay(finding.video, path, finding.document, traces, TIME_LIMIT_S):
    print(f'{printable(str(path))} is not written: {printable(fault)}', file=sys.stderr)


def _tell_end(verdicts: Sequence[str], folder: Path | None, notes: Sequence[str]) -> None:
  """Says on stderr what was left out, and where the rest is."""
  for line in notes:
    print(line, file=sys.stderr)
  if folder and verdicts:
    print(f'written below {printable(str(folder))}', file=sys.stderr)
