"""Looks at lips while something is said; the mouth is a photograph's, and closed."""

import numpy as np
import pytest

from lipfake_jax.clips import tracks
from lipfake_jax.clips.listening import MOUTH_SIDE, REACH_S, Hearing, look_at_lips, read_hearing, save_hearing
from tests.conftest import to_frame


def look(frames, models, moments):
  """At RGB frames, 25 a second; faces are looked for in each."""
  seen = {frame.index: faces for frame, faces in tracks.find_faces(iter(frames), models, 1)}
  return list(look_at_lips(iter(frames), seen, moments))


def test_lips_are_looked_at_about_moments_alone(portrait, models):
  """Of 40 frames those within half a second of 0 s, which are 13."""
  looks = look([to_frame(portrait[:400], i) for i in range(40)], models, [0.0])
  assert [look.time_s for look in looks] == pytest.approx([i / 25 for i in range(int(REACH_S * 25) + 1)])
  assert all(look.opening < 0.03 for look in looks)
  assert looks[0].crop.shape == (MOUTH_SIDE, MOUTH_SIDE, 3)


def test_of_several_faces_nobody_knows_who_speaks(portrait, second_portrait, models):
  both = np.hstack([second_portrait[:300, 60:400], portrait[100:400]])
  assert look([to_frame(both, i) for i in range(3)], models, [0.0]) == []


def test_a_hearing_is_kept_as_it_was(tmp_path):
  none = np.zeros((0, MOUTH_SIDE, MOUTH_SIDE, 3), np.uint8)
  names, spans, nobody = np.array(['B']), np.array([[0.1, 0.2]]), np.zeros(0)
  kept = Hearing('heard', 1.5, 0.7, names, spans, nobody, nobody, nobody, none)
  assert read_hearing(tmp_path) is None
  save_hearing(kept, tmp_path)
  found = read_hearing(tmp_path)
  assert (found.state, found.speech_s, found.sureness) == ('heard', 1.5, 0.7)
  assert (found.names.tolist(), found.spans.tolist()) == (['B'], [[0.1, 0.2]])
