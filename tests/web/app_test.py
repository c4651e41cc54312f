"""The page as it is served: who may ask for what, what is taken, and in which order it is looked at."""

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from lipfake_jax.web.limits import Limits
from tests.web.serving import ask, serve, until, visit

TOKEN = 'abcdefghijklmnop'
STRICT = Limits(upload_bytes=1000, upload_s=3.0, stall_s=0.5, queue=2)


@pytest.fixture(scope='module')
def served():
  with serve() as opened:
    yield opened


@pytest.fixture(scope='module')
def strict():
  with serve(STRICT, TOKEN) as opened:
    yield opened


@pytest.fixture
def known(strict):
  """A visitor who has shown the token."""
  return visit(strict.port, f'/?token={TOKEN}')


def test_a_video_is_looked_at_and_only_what_was_found_stays(served):
  visitor = visit(served.port)
  number = visitor.send(b'some', 'talk.mp4')
  assert visitor.wait(number)['outcome'] == {
    'verdict': 'fake', 'title': 'Signs of a fake', 'details': ['4 bytes, the first of them 736f6d65'],
  }  # fmt: skip
  assert {path.name for path in (served.folder / number).iterdir()} == {'finding.json', 'finding.html'}
  status, headers, text = visitor.ask('GET', f'/videos/{number}/finding.html')
  assert (status, 'looked at' in text) == (200, True)
  assert headers['content-security-policy'].startswith("default-src 'none';")
  assert 'script-src' not in headers['content-security-policy']
  assert json.loads(visitor.ask('GET', f'/videos/{number}/finding.json')[2]) == 'talk.mp4'


def test_fifty_at_once_are_looked_at_one_after_another(served):
  """The stand-in fails where two are at work; the others wait in the order in which the page lists them."""
  visitor = visit(served.port)
  first = visitor.send(b'wait')
  visitor.wait(first, lambda video: video['state'] == 'looking')
  with ThreadPoolExecutor(50) as pool:
    numbers = list(pool.map(lambda number: visitor.send(b'x' * number), range(1, 51)))
  assert len(set(numbers)) == 50
  listed = visitor.list()
  assert [video['before'] for video in listed.values()] == [None, *range(1, 51)]
  visitor.ask('DELETE', f'/videos/{first}')
  for size, number in enumerate(numbers, 1):
    assert visitor.wait(number)['outcome']['details'][0].startswith(f'{size} bytes')


def test_who_deletes_a_video_ends_the_look_at_it(served):
  visitor = visit(served.port)
  number = visitor.send(b'wait')
  video = visitor.wait(number, lambda video: video['share'] is not None)
  assert (video['state'], video['share'], video['left_s']) == ('looking', 0.5, 9)
  process = served.detector._process
  assert visitor.ask('DELETE', f'/videos/{number}')[0] == 204
  assert not process.is_alive()
  assert visitor.list() == {}
  assert not (served.folder / number).exists()
  assert visitor.wait(visitor.send(b'next'))['outcome']['verdict'] == 'fake'


def test_one_that_waits_can_be_deleted(served):
  visitor = visit(served.port)
  first, second = visitor.send(b'wait'), visitor.send(b'never')
  assert visitor.ask('DELETE', f'/videos/{second}')[0] == 204
  assert set(visitor.list()) == {first}
  assert visitor.ask('DELETE', f'/videos/{first}')[0] == 204


def test_a_video_that_ends_the_process_costs_no_other_one_anything(served):
  visitor = visit(served.port)
  deadly, harmless = visitor.send(b'die'), visitor.send(b'some')
  outcome = visitor.wait(deadly)['outcome']
  assert (outcome['verdict'], outcome['title']) == (None, 'It could not be looked at')
  assert visitor.ask('GET', f'/videos/{deadly}/finding.html')[0] == 404
  assert visitor.wait(harmless)['outcome']['verdict'] == 'fake'


def test_nobody_sees_what_others_have(served):
  owner, other = visit(served.port), visit(served.port)
  number = owner.send(b'mine')
  owner.wait(number)
  assert other.list() == {}
  for method, path in (('GET', '/finding.html'), ('GET', '/finding.json'), ('DELETE', '')):
    assert other.ask(method, f'/videos/{number}{path}')[0] == 404
  assert owner.ask('GET', f'/videos/{number}/finding.html')[0] == 200


@pytest.mark.parametrize(
  'path',
  [
    '/../etc/passwd', '/videos/../../etc/passwd', '/videos/%2e%2e%2f%2e%2e%2fetc/finding.html',
    '/videos/..%2f..%2ffinding.json', '/videos/scratch/finding.html', '/static/page.js', '//etc/passwd', '/page.js/..',
  ],
)  # fmt: skip
def test_no_path_leads_to_a_file(served, path):
  assert visit(served.port).ask('GET', path)[0] == 404


@pytest.mark.parametrize(
  ('name', 'shown'),
  [
    ('../../etc/passwd', 'passwd'),
    ('C:%5CUsers%5Ca.mp4', 'a.mp4'),
    ('<img src=x onerror=alert(1)>.mp4'.replace(' ', '%20'), '<img src=x onerror=alert(1)>.mp4'),
    ('a%0Ab%E2%80%AEc.mp4', 'a\\nb\\u202ec.mp4'),
    ('', 'video'),
    ('..', '..'),
    ('x' * 500, 'x' * 120),
  ],
)
def test_a_name_is_only_shown(served, name, shown):
  """As text of JSON; the folder has another one."""
  visitor = visit(served.port)
  number = visitor.send(b'some', name)
  assert visitor.list()[number]['name'] == shown
  assert (served.folder / number).is_dir()
  visitor.wait(number)


