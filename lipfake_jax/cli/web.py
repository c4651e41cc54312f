"""Shows a page that takes videos and tells what it finds in them.

The page is for this machine alone: drop a video or record one, see how far it is, open
the evidence, delete it. A video is deleted once it was looked at, what was found after
an hour, and everything when the program ends. Ctrl-C ends it.

  lipfake web
  lipfake web --host=0.0.0.0 --token=auto
"""

import functools
import secrets
import signal
import socket
import tempfile
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from lipfake_jax.cli.arguments import create_parser
from lipfake_jax.core.errors import Interrupted, UserError, loading

if TYPE_CHECKING:
  from lipfake_jax.web.limits import Limits

HOST, PORT = '127.0.0.1', 8000
SHORTEST = 16  # characters of a token
AUTO = 'auto'


def main(arguments: Sequence[str]) -> None:
  """Serves the page until it is told to end."""
  options = _parse(arguments)
  with loading():
    try:
      from lipfake_jax.web.app import create_app
    except ModuleNotFoundError as error:
      raise UserError(f"{error.name} is missing: pip install 'lipfake_jax[web]'") from error
    from lipfake_jax.web.detector import Detector, open_detector
    from lipfake_jax.web.office import Office
    from lipfake_jax.web.server import create_server
    from lipfake_jax.web.visitors import LOOPBACK, is_loopback

  token = _choose_token(options.token, options.host, is_loopback(options.host))
  limits = _limits(options)
  signal.signal(signal.SIGTERM, _end)
  with (
    _listen(options.host, options.port) as listener,
    tempfile.TemporaryDirectory(prefix='lipfake-web-', ignore_cleanup_errors=True) as folder,
  ):
    detector = Detector(functools.partial(open_detector, options.weights, limits.look_s), Path(folder))
    try:
      port = listener.getsockname()[1]
      app = create_app(Office(Path(folder), detector, limits), limits, (*LOOPBACK, options.host), token, port)
      _tell(options.host, port, token)
      create_server(app).run(sockets=[listener])
    finally:
      detector.close()


def _parse(arguments: Sequence[str]) -> Namespace:
  from lipfake_jax.web.limits import Limits

  known = Limits()
  parser = create_parser('web', __doc__)
  parser.add_argument(
    '--weights', metavar='NAME', default='shipped', help="'shipped', or a run's workdir (%(default)s)"
  )
  parser.add_argument('--port', type=int, default=PORT, help='0 is any that is free (%(default)s)')
  parser.add_argument('--host', default=HOST, help='address to listen at; others than %(default)s need --token')
  parser.add_argument('--token', help=f"what visitors must show: {SHORTEST} characters or more; 'auto' makes one")
  for name, default, unit in (
    ('most_mib', known.upload_bytes / 2**20, 'size of a video, MiB'),
    ('upload_minutes', known.upload_s / 60, 'time that an upload may take'),
    ('look_minutes', known.look_s / 60, 'time that a video may be looked at'),
    ('keep_minutes', known.keep_s / 60, 'time until findings are deleted'),
  ):
    parser.add_argument(f'--{name}', type=float, default=default, metavar='N', help=f'{unit} (%(default)g)')
  parser.add_argument('--queue', type=int, default=known.queue, metavar='N', help='videos that may wait (%(default)s)')
  return parser.parse_args(arguments)


def _limits(options: Namespace) -> 'Limits':
  from lipfake_jax.web.limits import Limits

  for name in ('most_mib', 'upload_minutes', 'look_minutes', 'keep_minutes', 'queue'):
    if getattr(options, name) <= 0:
      raise UserError(f'--{name}={getattr(options, name):g}: it must be above 0')
  return Limits(
    upload_bytes=round(options.most_mib * 2**20),
    upload_s=60 * options.upload_minutes,
    look_s=60 * options.look_minutes,
    keep_s=60 * options.keep_minutes,
    queue=options.queue,
  )


def _choose_token(token: str | None, host: str, loopback: bool) -> str | None:
  """The token, which others than this machine must show."""
  if token is None and not loopback:
    raise UserError(f'--host={host}: others could reach it, so it needs a token: --token={AUTO} makes one')
  if token == AUTO:
    return secrets.token_urlsafe(SHORTEST)
  if token is not None and (len(token) < SHORTEST or not token.isascii() or not token.isalnum()):
    raise UserError(f'--token: use {SHORTEST} letters and digits or more, or --token={AUTO}')
  return token


def _listen(host: str, port: int) -> socket.socket:
  try:
    return socket.create_server((host, port), family=socket.AF_INET6 if ':' in host else socket.AF_INET)
  except (OSError, OverflowError) as error:
    why = getattr(error, 'strerror', None) or error
    raise UserError(f'--host={host} --port={port}: {why}: choose another one; --port=0 takes any') from error


def _tell(host: str, port: int, token: str | None) -> None:
  shown = f'[{host}]' if ':' in host else host
  ending = f'?token={token}' if token else ''
  print(f'http://{shown}:{port}/{ending}\nCtrl-C ends it, and deletes what was sent', flush=True)


def _end(number: int, frame: object) -> NoReturn:
  del frame
  raise Interrupted('ended; what was sent is deleted', 128 + number)
