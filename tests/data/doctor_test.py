"""What a user learns before a build: counts, gaps, unreadable files, time and room."""

import shutil
import sys
from types import SimpleNamespace

import pytest

from lipfake_jax.core.errors import UserError
from lipfake_jax.data import doctor
from lipfake_jax.data.builder import create_builder


@pytest.fixture
def builder(tmp_path):
  return create_builder('video_folder', 'uniform_lips_30x32', str(tmp_path / 'data'))


@pytest.fixture
def videos(tmp_path, face_video, text_video):
  root = tmp_path / 'videos'
  for name, source in {'real/a.mp4': face_video, 'fake/b.mp4': face_video, 'fake/c.mp4': text_video}.items():
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, root / name)
  return root


def test_it_tells_what_is_there_and_what_it_will_take(builder, videos, tmp_path):
  text = doctor.examine(builder, videos, tmp_path / 'data', sample=2)
  lines = [line.split() for line in text.splitlines()]
  assert ['fake', 'fake', '2', '-'] in lines
  assert '1 of 3 videos have no readable head' in text
  assert f'  {videos / "fake/c.mp4"}: ' in text
  assert 'measured on 2, of which 100% gave clips' in text
  assert 'split identity' in text
  assert 'room: 0.0 GiB needed at most' in text
  assert not (tmp_path / 'data').exists()  # it only looks


def test_too_little_room_is_told(builder, videos, tmp_path, monkeypatch):
  monkeypatch.setattr(shutil, 'disk_usage', lambda _: SimpleNamespace(free=10_000))
  with pytest.raises(UserError, match='free some, or choose another --data_dir'):
    doctor.examine(builder, videos, tmp_path / 'data', sample=1)


def test_a_set_of_which_nothing_is_readable_is_told(builder, tmp_path, text_video):
  (tmp_path / 'v' / 'real').mkdir(parents=True)
  shutil.copy(text_video, tmp_path / 'v' / 'real' / 'a.mp4')
  with pytest.raises(UserError, match=r'1 of 1 videos have no readable head[\s\S]*none of its videos can be read'):
    doctor.examine(builder, tmp_path / 'v', tmp_path / 'data')


def test_a_missing_folder_is_told_with_the_layout(builder, tmp_path):
  with pytest.raises(UserError, match=r'there is no folder .*nowhere[\s\S]*FOLDER/real/anna/001.mp4'):
    doctor.examine(builder, tmp_path / 'nowhere', tmp_path / 'data')


@pytest.mark.parametrize(
  ('arguments', 'message'),
  [(['celeb'], 'has no such builder; it has celeb_df_v2, '), (['xm2vts', '--config=flow'], "config 'flow' is none of")],
)
def test_the_command_ends_with_2_where_it_can_not_be_built(arguments, message, tmp_path, monkeypatch, capsys):
  monkeypatch.setattr(sys, 'argv', ['doctor', *arguments, f'--manual_dir={tmp_path}'])
  with pytest.raises(SystemExit) as stop:
    doctor.main()
  assert stop.value.code == 2
  assert message in capsys.readouterr().err


def test_the_command_ends_with_the_line_that_builds(videos, tmp_path, monkeypatch, capsys):
  flags = [f'--manual_dir={videos}', f'--data_dir={tmp_path / "data"}', '--config=uniform_lips_30x32']
  monkeypatch.setattr(sys, 'argv', ['doctor', 'video_folder', *flags])
  doctor.main()
  last = capsys.readouterr().out.splitlines()[-1]
  assert last == f'next: tfds build data_builders/video_folder {flags[2]} {flags[0]} {flags[1]}'


@pytest.mark.parametrize(('seconds', 'text'), [(12.3, '12 s'), (600, '10 min'), (8100, '2 h 15 min')])
def test_durations_are_for_people(seconds, text):
  assert doctor._duration(seconds) == text
