"""The page in a real browser: by the keyboard alone, on a phone and a desktop, and nothing from elsewhere."""

import pytest

from lipfake_jax.web.limits import Limits
from lipfake_jax.web.page import render_page, say_time
from tests.report.chromium import find_browser, open_browser
from tests.web.serving import serve, until

CAMERA = ('--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream')
TAB = {'code': 'Tab', 'windowsVirtualKeyCode': 9}
ENTER = {'code': 'Enter', 'windowsVirtualKeyCode': 13, 'text': '\r'}
FOCUS = 'document.activeElement.ariaLabel || document.activeElement.id'


@pytest.mark.parametrize(
  ('seconds', 'words'),
  [
    (3600, '1 hour'),
    (7200, '2 hours'),
    (60, '1 minute'),
    (600, '10 minutes'),
    (90, '90 seconds'),
    (0.5, '0.5 seconds'),
  ],
)
def test_times_in_words(seconds, words):
  assert say_time(seconds) == words


def test_the_page_says_what_is_taken_and_kept():
  text = ' '.join(render_page('key', Limits(upload_bytes=5 << 20, upload_s=60, keep_s=7200)).split())
  assert 'at most 5 MiB, on its way for at most 1 minute' in text
  assert 'what was found 2 hours later' in text


@pytest.fixture(scope='module')
def browser(tmp_path_factory):
  if find_browser() is None:
    pytest.skip('no Chromium is installed')
  with open_browser(find_browser(), tmp_path_factory.mktemp('profile'), *CAMERA) as opened:
    yield opened


@pytest.fixture
def address():
  with serve() as served:
    yield f'http://127.0.0.1:{served.port}/'


def see(browser, text):
  """Waits until a text is on the page."""
  return until(lambda: text in browser.evaluate('document.querySelector("main").innerText'))


def walk(browser, stop):
  """Goes by Tab to what is called `stop`; the names of all on the way."""
  names = []
  while not names or names[-1] != stop:
    assert len(names) < 20, names
    browser.press('Tab', **TAB)
    names.append(browser.evaluate(FOCUS))
  return names


def write(path, content):
  path.write_bytes(content)
  return path


def assert_alone(browser, address):
  """Nothing was fetched from elsewhere, and no error was logged."""
  asked = [event['request']['url'] for name, event in browser.events if name == 'Network.requestWillBeSent']
  assert asked
  assert [url for url in asked if not url.startswith((address, 'data:', 'blob:'))] == []
  assert not [event for name, event in browser.events if name in ('Runtime.exceptionThrown', 'Log.entryAdded')]


@pytest.mark.slow
@pytest.mark.parametrize('width', [390, 1200])
def test_by_the_keyboard_alone(browser, address, tmp_path, width):
  """A video waits, its progress is told, it is cancelled; another one has a verdict, evidence, and is deleted."""
  browser.open(address, width)
  assert walk(browser, 'camera') == ['file', 'camera']
  hostile = '<img src=x onerror=alert(1)>.mp4'
  browser.choose('#file', write(tmp_path / 'long.mp4', b'wait'))
  see(browser, 'being looked at: 50 %, 0:09 left')
  told = 'document.querySelector("[role=status]").textContent'
  until(lambda: browser.evaluate(told) == 'long.mp4: being looked at: 50 %, 0:09 left')
  browser.choose('#file', write(tmp_path / hostile, b'some'))
  see(browser, 'waiting: 1 video before it')
  assert browser.evaluate('document.querySelector("#videos img")') is None

  assert walk(browser, 'Cancel long.mp4') == [f'Cancel {hostile}', 'Cancel long.mp4']
  browser.press('Enter', **ENTER)
  see(browser, 'Signs of a fake')
  until(lambda: browser.evaluate(told) == f'{hostile}: Signs of a fake')
  assert 'long.mp4' not in browser.evaluate('document.querySelector("#videos").innerText')
  assert browser.evaluate('document.activeElement.id') == 'history'
  assert browser.evaluate('document.documentElement.scrollWidth') <= width

  evidence, page, figures = (f'{what} of {hostile}' for what in ('See the evidence', 'Save it', 'Save the figures'))
  assert walk(browser, f'Delete {hostile}') == [evidence, page, figures, f'Delete {hostile}']
  browser.press('Enter', **ENTER)
  see(browser, 'None yet.')
  assert_alone(browser, address)


@pytest.mark.slow
def test_evidence_opens(browser, address, tmp_path):
  """And Back leads to the page as it was."""
  browser.open(address, 390)
  browser.choose('#file', write(tmp_path / 'a.mp4', b'some'))
  see(browser, 'Signs of a fake')
  walk(browser, 'See the evidence of a.mp4')
  browser.press('Enter', **ENTER)
  until(lambda: browser.evaluate('document.title') == 'evidence')
  assert browser.evaluate('document.body.innerText') == 'It was looked at.'
  browser.evaluate('history.back()')
  until(lambda: browser.evaluate('document.title') == 'Is this video a fake?')
  see(browser, 'Signs of a fake')
  assert_alone(browser, address)


@pytest.mark.slow
def test_too_large_is_told_before_it_is_sent(browser, tmp_path):
  with serve(Limits(upload_bytes=1 << 20)) as served:
    browser.open(f'http://127.0.0.1:{served.port}/', 390)
    browser.choose('#file', write(tmp_path / 'large.mp4', bytes(1 + (1 << 20))))
    see(browser, 'the file is larger than 1 MiB: send a shorter piece of it')
    assert 'POST' not in [
      event['request']['method'] for name, event in browser.events if name == 'Network.requestWillBeSent'
    ]


@pytest.mark.slow
def test_a_recording_goes_the_same_way(browser, address):
  """From a camera that shows a test picture; WebM begins with 1a45dfa3."""
  browser.open(address, 390)
  walk(browser, 'camera')
  browser.press('Enter', **ENTER)
  until(lambda: browser.evaluate('document.activeElement.id') == 'take')
  browser.press('Enter', **ENTER)
  until(lambda: browser.evaluate('document.querySelector("#preview").currentTime > 1'))
  browser.press('Enter', **ENTER)
  see(browser, 'the first of them 1a45dfa3')
  assert '.webm' in browser.evaluate('document.querySelector("#videos h3").innerText')
  assert walk(browser, 'leave') == ['leave']
  browser.press('Enter', **ENTER)
  until(lambda: browser.evaluate('document.activeElement.id') == 'camera')
  assert browser.evaluate('document.querySelector("#preview").srcObject') is None
  assert_alone(browser, address)
