"""XM2VTS: reals only, persons by their number, interlaced frames."""

import itertools

import numpy as np
import pytest

from data_builders.xm2vts.dummy_data import DUMMY, PEOPLE
from lipfake_jax.clips.video import read_frames
from lipfake_jax.core.errors import UserError


def test_every_video_is_real_and_names_its_person(names, survey):
  videos = survey('xm2vts', names('xm2vts')).videos
  assert {video.label for video in videos} == {'real'}
  assert {video.key: video.identity for video in videos} == {
    video.path: video.path.split('/')[1] for video in DUMMY.videos
  }
  assert {video.identity for video in videos} == {f'{person:03}' for person in PEOPLE}


def test_names_without_a_person_are_left_out_and_named(names, survey):
  root = names('xm2vts')
  for name in ('intro.avi', '0001_1.avi', '12_1_1.avi'):
    (root / name).touch()
  assert sorted(*survey('xm2vts', root).notes.values()) == ['0001_1.avi', '12_1_1.avi', 'intro.avi']


def test_an_empty_folder_is_told(tmp_path, survey):
  with pytest.raises(UserError, match=r'no video of it below[\s\S]*begin with the person'):
    survey('xm2vts', tmp_path)


@pytest.mark.slow
def test_the_miniature_builds(build):
  rows = build('xm2vts')
  assert len(rows) == len(DUMMY.videos)
  assert {row['label'] for row in rows} == {0}
  assert {(row['width'], row['height']) for row in rows} == {(720, 576)}


@pytest.mark.slow
def test_its_frames_have_no_combs(miniature):
  """Interlaced rows that are shown as they are alternate between two moments: each differs from both its neighbours, by
  .67 of what the neighbours differ from each other in these videos; deinterlaced by .22."""
  frames = read_frames(miniature('xm2vts') / DUMMY.videos[0].path)
  rows = np.stack([frame.luma for frame in itertools.islice(frames, 20)]).astype(float)
  between = np.abs(rows[:, 1:-1] - (rows[:, :-2] + rows[:, 2:]) / 2).mean()
  assert between < 0.4 * np.abs(rows[:, 2:] - rows[:, :-2]).mean()
