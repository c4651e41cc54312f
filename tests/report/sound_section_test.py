"""Lips and sound in words, and event by event."""

import json
from pathlib import Path

import numpy as np
import pytest

from lipfake_jax.inference.sound_evidence import describe_hearing
from lipfake_jax.report.detect_page import render_finding
from lipfake_jax.report.detect_table import describe_lines
from lipfake_jax.report.sound_section import say_offset, tell_sound
from tests.inference.findings_test import find
from tests.inference.sound_evidence_test import hear
from tests.json_schema import find_faults

SCHEMA = json.loads((Path(__file__).parents[2] / 'docs' / 'detect.schema.json').read_text())


@pytest.fixture
def shifted():
  """A document of a video whose sound is 200 ms late, and the frames of its eight events."""
  sound, mouths = describe_hearing(hear(late_s=0.2), 3)
  document = find([[0.1, 0.1]])
  document['people'][0]['evidence']['sound'] = sound
  return document, mouths


def test_a_shifted_sound_is_told_as_that_and_changes_no_verdict(shifted):
  document, mouths = shifted
  assert document['verdict'] == 'real'
  text = render_finding(document, [[b'', b'']], mouths=[mouths])
  assert 'No sign of a fake was found' in text
  assert 'ms later than the lips' in text
  assert 'By itself that is no sign of a fake' in text
  assert 'Lips close at 8 of 8 sounds of M, B and P: 100%' in text
  assert 'This is no verdict, and no proof.' in text
  assert text.count('lips closed, 0.010') == 2 * 8  # of each event its title, and what the picture shows
  assert list(find_faults(document, SCHEMA)) == []


def test_a_terminal_has_a_line(shifted):
  document, _ = shifted
  assert any('ms. Lips close at 8 of 8 sounds of M, B and P' in line for line in describe_lines(document, 8))


def test_what_is_within_two_frames_is_in_time():
  sound = {'offset_ms': -60, 'offset_interval_ms': [-100, -20]}
  assert say_offset(sound) == 'The sound is in time with the lips (-60 ms, 95 % interval -100 to -20).'
  assert 'comes 120 ms earlier than the lips' in say_offset({**sound, 'offset_ms': -120})


def test_where_nothing_was_compared_the_reason_is_told():
  sound, mouths = describe_hearing(hear(speech_s=0.0), 3)
  assert tell_sound(sound).startswith('sound: no_speech (what is heard, as music, noise or nothing, has 0.0 phones')
  document = find([[0.1]])
  document['people'][0]['evidence']['sound'] = sound
  text = render_finding(document, [[b'']], mouths=[mouths])
  assert 'Lips were not compared with the sound: what is heard, as music, noise or nothing, has 0.0 phones' in text


def test_of_many_events_the_widest_are_shown():
  names, spans = np.array(['M'] * 40), np.linspace(1, 9, 40)[:, None] + [-0.04, 0.04]
  sound, mouths = describe_hearing(hear(names, spans=spans), 3)
  document = find([[0.1]])
  document['people'][0]['evidence']['sound'] = sound
  text = render_finding(document, [[b'']], mouths=[mouths])
  assert f'Shown are the 24 widest of {len(sound["events"])}' in text
