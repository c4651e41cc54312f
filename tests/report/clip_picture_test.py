import numpy as np

from lipfake_jax.report.clip_picture import contact_sheet


def test_contact_sheet_is_in_reading_order():
  frames = np.repeat(np.arange(20, dtype=np.uint8), 8 * 8 * 3).reshape(20, 8, 8, 3)
  sheet = contact_sheet(frames)
  assert sheet.shape == (18, 148, 3)  # two rows of fifteen, 2 pixels apart
  assert [sheet[4, 10 * i + 4, 0] for i in range(15)] == list(range(15))
  assert [sheet[14, 10 * i + 4, 0] for i in range(6)] == [*range(15, 20), 255]
