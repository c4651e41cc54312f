"""Pictures of videos: which files are written, and what is said of those that give no clip."""

import shutil

import cv2
import pytest

from lipfake_jax.cli.main import main


def test_draws_crops_and_activity(tmp_path, face_video, capsys):
  main(['inspect', str(face_video), f'--out={tmp_path}'])
  picture = cv2.imread(str(tmp_path / 'face.inspect.png'))
  assert picture.shape[1] > 1000
  assert capsys.readouterr().out == f'{tmp_path / "face.inspect.png"}\n'


def test_a_rejected_video_is_drawn_and_says_why(tmp_path, blank_video, capsys):
  main(['inspect', str(blank_video), f'--out={tmp_path}'])
  assert 'no_face: no face in any of its 70 frames' in capsys.readouterr().out
  assert (tmp_path / 'blank.inspect.png').exists()


def test_what_is_no_video_is_told_after_which_the_others_are_drawn(tmp_path, blank_video, text_video, capsys):
  with pytest.raises(SystemExit) as stop:
    main(['inspect', str(text_video), str(blank_video), f'--out={tmp_path}'])
  assert stop.value.code == 2
  assert capsys.readouterr().err.startswith(f'error: {text_video}: Invalid data')
  assert (tmp_path / 'blank.inspect.png').exists()


def test_what_is_not_there_is_told_at_once(tmp_path, blank_video, capsys):
  with pytest.raises(SystemExit) as stop:
    main(['inspect', str(blank_video), str(tmp_path / 'none.mp4'), f'--out={tmp_path / "out"}'])
  assert stop.value.code == 2
  assert capsys.readouterr().err == f'error: {tmp_path / "none.mp4"}: no such file or folder\n'
  assert not (tmp_path / 'out').exists()


def test_names_of_any_kind_are_drawn_and_none_is_written_over(tmp_path, blank_video, capsys):
  """Dollars are no formulas; videos of one name, and names without room for an ending, get pictures of their own."""
  names = ('day1/v.mp4', 'day2/v.mp4', 'day2/v.avi', 'Ba$$in.mp4', 'a$_$b.mp4', f'{"n" * 250}.mp4', 'a\x1b[31m\n.mp4')
  folder = tmp_path / 'videos'
  for name in names:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(blank_video, folder / name)
  (folder / '.hidden.mp4').touch()
  main(['inspect', str(folder), f'--out={tmp_path / "pictures"}'])
  pictures = list((tmp_path / 'pictures').rglob('*.inspect.png'))
  assert len(pictures) == len(names)
  assert (tmp_path / 'pictures' / 'day1' / 'v.mp4.inspect.png') in pictures
  out = capsys.readouterr().out
  assert f'1 hidden files and folders, left out: {folder}/.hidden.mp4' in out
  assert '\x1b' not in out


def test_an_unknown_config_is_told_with_those_that_exist(tmp_path, face_video, capsys):
  with pytest.raises(SystemExit) as stop:
    main(['inspect', str(face_video), '--config=lips', f'--out={tmp_path / "out"}'])
  assert stop.value.code == 2
  assert capsys.readouterr().err.startswith('error: --config=lips: choose one of flow_lips_60x64, ')
  assert not (tmp_path / 'out').exists()


@pytest.mark.slow
def test_pseudo_fakes_are_drawn_beside_the_real(tmp_path, face_video, blank_video, capsys):
  main(['inspect', str(face_video), str(blank_video), '--pseudo-fakes', f'--out={tmp_path}'])
  picture = cv2.imread(str(tmp_path / 'face.pseudo_fakes.png'))
  assert min(picture.shape[:2]) > 1000
  assert not (tmp_path / 'blank.pseudo_fakes.png').exists()
  assert str(tmp_path / 'face.pseudo_fakes.png') in capsys.readouterr().out
