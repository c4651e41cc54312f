"""`lipfake detect` as a user runs it: files of all kinds, what is written, how it ends."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest

from lipfake_jax.cli.main import main
from lipfake_jax.core.clip_spec import ClipSpec
from lipfake_jax.models import create_model
from lipfake_jax.models.shipped import NAME, save_shipped
from tests.conftest import write_video
from tests.json_schema import find_faults
from tests.models.model_checks import random_variables
from tests.training.loop_test import TINY_MODEL

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / 'docs' / 'detect.schema.json').read_text())
SPEC = ClipSpec(rule='contiguous', frames=6, size=16)
HOSTILE = '<img src=x>\n\x1b[31m é.mp4'


def save_weights(folder: Path) -> Path:
  """Untrained ones of a small model, kept as the shipped ones are; all is fake to them, or all is inconclusive."""
  model = create_model('cnn_lstm', TINY_MODEL)
  variables = random_variables(model, np.zeros((1, SPEC.frames, SPEC.size, SPEC.size, 3), np.float32))
  about = {
    'version': '0', 'training': 'none', 'clip': SPEC.fields(), 'digests': {'weights': 'b' * 64},
    'model': {'name': 'cnn_lstm', 'arguments': TINY_MODEL, 'aggregation': 'mean_logit'},
    'decision': {'threshold': 0.5, 'rule': 'fixed', 'temperature': 1.0},
  }  # fmt: skip
  save_shipped(variables, {**about, 'limits': {'error': 0.1, 'real': 0.01, 'fake': 0.01}}, folder / 'fake')
  save_shipped(variables, {**about, 'limits': {'error': 0.1, 'real': 0.999, 'fake': 0.001}}, folder / 'unsure')
  return folder


@pytest.fixture(scope='module')
def weights(tmp_path_factory):
  return save_weights(tmp_path_factory.mktemp('weights'))


@pytest.fixture(scope='module')
def folder(tmp_path_factory, face_video, blank_video, text_video):
  """A face, twice; no face; a text; a picture; and no video at all under another name."""
  folder = tmp_path_factory.mktemp('in')
  (folder / 'deep').mkdir()
  for name, source in (
    ('a.mp4', face_video), (f'deep/{HOSTILE}', face_video), ('deep/blank.mp4', blank_video), ('text.mp4', text_video),
  ):  # fmt: skip
    shutil.copy(source, folder / name)
  (folder / 'notes.txt').write_text('no video')
  (folder / 'picture.mp4').write_bytes(Path(write_picture(folder / '.picture.png')).read_bytes())
  return folder


def write_picture(path):
  import cv2

  cv2.imwrite(str(path), np.zeros((64, 64, 3), np.uint8))
  return path


def write_sound(path):
  """A file of sound alone, a second long."""
  with av.open(str(path), 'w') as container:
    stream = container.add_stream('aac', rate=16000, layout='mono')
    for _ in range(16):
      frame = av.AudioFrame.from_ndarray(np.zeros((1, 1000), np.float32), format='fltp', layout='mono')
      frame.sample_rate = 16000
      container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
  return path


def ended(*arguments) -> int:
  """The exit code."""
  try:
    main(['detect', *map(str, arguments)])
  except SystemExit as stop:
    return stop.code
  return 0


@pytest.fixture(scope='module')
def written(folder, weights, tmp_path_factory):
  """What is written of the folder, by its name."""
  out = tmp_path_factory.mktemp('out')
  assert ended(folder, f'--weights={weights / "fake"}', f'--out={out}') == 0
  return {str(path.relative_to(out)): path.read_text() for path in out.rglob('*') if path.is_file()}


def test_each_video_has_two_files_where_it_lies(written):
  hostile = 'deep/<img src=x>\\n\\x1b[31m é'
  stems = ('a', 'deep/blank', hostile, 'picture', 'text')
  assert set(written) == {f'{stem}.{kind}' for stem in stems for kind in ('json', 'html')}
  assert '<img src=x>' not in written[f'{hostile}.html']
  assert json.loads(written[f'{hostile}.json'])['video']['path'].endswith('<img src=x>\\n\\x1b[31m é.mp4')


def test_each_json_is_as_its_schema_says(written):
  for name, text in written.items():
    if name.endswith('.json'):
      assert list(find_faults(json.loads(text), SCHEMA)) == [], name


def test_the_schema_finds_faults(written):
  document = json.loads(written['a.json'])
  document['people'][0]['windows'][0]['p_fake'] = 1.5
  del document['verdict']
  document['people'][0]['name'] = 'A'
  assert sorted(find_faults(document, SCHEMA)) == [
    '$.people[0].windows[0].p_fake: 1.5 against 1',
    '$.people[0]: name is not known',
    '$: verdict is missing',
  ]


def test_a_face_gets_a_verdict_and_windows_over_the_whole_video(written):
  """70 frames at 25 a second, in windows of 6."""
  document = json.loads(written['a.json'])
  [person] = document['people']
  assert (document['verdict'], person['verdict'], document['reason']) == ('fake', 'fake', None)
  assert len(person['windows']) == 12
  assert (person['windows'][0]['start_s'], person['windows'][-1]['end_s']) == (0.0, 2.8)
  assert person['evidence']['pixels'] == {'p_fake': person['p_fake'], 'windows': 12}
  assert written['a.html'].count('data:image/jpeg') == 12


@pytest.mark.parametrize(
  ('name', 'reason'), [('deep/blank', 'no_face'), ('text', 'unreadable'), ('picture', 'unreadable')]
)
def test_others_get_a_reason(written, name, reason):
  document = json.loads(written[f'{name}.json'])
  assert (document['verdict'], document['people']) == ('none', [])
  assert document['reason'].startswith(f'{reason} (')
  assert f'({reason.replace("_", " ")})' in written[f'{name}.html']


def test_the_same_video_is_the_same_bytes(folder, weights, written, tmp_path):
  assert ended(folder / 'a.mp4', f'--weights={weights / "fake"}', f'--out={tmp_path}') == 0
  assert (tmp_path / 'a.json').read_text() == written['a.json']
  assert (tmp_path / 'a.html').read_text() == written['a.html']


def test_json_is_a_line_a_video_and_nothing_else(folder, weights, capsys):
  """With the time that it took."""
  assert ended(folder / 'a.mp4', folder / 'text.mp4', f'--weights={weights / "unsure"}', '--json') == 0
  documents = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
  assert [document['verdict'] for document in documents] == ['inconclusive', 'none']
  assert all(list(find_faults(document, SCHEMA)) == [] for document in documents)
  assert documents[0]['timing']['look'] > 0


def test_with_sound_a_video_without_any_says_so(folder, weights, monkeypatch, tmp_path, capsys):
  """Nothing is recognised where nothing is heard, so this needs no pocketsphinx."""
  monkeypatch.setattr('lipfake_jax.clips.phones.check_recogniser', lambda: None)
  assert ended(folder / 'a.mp4', f'--weights={weights / "fake"}', '--sound', f'--out={tmp_path}') == 0
  assert 'sound: absent (the file has no sound that decodes)' in capsys.readouterr().out
  document = json.loads((tmp_path / 'a.json').read_text())
  assert list(find_faults(document, SCHEMA)) == []
  assert document['people'][0]['evidence']['sound']['state'] == 'absent'
  assert 'Lips were not compared with the sound' in (tmp_path / 'a.html').read_text()


def test_sound_without_its_extra_is_a_wrong_call(folder, weights, monkeypatch, capsys):
  monkeypatch.setattr('importlib.util.find_spec', lambda name: None)
  assert ended(folder / 'a.mp4', f'--weights={weights / "fake"}', '--sound') == 2
  assert "pip install 'lipfake_jax[sound]'" in capsys.readouterr().err


def test_the_table_has_a_bar_of_time(folder, weights, capsys):
  assert ended(folder / 'a.mp4', folder / 'deep' / 'blank.mp4', f'--weights={weights / "fake"}') == 0
  lines = capsys.readouterr().out.splitlines()
  assert lines[0].startswith('video')
  assert lines[1].split()[1] == 'fake'
  assert len(lines[1].split()[-1]) == 12
  assert lines[3] == '  none: no_face (no face in any of its 70 frames)'


def test_no_verdict_at_all_ends_with_3(blank_video, weights, tmp_path):
  sound = write_sound(tmp_path / 'sound.mp4')
  assert ended(blank_video, sound, f'--weights={weights / "fake"}', f'--out={tmp_path / "out"}') == 3
  assert json.loads((tmp_path / 'out' / 'sound.json').read_text())['reason'] == (
    'unreadable (the file has no video stream)'
  )


def test_a_wrong_call_ends_with_2(face_video, weights, tmp_path, capsys):
  (tmp_path / 'empty').mkdir()
  for arguments, message in (
    ((tmp_path / 'empty',), 'no video in this folder'),
    ((tmp_path / 'none.mp4',), 'no such file or folder'),
    ((face_video, f'--weights={tmp_path}'), 'no checkpoints there'),
    ((face_video, f'--weights={weights / "fake"}', f'--out={face_video}'), 'name a folder'),
    ((face_video, '--people=some'), 'invalid choice'),
    ((face_video, '--overlay'), '--overlay needs --out=FOLDER'),
    ((), 'required: VIDEO'),
  ):
    assert ended(*arguments) == 2
    assert message in capsys.readouterr().err


@pytest.mark.slow
def test_an_overlay_is_drawn_of_what_can_be_read(folder, weights, tmp_path):
  """All 70 frames of the face, with a box in the colour of a high score; none of the text."""
  options = (f'--weights={weights / "fake"}', f'--out={tmp_path}', '--overlay')
  assert ended(folder / 'a.mp4', folder / 'text.mp4', *options) == 0
  assert {path.name for path in tmp_path.iterdir()} == {'a.json', 'a.html', 'a.overlay.mp4', 'text.json', 'text.html'}
  with av.open(str(tmp_path / 'a.overlay.mp4')) as drawn, av.open(str(folder / 'a.mp4')) as source:
    pairs = list(zip(drawn.decode(video=0), source.decode(video=0), strict=True))
  assert len(pairs) == 70
  marked = [
    np.abs(np.subtract(*(f.to_ndarray(format='rgb24').astype(int) for f in pair))).max(2) > 60 for pair in pairs
  ]
  assert all(mask[40:].sum() > 100 for mask in marked)


def test_damaged_weights_are_told(face_video, weights, tmp_path, capsys):
  shutil.copytree(weights / 'fake', tmp_path / 'damaged')
  with open(tmp_path / 'damaged' / f'{NAME}.npz', 'ab') as file:
    file.write(b'x')
  assert ended(face_video, f'--weights={tmp_path / "damaged"}') == 2
  assert 'its SHA-256 is' in capsys.readouterr().err


def test_no_library_of_training_is_loaded(face_video, weights):
  """In a process of its own, nor in those that it starts: they have its modules in their list, too, at their end."""
  code = f"""
