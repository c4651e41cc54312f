"""`lipfake export`, and `lipfake detect` with what it made, where there is no JAX."""

import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lipfake_jax.cli.main import main
from tests.cli.detect_test import weights  # noqa: F401 a fixture

ROOT = Path(__file__).parents[2]
# What a process, and those that it starts, find at their start: as if these were not installed.
WITHOUT = """
import sys

class Absent:
  def find_spec(self, name, path=None, target=None):
    if name.split('.')[0] in ('jax', 'jaxlib', 'flax', 'orbax', 'tensorflow', 'onnx', 'matplotlib', 'sklearn'):
      raise ModuleNotFoundError(f'No module named {name!r}', name=name)

sys.meta_path.insert(0, Absent())
"""


@pytest.fixture(scope='module')
def exported(weights, face_video, tmp_path_factory):  # noqa: F811
  """An ONNX file, and what was printed when it was made."""
  path = tmp_path_factory.mktemp('exported') / 'lips.onnx'
  with contextlib.redirect_stdout(io.StringIO()) as printed:
    main(['export', str(weights / 'fake'), '--to=onnx', f'--out={path}', f'--video={face_video}'])
  return path, printed.getvalue().splitlines()


def detect(video: Path, name: Path | str, where: Path | None = None):
  """The process that looks at a video, and that finds first what is in the folder `where`."""
  code = 'from lipfake_jax.cli.main import main; main()'
  command = [sys.executable, '-c', code, 'detect', str(video), f'--weights={name}', '--json']
  folders = [str(folder) for folder in (where, ROOT, os.environ.get('PYTHONPATH')) if folder]
  environment = {**os.environ, 'PYTHONPATH': os.pathsep.join(folders)}
  return subprocess.run(command, env=environment, capture_output=True, text=True)


@pytest.mark.slow
def test_detection_without_jax_is_that_with_it(exported, weights, face_video, tmp_path):  # noqa: F811
  """To 1e-4 of a score; the weights' name is that of the folder that they came from."""
  (tmp_path / 'sitecustomize.py').write_text(WITHOUT)
  ended = detect(face_video, exported[0], tmp_path)
  assert ended.returncode == 0, ended.stderr
  found, expected = json.loads(ended.stdout), json.loads(detect(face_video, weights / 'fake').stdout)
  assert found['weights'] == expected['weights']
  [person], [other] = found['people'], expected['people']
  assert len(person['windows']) == len(other['windows']) == 12
  for one, two in zip([person, *person['windows']], [other, *other['windows']], strict=True):
    assert one['p_fake'] == pytest.approx(two['p_fake'], abs=1e-4)
    assert one['verdict'] == two['verdict']


def test_weights_that_need_jax_say_so_where_there_is_none(face_video, tmp_path):
  (tmp_path / 'sitecustomize.py').write_text(WITHOUT)
  ended = detect(face_video, 'shipped', tmp_path)
  assert ended.returncode == 2
  assert "--weights=shipped: it needs JAX and Flax (No module named '" in ended.stderr
  assert 'or name an ONNX file' in ended.stderr


def test_what_was_made_is_told(exported):
  """A clip a video is what its clip spec asks for."""
  path, lines = exported
  assert lines[0] == f'{path}: onnx, {path.stat().st_size / 1e6:.1f} MB, for clips [b, t, 16, 16, 3]'
  assert lines[1].startswith('1 clips: logits differ by at most ')
  assert lines[2].startswith('a clip on ')


def test_a_wrong_call_ends_with_2(exported, tmp_path, capsys):
  for arguments, message in (
    (('shipped', '--to=pickle', '--out=a'), 'invalid choice'),
    (('shipped', '--to=onnx', f'--out={tmp_path}'), 'it is a folder: name a file'),
    (('shipped', '--to=onnx', '--out=a', '--video=none.mp4'), '--video=none.mp4: no such file'),
    ((str(exported[0]), '--to=onnx', '--out=a'), 'it is exported already'),
    ((str(tmp_path), '--to=onnx', f'--out={tmp_path / "a"}'), 'no checkpoints there'),
  ):
    with pytest.raises(SystemExit) as stop:
      main(['export', *arguments])
    assert stop.value.code == 2
    assert message in capsys.readouterr().err
