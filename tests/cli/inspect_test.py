"""Pictures of videos: which files are written, and what is said of those that give no clip."""

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
    main(['inspect', str(text_video), str(tmp_path / 'none.mp4'), str(blank_video), f'--out={tmp_path}'])
  assert stop.value.code == 2
  first, second = capsys.readouterr().err.splitlines()
  assert first.startswith(f'error: {text_video}: Invalid data')
  assert second.startswith(f'error: {tmp_path / "none.mp4"}: ')
  assert (tmp_path / 'blank.inspect.png').exists()


def test_an_unknown_config_is_told_with_those_that_exist(tmp_path, face_video, capsys):
  with pytest.raises(SystemExit) as stop:
    main(['inspect', str(face_video), '--config=lips', f'--out={tmp_path / "out"}'])
  assert stop.value.code == 2
  assert capsys.readouterr().err.startswith('error: --config=lips: choose one of flow_lips_60x64, ')
  assert not (tmp_path / 'out').exists()
