import cv2
import numpy as np

from lipfake_jax.report import clip_picture as lip_inspect


def test_inspect_draws_crops_and_activity(tmp_path, face_video, capsys):
  assert lip_inspect.main([str(face_video), f'--out={tmp_path}']) == 0
  picture = cv2.imread(str(tmp_path / 'face.inspect.png'))
  assert picture.shape[1] > 1000
  assert 'face.inspect.png' in capsys.readouterr().out


def test_inspect_of_a_rejected_video_says_why(tmp_path, blank_video, text_video, capsys):
  assert lip_inspect.main([str(blank_video), f'--out={tmp_path}']) == 0
  assert 'no_face: no face in any of its 70 frames' in capsys.readouterr().out
  assert lip_inspect.main([str(text_video), f'--out={tmp_path}']) == 2
  assert 'text.mp4: Invalid data' in capsys.readouterr().err


def test_contact_sheet_is_in_reading_order():
  frames = np.repeat(np.arange(20, dtype=np.uint8), 8 * 8 * 3).reshape(20, 8, 8, 3)
  sheet = lip_inspect.contact_sheet(frames)
  assert sheet.shape == (18, 148, 3)  # two rows of fifteen, 2 pixels apart
  assert [sheet[4, 10 * i + 4, 0] for i in range(15)] == list(range(15))
  assert [sheet[14, 10 * i + 4, 0] for i in range(6)] == [*range(15, 20), 255]