@pytest.mark.parametrize('method', ['POST', 'DELETE', 'PUT', 'PATCH'])
@pytest.mark.parametrize(
  'wrong',
  [
    {'x-lipfake-key': ''}, {'x-lipfake-key': 'f' * 64}, {'x-lipfake-key': '\xe9'},
    {'Origin': 'http://evil.example'}, {'Origin': 'null'}, {'Origin': 'http://127.0.0.1:1'},
    {'Sec-Fetch-Site': 'cross-site'}, {'Sec-Fetch-Site': 'same-site'}, {'Cookie': ''},
  ],
)  # fmt: skip
def test_a_change_comes_from_the_page_alone(served, method, wrong):
  assert visit(served.port).ask(method, '/videos?name=a.mp4', b'some', **wrong)[0] == 403


def test_the_page_itself_may(served):
  visitor = visit(served.port)
  origin = {'Origin': f'http://127.0.0.1:{served.port}', 'Sec-Fetch-Site': 'same-origin'}
  status, _, text = visitor.ask('POST', '/videos?name=a.mp4', b'some', **origin)
  assert status == 201
  visitor.wait(json.loads(text)['id'])


@pytest.mark.parametrize('path', ['/', '/page.js', '/page.css', '/videos', '/none'])
def test_every_answer_is_fenced_in(served, path):
  headers = visit(served.port).ask('GET', path)[1]
  assert "default-src 'none'" in headers['content-security-policy']
  assert "frame-ancestors 'none'" in headers['content-security-policy']
  assert headers['x-content-type-options'] == 'nosniff'
  assert headers['cache-control'] == 'no-store'
  assert 'access-control-allow-origin' not in headers
  assert 'server' not in headers


def test_another_name_of_this_machine_is_not_answered(served):
  assert ask(served.port, 'GET', '/', Host='evil.example')[0] == 400
  assert ask(served.port, 'GET', '/', Host=f'localhost:{served.port}')[0] == 200


@pytest.mark.parametrize('path', ['/', '/page.js', '/videos', f'/?token={TOKEN}x', '/?token=', '/?token=%C3%A9'])
def test_strangers_see_nothing_without_the_token(strict, path):
  status, headers, text = ask(strict.port, 'GET', path, Cookie='lipfake=' + 32 * '0')
  assert (status, headers['set-cookie']) == (401, None)
  assert 'token' in text


def test_the_token_is_shown_once(strict, known):
  """And is taken out of the address."""
  status, headers, _ = ask(strict.port, 'GET', f'/?token={TOKEN}')
  assert (status, headers['location']) == (303, '/')
  assert 'HttpOnly' in headers['set-cookie']
  assert known.list() == {}


@pytest.mark.parametrize(
  ('body', 'headers', 'status', 'words'),
  [
    (b'', {}, 400, 'empty'),
    (b'x' * 1001, {}, 413, 'larger than'),
    (b'', {'Content-Length': '99999999999999999999'}, 413, 'larger than'),
    (b'', {'Content-Length': str(1 << 60)}, 413, 'larger than'),
    (iter([b'x']), {'Transfer-Encoding': 'chunked'}, 411, 'how long'),
  ],
)
def test_what_is_not_taken(strict, known, body, headers, status, words):
  answer = known.ask('POST', '/videos?name=a.mp4', body, **headers)
  assert (answer[0], words in answer[2]) == (status, True)
  assert [path for path in strict.folder.iterdir() if path.name != 'scratch'] == []


@pytest.mark.parametrize('pause_s', [0.1, 60.0])
def test_an_upload_without_an_end_is_ended(strict, known, pause_s):
  """A byte every tenth of a second for more than the 3 s that it may take; or one, and silence for half a second."""
  head = ''.join(f'{name}: {value}\r\n' for name, value in known.headers.items())
  with socket.create_connection(('127.0.0.1', strict.port)) as connection:
    connection.sendall(f'POST /videos HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999\r\n{head}\r\n'.encode())
    connection.settimeout(pause_s)
    began, answer = time.monotonic(), b''
    while not answer and time.monotonic() < began + 60:
      connection.sendall(b'x')
      try:
        answer = connection.recv(100)
      except TimeoutError:
        continue
  assert answer.startswith(b'HTTP/1.1 408')
  until(lambda: [path.name for path in strict.folder.iterdir()] == ['scratch'])


def test_an_upload_that_is_broken_off_leaves_nothing(strict, known):
  head = ''.join(f'{name}: {value}\r\n' for name, value in known.headers.items())
  with socket.create_connection(('127.0.0.1', strict.port)) as connection:
    connection.sendall(f'POST /videos HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999\r\n{head}\r\nx'.encode())
    until(lambda: len(list(strict.folder.iterdir())) == 2)
  until(lambda: [path.name for path in strict.folder.iterdir()] == ['scratch'])


def test_a_full_queue_takes_no_more(known):
  """Two may wait, beside the one that is being looked at."""
  first = known.send(b'wait')
  known.wait(first, lambda video: video['state'] == 'looking')
  numbers = [first, known.send(b'a'), known.send(b'b')]
  status, _, text = known.ask('POST', '/videos?name=a.mp4', b'c')
  assert (status, text) == (503, '2 videos are waiting already: try again in some minutes')
  for number in reversed(numbers):
    known.ask('DELETE', f'/videos/{number}')
