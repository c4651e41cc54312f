"""`lipfake web` as a user starts and ends it."""

import os
import re
import signal
import socket
import subprocess
import sys

import pytest

from lipfake_jax.cli.main import main
from tests.cli.detect_test import save_weights
from tests.web.serving import ask, visit


@pytest.mark.parametrize(
  ('arguments', 'message'),
  [
    (['--host=0.0.0.0'], '--host=0.0.0.0: others could reach it, so it needs a token: --token=auto makes one'),
    (['--host=::'], 'it needs a token'),
    (['--token=short'], 'use 16 letters and digits or more'),
    (['--token=abcdefgh&ijklmnop'], 'use 16 letters and digits or more'),
    (['--most_mib=0'], '--most_mib=0: it must be above 0'),
    (['--queue=-1'], '--queue=-1: it must be above 0'),
    (['--port=99999'], '--port=99999'),
    (['--host=no.such.host.invalid', '--token=auto'], 'choose another one'),
  ],
)
def test_a_wrong_call_ends_with_2(arguments, message, capsys):
  with pytest.raises(SystemExit) as stop:
    main(['web', *arguments])
  assert stop.value.code == 2
  assert message in capsys.readouterr().err


def test_a_port_that_is_taken_is_told(capsys):
  with socket.create_server(('127.0.0.1', 0)) as taken, pytest.raises(SystemExit):
    main(['web', f'--port={taken.getsockname()[1]}'])
  told = capsys.readouterr().err
  assert 'Address already in use' in told
  assert '--port=0 takes any' in told


@pytest.mark.slow
def test_missing_weights_are_told_before_there_is_a_page(tmp_path, capsys):
  with pytest.raises(SystemExit) as stop:
    main(['web', '--port=0', f'--weights={tmp_path}'])
  assert stop.value.code == 2
  told = capsys.readouterr()
  assert (told.out, 'no checkpoints there' in told.err) == ('', True)


@pytest.mark.slow
def test_from_the_start_to_a_verdict_and_the_end(face_video, tmp_path):
  """With a token; told to end, it leaves no file."""
  weights = save_weights(tmp_path / 'weights') / 'fake'
  (tmp_path / 'tmp').mkdir()
  command = [sys.executable, '-c', 'from lipfake_jax.cli.main import main; main()', 'web', f'--weights={weights}']
  environment = {**os.environ, 'TMPDIR': str(tmp_path / 'tmp')}
  with subprocess.Popen(
    [*command, '--port=0', '--token=auto'], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
  ) as process:
    found = re.fullmatch(r'http://127\.0\.0\.1:(\d+)(/\?token=[\w-]{22})\n', process.stdout.readline())
    port = int(found[1])
    assert ask(port, 'GET', '/')[0] == 401
    visitor = visit(port, found[2])
    number = visitor.send(face_video.read_bytes(), 'talk.mp4')
    assert visitor.wait(number)['outcome']['title'] == 'Signs of a fake'
    status, _, page = visitor.ask('GET', f'/videos/{number}/finding.html')
    assert (status, '<h1>talk.mp4</h1>' in page, page.count('data:image/jpeg')) == (200, True, 12)
    [folder] = (tmp_path / 'tmp').iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    left = {path.name for path in folder.rglob('*')}
    assert left == {number, 'scratch', 'finding.html', 'finding.json', 'progress.json'}
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate()
  assert (process.returncode, told) == (128 + signal.SIGTERM, 'ended; what was sent is deleted\n')
  assert list((tmp_path / 'tmp').iterdir()) == []
