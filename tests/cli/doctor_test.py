"""What a user learns before a build: counts, gaps, unreadable files, time and room."""

import shutil
from types import SimpleNamespace

import pytest

from lipfake_jax.cli import doctor
from lipfake_jax.cli.main import main
from tests.conftest import copy_video

CONFIG = '--config=uniform_lips_30x32'


@pytest.fixture
def videos(tmp_path, face_video, text_video):
  root = tmp_path / 'videos'
  for name, source in {'real/a.mp4': face_video, 'fake/b.mp4': face_video, 'fake/c.mp4': text_video}.items():
    copy_video(source, root / name, boxes=name.startswith('fake'))
  return root


def ask(capsys, tmp_path, root, *more: str, dataset: str = 'video_folder'):
  """(exit code, standard output, standard error)."""
  code = 0
  try:
    main(['doctor', dataset, f'--manual_dir={root}', f'--data_dir={tmp_path / "data"}', *more])
  except SystemExit as stop:
    code = stop.code
  told = capsys.readouterr()
  return code, told.out, told.err


def test_it_tells_what_is_there_what_it_will_take_and_the_line_that_builds(videos, tmp_path, capsys):
  code, text, _ = ask(capsys, tmp_path, videos, CONFIG)
  assert code == 0
  assert ['fake', 'fake', '2', '-'] in [line.split() for line in text.splitlines()]
  assert '1 of 3 videos have no readable head' in text
  assert f'  {videos / "fake/c.mp4"}: ' in text
  assert 'measured on 2, of which 100% gave clips' in text
  assert 'split identity' in text
  assert 'room: 0.0 GiB needed at most' in text
  build = f'tfds build data_builders/video_folder {CONFIG} --manual_dir={videos} --data_dir={tmp_path / "data"}'
  assert text.splitlines()[-1] == f'next: {build}'
  assert not (tmp_path / 'data').exists()  # it only looks


def test_too_little_room_is_told(videos, tmp_path, monkeypatch, capsys):
  monkeypatch.setattr(shutil, 'disk_usage', lambda _: SimpleNamespace(free=10_000))
  code, text, error = ask(capsys, tmp_path, videos, CONFIG)
  assert code == 2
  assert error.endswith('free some, or choose another --data_dir\n')
  assert 'next:' not in text


def test_a_set_of_which_nothing_is_readable_is_told(tmp_path, text_video, capsys):
  (tmp_path / 'v' / 'real').mkdir(parents=True)
  shutil.copy(text_video, tmp_path / 'v' / 'real' / 'a.mp4')
  code, text, error = ask(capsys, tmp_path, tmp_path / 'v')
  assert code == 2
  assert '1 of 1 videos have no readable head' in text
  assert error == 'error: video_folder: none of its videos can be read\n'


def test_a_missing_folder_is_told_with_the_layout(tmp_path, capsys):
  code, _, error = ask(capsys, tmp_path, tmp_path / 'nowhere')
  assert code == 2
  assert error.startswith(f'error: video_folder: there is no folder {tmp_path / "nowhere"}')
  assert 'FOLDER/real/anna/001.mp4' in error


@pytest.mark.parametrize(
  ('dataset', 'more', 'message'),
  [
    ('celeb', [], 'has no such builder; it has celeb_df_v2, '),
    ('xm2vts', ['--config=flow'], "config 'flow' is none of"),
  ],
)
def test_unknown_names_are_told(dataset, more, message, tmp_path, capsys):
  code, _, error = ask(capsys, tmp_path, tmp_path, *more, dataset=dataset)
  assert code == 2
  assert message in error


@pytest.mark.parametrize(('seconds', 'text'), [(12.3, '12 s'), (600, '10 min'), (8100, '2 h 15 min')])
def test_durations_are_for_people(seconds, text):
  assert doctor.format_duration(seconds) == text
