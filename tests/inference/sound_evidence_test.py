"""What is told of lips and sound, and when nothing is."""

import dataclasses

import numpy as np
import pytest

from lipfake_jax.clips.listening import MOUTH_SIDE, Hearing
from lipfake_jax.inference.sound_evidence import describe_hearing
from tests.scoring.closures_test import HEARD_S, TIMES, mouth

SPANS = np.stack([HEARD_S - 0.04, HEARD_S + 0.04], axis=1)


def hear(names=('B', 'M', 'P', 'B', 'M', 'P', 'B', 'M'), late_s=0.0, **fields) -> Hearing:
  """Ten seconds of a mouth that closes when B, M and P are heard."""
  about = {
    'state': 'heard', 'speech_s': 1.5, 'sureness': 0.9, 'names': np.array(names), 'spans': SPANS + late_s,
    'tracks': np.full(len(TIMES), 3), 'times': TIMES, 'openings': mouth(HEARD_S),
    'crops': np.zeros((len(TIMES), MOUTH_SIDE, MOUTH_SIDE, 3), np.uint8),
  }  # fmt: skip
  return Hearing(**{**about, **fields})


def test_events_are_told_with_the_frames_of_each():
  found, mouths = describe_hearing(hear(late_s=0.2), 3)
  assert found['reason'] is None
  assert found['offset_ms'] == pytest.approx(200, abs=40)
  assert found['closed_share'] == 1.0
  assert [event['phone'] for event in found['events']] == ['B', 'M', 'P', 'B', 'M', 'P', 'B', 'M']
  assert [event['heard_s'] for event in found['events']] == pytest.approx(HEARD_S + 0.2, abs=1e-3)
  assert all(event['closed'] for event in found['events'])
  assert {len(frames) for frames in mouths} <= {5, 6}  # of 0.24 s, 25 a second; none lie at the very ends


@pytest.mark.parametrize(
  ('fields', 'reason'),
  [
    ({'state': 'absent'}, 'absent (the file has no sound that decodes)'),
    ({'state': 'silent'}, 'silent (its sound is silence)'),
    ({'speech_s': 0.0}, 'no_speech (what is heard, as music, noise or nothing, has 0.0 phones a second'),
    ({'speech_s': 6.0}, 'no_speech (what is heard, as music, noise or nothing, has 1.3 phones a second'),
    ({'sureness': 0.2}, 'not_understood (the recogniser, which knows English alone, is 20% sure of what it hears;'),
    ({'names': ('B', *['AA'] * 7)}, 'too_few_events (1 sound of M, B or P is seen'),
    (
      {'names': ('B', 'M', 'P', 'B', 'AA', 'AA', 'AA', 'AA')},
      'too_few_events (4 sounds of M, B or P are seen',
    ),
  ],
)
def test_without_enough_to_compare_there_is_a_reason(fields, reason):
  found, mouths = describe_hearing(hear(**fields), 3)
  assert found['reason'].startswith(reason)
  assert found['offset_ms'] is found['events'] is found['closed_share'] is None
  assert mouths == []


def test_what_another_face_does_is_no_evidence_on_this_one():
  assert describe_hearing(hear(), 4)[0]['reason'].startswith('too_few_events (0 sounds')


def test_a_short_sound_is_listened_to():
  assert describe_hearing(dataclasses.replace(hear(), state='short'), 3)[0]['reason'] is None
