"""What is told of a video's sound, by towers that do not err."""

from pathlib import Path

import numpy as np
import pytest

from lipfake_jax.core.errors import UserError
from lipfake_jax.inference.sync import check_faces, read_head, read_reals, write_head, write_reals
from lipfake_jax.scoring.fusion import Fusion, Weights
from tests.inference.tower_cases import make_facts, open_fake, speaking_clip

REALS = [0.6 + 0.01 * number for number in range(20)]
HEAD = Fusion(('lateness',), {('lateness',): Weights((0.1,), (0.1,), (1.0,), 0.0)})
TOWERS = open_fake('lips')


def check(*clips, **facts):
  return check_faces(TOWERS, REALS, HEAD, make_facts(Path('a.mp4'), **facts), clips)


def test_a_sound_in_time_is_so():
  found = check(speaking_clip(0), speaking_clip(1))
  assert (found['sound'], found['reason']) == ('heard', None)
  [face] = found['people']
  assert (face['id'], face['verdict'], face['offset_ms'], face['agreement']) == (1, 'in_time', 0, 1)
  assert len(face['curve']) == 31
  assert len(face['times_s']) == len(face['distance']) == 72
  assert max(face['distance']) == pytest.approx(0, abs=1e-4)
  assert face['times_s'][:2] == [0.1, 0.14]  # the middle of five frames of 40 ms


def test_a_sound_that_comes_200_ms_late_is_told_as_such_and_not_as_a_fake():
  [face] = check(speaking_clip(0, late=5), speaking_clip(1, late=5))['people']
  assert (face['verdict'], face['offset_ms']) == ('shifted', 200)
  assert face['p_changed'] == pytest.approx(0.7311, abs=1e-4)  # 1 / (1 + exp(-(.2 - .1) / .1))
  assert face['distance'][-5:] == [None] * 5  # nothing is heard yet that belongs to the last looks


def test_a_sound_of_other_words_fits_nowhere():
  own, other = speaking_clip(0), speaking_clip(99)
  own.features['sound'] = other.features['sound']
  [face] = check(own)['people']
  assert face['verdict'] == 'no_match'
  assert face['agreement'] == pytest.approx(1 / 21, abs=1e-4)


def test_each_face_is_judged():
  people = check(speaking_clip(0, track=3), speaking_clip(1, late=5, track=4))['people']
  assert [(face['id'], face['verdict']) for face in people] == [(1, 'in_time'), (2, 'shifted')]


@pytest.mark.parametrize('state', ['absent', 'silent'])
def test_without_sound_nothing_is_judged(state):
  found = check(speaking_clip(0, state=state))
  assert found == {'sound': state, 'reason': f'sound_{state}', 'people': []}


def test_without_a_face_the_reason_is_told():
  assert check(reason='profile')['reason'] == 'profile (as it is)'
  assert check(tracks=())['reason'] == 'no_face'


def test_how_reals_agree_is_kept_with_the_run(tmp_path):
  with pytest.raises(UserError, match=r'has no reals\.json: let its training end first'):
    read_reals(tmp_path)
  write_reals(tmp_path, [0.5, 0.25])
  assert read_reals(tmp_path) == [0.25, 0.5]
  assert np.isfinite(read_reals(tmp_path)).all()


def test_a_head_is_kept_with_the_run(tmp_path):
  assert read_head(tmp_path) is None
  write_head(tmp_path, HEAD)
  assert read_head(tmp_path) == HEAD
