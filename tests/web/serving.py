"""The page as it is served, with a stand-in for the detector, and visitors of it who are no browser."""

import contextlib
import dataclasses
import http.client
import json
import re
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from lipfake_jax.web.app import create_app
from lipfake_jax.web.detector import Detector
from lipfake_jax.web.limits import Limits
from lipfake_jax.web.office import Office
from lipfake_jax.web.server import create_server
from lipfake_jax.web.visitors import LOOPBACK
from tests.web.stand_in import open_stand_in

PATIENCE_S = 300.0  # no test is about speed


@dataclasses.dataclass(frozen=True)
class Served:
  """Where the page is, what looks at videos, and the folder that holds them."""

  port: int
  detector: Detector
  folder: Path


@dataclasses.dataclass(frozen=True)
class Visitor:
  """Whoever has a cookie and the key of the page."""

  port: int
  headers: dict[str, str]

  def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any, str]:
    return ask(self.port, method, path, body, **self.headers | headers)

  def send(self, content: bytes, name: str = 'a.mp4') -> str:
    """The id of a video that was taken."""
    status, _, text = self.ask('POST', f'/videos?name={name}', content)
    assert status == 201, text
    return json.loads(text)['id']

  def list(self) -> dict[str, dict]:
    return {video['id']: video for video in json.loads(self.ask('GET', '/videos')[2])}

  def wait(self, number: str, ready: Callable[[dict], bool] = lambda video: video['state'] == 'done') -> dict:
    """A video, once it is ready."""
    return until(lambda: (video := self.list()[number]) and ready(video) and video)


def visit(port: int, address: str = '/', cookie: str = '') -> Visitor:
  """A new visitor, who has opened the page."""
  _, headers, text = ask(port, 'GET', address, Cookie=cookie)
  if 'location' in headers:  # where the token was
    return visit(port, headers['location'], headers['set-cookie'].split(';')[0])
  found = re.search('name="key" content="(.*?)"', text)
  assert found, text
  return Visitor(port, {'Cookie': cookie or headers['set-cookie'].split(';')[0], 'x-lipfake-key': found[1]})


def ask(port: int, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any, str]:
  """Status, headers and text of an answer."""
  connection = http.client.HTTPConnection('127.0.0.1', port, timeout=PATIENCE_S)
  with contextlib.closing(connection):
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read().decode()


def until(ready: Callable[[], Any]) -> Any:
  """What `ready` returns, once that is true."""
  end = time.monotonic() + PATIENCE_S
  while not (found := ready()):
    assert time.monotonic() < end, 'it never came'
    time.sleep(0.05)
  return found


@contextlib.contextmanager
def serve(limits: Limits | None = None, token: str | None = None) -> Iterator[Served]:
  """The page on a free port, while the context lasts."""
  limits = limits or Limits()
  with tempfile.TemporaryDirectory() as folder, socket.create_server(('127.0.0.1', 0)) as listener:
    port = listener.getsockname()[1]
    detector = Detector(open_stand_in, Path(folder))
    app = create_app(Office(Path(folder), detector, limits), limits, LOOPBACK, token, port)
    server = create_server(app)
    thread = threading.Thread(target=server.run, kwargs={'sockets': [listener]})
    thread.start()
    try:
      yield Served(port, detector, Path(folder))
    finally:
      server.should_exit = True
      thread.join()
