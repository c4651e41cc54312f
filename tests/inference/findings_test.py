"""Verdicts on people and on a video, from the scores of windows."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from lipfake_jax.inference.findings import Window, describe_tool, describe_video
from lipfake_jax.inference.run import Run
from lipfake_jax.scoring.conformal import Limits
from lipfake_jax.scoring.verdict import Decision
from tests.conftest import make_clip

META = {
  'model': {'name': 'cnn_lstm', 'arguments': {}, 'aggregation': 'mean_logit'},
  'digests': {'weights': 'b' * 64},
}
RUN = Run(Path('runs/a'), np.asarray, META, Decision(threshold=0.5))
CAREFUL = dataclasses.replace(RUN, limits=Limits(error=0.1, real=0.8, fake=0.4))
FACTS = {
  'sha256': 'a' * 64, 'bytes': 9, 'fps': 25.0, 'width': 64, 'height': 48, 'codec': 'h264', 'frames': 100,
  'duration_s': 3.96, 'stopped': False, 'notes': (), 'reason': None, 'detail': None,
}  # fmt: skip


NOBODY = {**FACTS, 'people': [], 'reason': 'no_face', 'detail': 'none in 5'}
PROFILE = {'reason': 'profile', 'detail': 'the face is seen from the side'}


def find(scores: list[list[float]], run: Run = CAREFUL, **quality):
  """The document of a video with the scores of each person's windows, a second each; who has none is in profile."""
  windows, people = [], []
  for number, row in enumerate(scores):
    seen = {'track': number, 'from_s': 0.0, 'to_s': 3.96, 'share': 1.0, 'mouth_px': 50.0, 'area': 1.0}
    people.append(seen | ({'reason': None, 'detail': None} if row else PROFILE))
    for second, p in enumerate(row):
      clip = make_clip(np.zeros((25, 8, 8, 3), np.uint8), 'a', track=number, **quality)
      clip = dataclasses.replace(clip, times=clip.times + second)
      windows.append(Window(clip, np.log([p / (1 - p)])))
  return describe_video('a.mp4', {**FACTS, 'people': people}, windows, run)


def test_a_person_has_one_score_of_all_windows_by_the_rule_of_the_run():
  """Logits of .9 and .5 are log 9 and 0; their mean is log 3, which is .75."""
  document = find([[0.9, 0.5]])
  [person] = document['people']
  assert person['p_fake'] == document['p_fake'] == 0.75
  assert [(w['start_s'], w['end_s'], w['p_fake']) for w in person['windows']] == [(0.0, 1.0, 0.9), (1.0, 2.0, 0.5)]


@pytest.mark.parametrize(
  ('scores', 'verdict', 'p_fake'),
  [
    ([[0.9]], 'fake', 0.9),
    ([[0.6]], 'inconclusive', 0.6),
    ([[0.3]], 'real', 0.3),
    ([[0.3], [0.9], [0.95]], 'fake', 0.95),  # one is enough, and the highest score tells
    ([[0.3], [0.6]], 'inconclusive', 0.6),
    ([[0.3], [0.2]], 'real', 0.3),
  ],
)
def test_the_verdict_on_a_video_is_that_of_the_person_who_decides(scores, verdict, p_fake):
  document = find(scores)
  assert (document['verdict'], document['p_fake']) == (verdict, p_fake)


def test_without_limits_the_threshold_decides():
  assert [find([[p]], RUN)['verdict'] for p in (0.45, 0.55)] == ['real', 'fake']
  assert find([[0.45]], RUN)['weights']['error'] is None


def test_what_is_unusual_stands_beside_the_verdict():
  """The mouth is half as wide as usual."""
  document = find([[0.95]], mouth_width=12.0)
  assert document['verdict'] == 'fake'
  assert document['people'][0]['warnings'] == ['mouth 12 px wide, under 25']


def test_people_who_cannot_be_judged_have_a_reason_and_decide_nothing():
  document = find([[0.3], []])
  person = document['people'][1]
  assert (document['verdict'], person['verdict'], person['p_fake'], person['windows']) == ('real', 'none', None, [])
  assert person['reason'] == 'profile (the face is seen from the side)'
  assert find([[]])['reason'] == 'profile (the face is seen from the side)'


def test_reasons_are_told():
  assert find([[0.6]])['reason'] == 'between_limits (p_fake 0.600; it would be fake above 0.800, real below 0.400)'
  none = describe_video('a.mp4', NOBODY, [], RUN)
  assert (none['verdict'], none['p_fake'], none['reason']) == ('none', None, 'no_face (none in 5)')


def test_a_video_that_was_stopped_says_so():
  document = describe_video('a.mp4', {**NOBODY, 'stopped': True}, [], RUN)
  assert document['warnings'] == ['interrupted: the rest of the video was not looked at']


def test_temperature_changes_what_is_calibrated_alone():
  """Temperature 2 halves the logit log 9 to log 3."""
  document = find([[0.9]], dataclasses.replace(CAREFUL, decision=Decision(temperature=2.0)))
  assert (document['p_fake'], document['p_calibrated']) == (0.9, 0.75)


def test_the_tool_is_known_by_its_sources():
  assert len(describe_tool()['sha256']) == 64
  assert describe_tool() == describe_tool()
