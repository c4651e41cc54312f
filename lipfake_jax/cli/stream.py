"""Looks at a stream while it goes on, and prints a line a window.

SOURCE is a file, - for standard input, a camera's number or device, or an address
(rtsp://, http://, https://, udp://). Each line is an event: what was opened, a window
of a face with its person so far, a person who is gone, the end. A camera or a live
address that sends faster than is looked at loses frames, and the lines say how many.
Ends with 0 if anybody got a verdict (inconclusive is one), with 3 if nobody did.

  lipfake stream udp://127.0.0.1:5000
  lipfake stream 0 --weights=runs/mine
  lipfake stream - < talk.mp4
"""

import json
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lipfake_jax.cli.arguments import create_parser
from lipfake_jax.core.errors import Interrupted, UserError, loading

NO_VERDICT = 3  # the exit code where nobody got one


def main(arguments: Sequence[str]) -> None:
  """Prints each event as soon as it is decided."""
  parser = create_parser('stream', __doc__)
  parser.add_argument('source', metavar='SOURCE', help='a file, -, a camera, or an address')
  parser.add_argument(
    '--weights', metavar='NAME', default='shipped', help="'shipped', or a run's workdir (%(default)s)"
  )
  parser.add_argument(
    '--timeout', metavar='S', type=float, default=10.0, help='seconds to wait for an answer or a frame (%(default)g)'
  )
  parser.add_argument(
    '--reconnects', metavar='N', type=int, default=3, help='times to connect anew, in all (%(default)s)'
  )
  parser.add_argument(
    '--lag', metavar='S', type=float, default=2.0, help='seconds that a live frame may wait (%(default)g)'
  )
  options = parser.parse_args(arguments)
  for name, least in (('timeout', 0.1), ('reconnects', 0), ('lag', 0.1)):
    if not least <= getattr(options, name) < float('inf'):
      raise UserError(f'--{name}={getattr(options, name)}: at least {least:g} is needed')

  with loading():
    from lipfake_jax.clips.source import find_source
    from lipfake_jax.clips.stream_worker import Limits
    from lipfake_jax.inference.compilation import keep_compiled
    from lipfake_jax.inference.detect import open_weights, stopping
    from lipfake_jax.inference.stream import stream_events

  source, limits = find_source(options.source), Limits(options.timeout, options.reconnects, options.lag)
  keep_compiled()
  run = open_weights(options.weights)
  event: dict[str, Any] = {}
  with tempfile.TemporaryDirectory(prefix='lipfake-') as scratch, stopping(Path(scratch, 'stop')) as stop:
    for event in stream_events(run, source, limits, stop.path.exists):
      _print(event)
  if event['how'] == 'interrupted':
    windows, people = (event[name]['all'] for name in ('windows', 'people'))
    raise Interrupted(f'interrupted: windows {windows}, people {people}', 128 + signal.SIGINT)
  if event['verdict'] == 'none':
    sys.exit(NO_VERDICT)


def _print(event: dict[str, Any]) -> None:
  """A line at once; where nobody reads it any more, the end."""
  try:
    print(json.dumps(event), flush=True)
  except BrokenPipeError as error:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # where what is left in Python's buffer may go
    raise Interrupted('nobody reads the lines any more', 128 + signal.SIGPIPE) from error
