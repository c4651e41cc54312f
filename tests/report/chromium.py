"""A page in headless Chromium, over its debugging pipe: what it logs, what it fetches, and how wide it is."""

import base64
import fcntl
import itertools
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAMES = ('chromium', 'chromium-browser', 'google-chrome', 'chrome', 'headless_shell')
FLAGS = (
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--hide-scrollbars',
  '--no-first-run',
  '--remote-debugging-pipe',
)
HIGH = 20  # file descriptors from here on are no browser's


def find_browser() -> str | None:
  """The first of NAMES that is installed."""
  return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
  """One tab. `events` holds what the browser reported, as (method, parameters)."""

  def __init__(self, requests: int, answers: int):
    self.requests, self.answers = os.fdopen(requests, 'wb', buffering=0), os.fdopen(answers, 'rb')
    self.numbers, self.rest, self.session = itertools.count(1), b'', None
    self.events: list[tuple[str, dict]] = []
    target = self.call('Target.createTarget', url='about:blank')['targetId']
    self.session = self.call('Target.attachToTarget', targetId=target, flatten=True)['sessionId']
    for domain in ('Page', 'Network', 'Runtime', 'Log'):
      self.call(f'{domain}.enable')

  def call(self, method: str, **parameters) -> dict:
    """The result of a command of the DevTools protocol."""
    number = next(self.numbers)
    message = {'id': number, 'method': method, 'params': parameters}
    self.requests.write(json.dumps(message | ({'sessionId': self.session} if self.session else {})).encode() + b'\0')
    while (answer := self._read()).get('id') != number:
      self.events.append((answer['method'], answer['params']))
    assert 'error' not in answer, answer
    return answer['result']

  def open(self, address: Path | str, width: int, height: int = 800) -> None:
    """Shows a file or an address on a screen of so many CSS pixels; returns when it is loaded."""
    self.call('Emulation.setDeviceMetricsOverride', width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
    self.events.clear()
    self.call('Page.navigate', url=address.as_uri() if isinstance(address, Path) else address)
    while 'Page.loadEventFired' not in dict(self.events):
      answer = self._read()
      self.events.append((answer['method'], answer['params']))

  def evaluate(self, expression: str):
    """The value of a line of JavaScript."""
    return self.call('Runtime.evaluate', expression=expression, returnByValue=True)['result'].get('value')

  def press(self, key: str, **code) -> None:
    """A key of the keyboard; `code` is what the protocol wants to know of it beside its name."""
    self.call('Input.dispatchKeyEvent', type='keyDown', key=key, **code)
    self.call('Input.dispatchKeyEvent', type='keyUp', key=key, **code)

  def choose(self, selector: str, *files: Path) -> None:
    """Chooses files in an input, as the dialog of the system would, which no page can open by itself."""
    document = self.call('DOM.getDocument')['root']['nodeId']
    node = self.call('DOM.querySelector', nodeId=document, selector=selector)['nodeId']
    self.call('DOM.setFileInputFiles', nodeId=node, files=[str(file) for file in files])

  def screenshot(self, path: Path, top: int = 0, height: int = 0) -> Path:
    """The page as PNG, from `top` on; 0 is its whole height."""
    width, whole = (self.evaluate(f'document.documentElement.scroll{side}') for side in ('Width', 'Height'))
    clip = {'x': 0, 'y': top, 'width': width, 'height': height or whole, 'scale': 1}
    shot = self.call('Page.captureScreenshot', clip=clip, captureBeyondViewport=True)['data']
    path.write_bytes(base64.b64decode(shot))
    return path

  def _read(self) -> dict:
    message = bytearray()
    while (byte := self.answers.read(1)) != b'\0':
      assert byte, 'the browser is gone'
      message += byte
    return json.loads(message)


@contextmanager
def open_browser(program: str, profile: Path, *more: str) -> Iterator[Browser]:
  """A browser that ends with the block; it reads commands from its descriptor 3 and writes answers to 4.

  more: flags beside FLAGS.
  """
  ends = [fcntl.fcntl(end, fcntl.F_DUPFD, HIGH) for pair in (os.pipe(), os.pipe()) for end in pair]
  reads, requests, answers, writes = ends
  flags = ' '.join((*FLAGS, *more, f'--user-data-dir={profile}'))
  process = subprocess.Popen(
    ['bash', '-c', f'exec {program} {flags} 3<&{reads} 4>&{writes}'],
    pass_fds=(reads, writes), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
  )  # fmt: skip
  os.close(reads)
  os.close(writes)
  try:
    yield Browser(requests, answers)
  finally:
    process.terminate()
    process.wait(timeout=20)
