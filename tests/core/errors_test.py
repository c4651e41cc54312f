"""How commands end: a message and an exit code, without a traceback."""

import errno
import os
import subprocess
import sys

import pytest

from lipfake_jax.core.errors import Interrupted, UserError, exit_codes


@pytest.mark.parametrize(
  ('error', 'code', 'message'),
  [
    (UserError('x=3: choose 1 or 2'), 2, 'error: x=3: choose 1 or 2'),
    (Interrupted('SIGTERM: saved', 143), 143, 'SIGTERM: saved'),
    (KeyboardInterrupt(), 130, 'interrupted'),
    (OSError(errno.EROFS, os.strerror(errno.EROFS), '/run/x'), 2, 'error: /run/x: Read-only file system: change'),
    (PermissionError(errno.EACCES, os.strerror(errno.EACCES), '/x'), 2, 'error: /x: Permission denied: change'),
    (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), 2, 'error: a file: No space left on device: make room'),
    (NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), '/a/b'), 2, 'error: /a/b: Not a directory: a file'),
  ],
)
def test_what_a_user_can_mend_ends_with_its_message_alone(capsys, error, code, message):
  with pytest.raises(SystemExit) as stop, exit_codes():
    raise error
  assert stop.value.code == code
  assert capsys.readouterr().err.startswith(message)


@pytest.mark.parametrize('error', [ValueError('a fault of ours'), OSError(errno.EIO, 'I/O error'), FileNotFoundError()])
def test_other_errors_are_ours_and_keep_their_traceback(error):
  with pytest.raises(type(error)), exit_codes():
    raise error


def test_ctrl_c_while_libraries_load_ends_the_process():
  """A library that swallows the exception, as some do, does not swallow the end."""
  program = (
    'import os, signal; from lipfake_jax.core.errors import loading\n'
    'with loading():\n  try: os.kill(os.getpid(), signal.SIGINT)\n  except KeyboardInterrupt: pass\n'
  )
  done = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True, check=False)
  assert (done.returncode, done.stderr) == (130, 'interrupted\n')