import sys
from lipfake_jax.cli.main import main
main(['detect', {str(face_video)!r}, '--weights={weights / 'fake'}'])
heavy = 'tensorflow tensorflow_datasets matplotlib sklearn scipy sounddevice orbax grain mediapipe'.split()
print(*(name for name in heavy if name in sys.modules), file=sys.stderr)
from lipfake_jax.clips.landmarks import open_face_models
with open_face_models():
  print(*(name for name in heavy[:-1] if name in sys.modules), file=sys.stderr)
"""
  done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
  assert done.stderr.split() == []
  assert ' fake ' in done.stdout


def test_ctrl_c_keeps_what_was_seen(portrait, weights, tmp_path):
  """A video that takes long; the signal comes once it is being looked at, to all processes, as from a terminal."""
  frames = (np.roll(portrait[:400], round(6 * np.sin(0.4 * i)), axis=1) for i in range(1500))
  video = write_video(tmp_path / 'long.mp4', frames, size=(400, 512), preset='ultrafast')
  command = [sys.executable, '-c', 'from lipfake_jax.cli.main import main; main()', 'detect', str(video)]
  command += [f'--weights={weights / "fake"}', f'--out={tmp_path / "out"}']
  environment = {**os.environ, 'TMPDIR': str(tmp_path)}
  with subprocess.Popen(
    command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, env=environment
  ) as process:
    while not list(tmp_path.glob('lipfake-*/000000')) and process.poll() is None:
      time.sleep(0.05)
    time.sleep(1)
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate()
  assert process.returncode == 128 + signal.SIGINT
  assert told.splitlines()[-1] == 'interrupted: 1 of 1 videos are done'
  document = json.loads((tmp_path / 'out' / 'long.json').read_text())
  assert document['warnings'] == ['interrupted: the rest of the video was not looked at']
  assert 0 < document['video']['frames'] < 1500
  assert not list(tmp_path.glob('lipfake-*'))
