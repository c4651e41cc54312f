import os
from pathlib import Path

import numpy as np
import pytest

from lipfake_jax.report.clip_picture import contact_sheet, name_pictures


@pytest.mark.parametrize(
  ('videos', 'names'),
  [
    (['a/v.mp4', 'b/w.mp4'], ['v', 'w']),
    (['a/v.mp4', 'b/v.mp4'], ['a/v.mp4', 'b/v.mp4']),
    (['a/v.mp4', 'a/v.avi'], ['v.mp4', 'v.avi']),
    (['a/v.mp4', 'a/V.mp4', '/x/w.mp4'], ['work/a/v.mp4', 'work/a/V.mp4', 'x/w.mp4']),
    (['v.mp4', 'b/v.mp4'], ['v.mp4', 'b/v.mp4']),
  ],
)
def test_pictures_are_named_by_what_tells_their_videos_apart(videos, names, monkeypatch):
  monkeypatch.setattr(os, 'getcwd', lambda: '/work')
  assert name_pictures([Path(video) for video in videos]) == names


def test_contact_sheet_is_in_reading_order():
  frames = np.repeat(np.arange(20, dtype=np.uint8), 8 * 8 * 3).reshape(20, 8, 8, 3)
  sheet = contact_sheet(frames)
  assert sheet.shape == (18, 148, 3)  # two rows of fifteen, 2 pixels apart
  assert [sheet[4, 10 * i + 4, 0] for i in range(15)] == list(range(15))
  assert [sheet[14, 10 * i + 4, 0] for i in range(6)] == [*range(15, 20), 255]
