"""Of several people each gets a verdict or a reason; what is unusual stands beside it."""

import numpy as np
import pytest

from lipfake_jax.inference.input_range import note_range
from lipfake_jax.inference.people import group_people, judge_people, reject
from lipfake_jax.inference.predictions import prediction_lines
from tests.conftest import make_clip


def clip(track=0, **fields):
  t = np.arange(6, dtype=np.float32) / 5  # over 1 s
  return make_clip(np.zeros((6, 8, 8, 3), np.uint8), 'v.mp4', track=track, **{'times': t, **fields})


def judge(p_fake):
  return {'p_fake': p_fake, 'p_calibrated': p_fake, 'verdict': 'fake' if p_fake > 0.5 else 'real'}


def test_clips_of_one_face_are_one_person():
  clips = [clip(2), clip(0), clip(2)]
  assert [[c.track for c in person] for person in group_people(clips)] == [[2, 2], [0]]


def test_one_fake_person_makes_a_fake_video():
  scores = iter([0.1, 0.9, 0.7])  # the third is the next video's
  said = judge_people([[clip(0)], [clip(1)]], scores, judge)
  assert (said['p_fake'], said['verdict'], said['reason']) == (0.9, 'fake', None)
  assert [(p['id'], p['p_fake'], p['verdict']) for p in said['people']] == [(1, 0.1, 'real'), (2, 0.9, 'fake')]
  assert next(scores) == 0.7
  assert prediction_lines('v.mp4', said, 8) == [
    'v.mp4      0.900  fake (2 faces)',
    '  face 1   0.100  real',
    '  face 2   0.900  fake',
  ]


def test_who_gave_no_clip_is_named():
  left_out = np.array([('mouth_hidden', 'no lips show; in view from 0.0 to 2.0 s')])
  said = judge_people([[clip(left_out=left_out)]], [0.1], judge)
  assert said['verdict'] == 'real'
  assert [p['verdict'] for p in said['people']] == ['real', None]
  assert said['people'][1]['reason'] == 'mouth_hidden (no lips show; in view from 0.0 to 2.0 s)'
  assert (
    prediction_lines('v.mp4', said, 5)[2]
    == '  face 2       -  none: mouth_hidden (no lips show; in view from 0.0 to 2.0 s)'
  )


def test_a_single_person_is_one_line_with_its_notes():
  said = judge_people([[clip(rate=1000.0, mouth_width=20.4)]], [0.1], judge)
  assert prediction_lines('v.mp4', said, 5) == [
    'v.mp4   0.100  real (1000 frames a second, over 61; mouth 20 px wide, under 25)'
  ]
  assert prediction_lines('v.mp4', reject('still (why)'), 5) == ['v.mp4       -  none: still (why)']


@pytest.mark.parametrize(
  ('fields', 'note'),
  [
    ({}, None),
    ({'rate': 60.0}, None),
    ({'rate': 7.5}, '7.5 frames a second, under 14'),
    ({'rate': 240.0}, '240 frames a second, over 61'),
    ({'mouth_width': 17.0}, 'mouth 17 px wide, under 25'),
    ({'times': np.linspace(0, 0.06, 6, dtype=np.float32)}, '0.06 s are scored, under 0.9'),
    ({'sharpness': 4.2}, 'blurred: sharpness 4, under 7'),
    ({'hidden_share': 0.6}, 'no mouth shows in 60% of the looks at it, over 50%'),
  ],
)
def test_what_is_unusual_is_noted(fields, note):
  assert note_range([clip(**fields)]) == ([note] if note else [])
