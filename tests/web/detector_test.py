"""The real detector behind the page: what it finds and writes, and what it does not let a video do."""

import json

import numpy as np
import pytest

from lipfake_jax.web import detector
from lipfake_jax.web.detector import FINDING, VIDEO, open_detector
from lipfake_jax.web.progress import read_progress
from tests.cli.detect_test import save_weights
from tests.conftest import write_video

HOSTILE = '<img src=x onerror=alert(1)>.mp4'


@pytest.fixture(scope='module')
def weights(tmp_path_factory):
  return str(save_weights(tmp_path_factory.mktemp('weights')) / 'fake')


@pytest.fixture(scope='module')
def look(weights):
  return open_detector(weights, 600.0)


@pytest.mark.slow
def test_a_face_has_a_verdict_and_the_files_of_detect(look, face_video, tmp_path):
  """Under the name that its owner gave it, which is text; the place where it lay is nowhere."""
  (tmp_path / VIDEO).write_bytes(face_video.read_bytes())
  outcome = look(tmp_path, HOSTILE)
  assert (outcome.verdict, outcome.title) == ('fake', 'Signs of a fake')
  assert outcome.details[0].startswith('Person 1 has a score of 0.')
  page = (tmp_path / f'{FINDING}.html').read_text()
  document = json.loads((tmp_path / f'{FINDING}.json').read_text())
  assert '&lt;img src=x onerror=alert(1)&gt;.mp4' in page
  assert '<img src=x' not in page
  assert document['video']['path'] == HOSTILE
  assert len(document['people'][0]['windows']) == 12
  assert str(tmp_path) not in page + json.dumps(document)
  assert read_progress(tmp_path) == (1.0, 0.0)


@pytest.mark.slow
def test_few_bytes_of_a_huge_picture_are_not_unpacked(look, tmp_path):
  """A few KB for 40.32 million pixels a frame."""
  video = write_video(tmp_path / 'a.mov', [np.zeros((6300, 6400, 3), np.uint8)], codec='png', pix_fmt='gray')
  video.rename(tmp_path / VIDEO)
  outcome = look(tmp_path, 'a.mov')
  assert outcome.verdict == 'none'
  assert '6400x6300 pixels, more than 40,000,000' in outcome.details[0]


@pytest.mark.slow
def test_a_long_video_ends_in_time(weights, portrait, tmp_path):
  """1,500 frames in half a second; the clock is looked at once a second."""
  frames = (np.roll(portrait[:400], round(6 * np.sin(0.4 * i)), axis=1) for i in range(1500))
  write_video(tmp_path / 'a.mp4', frames, size=(400, 512), preset='ultrafast').rename(tmp_path / VIDEO)
  outcome = open_detector(weights, 0.5)(tmp_path, 'a.mp4')
  assert outcome.details[0].endswith('it took more than 0.5 s: cut it into shorter pieces (timeout).')


def test_what_the_system_refuses_is_told(tmp_path):
  """A full disk, or a file over the limit, costs that video alone."""

  def look(folder, name):
    raise OSError(27, 'File too large')

  assert detector._try(look, tmp_path, 'a.mp4').details == ('File too large.',)
