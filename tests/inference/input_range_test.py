"""What lies outside of what was measured, in words."""

import numpy as np

from lipfake_jax.inference.input_range import note_range
from tests.conftest import make_clip

FRAMES = np.zeros((2, 8, 8, 3), np.uint8)


def test_a_usual_video_has_no_notes():
  assert note_range([make_clip(FRAMES, 'v', mouth_width=40.0, duration=2.0, sharpness=80.0)]) == []


def test_each_limit_is_named_with_its_figure():
  """The smallest mouth counts, and the median sharpness."""
  clips = [
    make_clip(FRAMES, 'v', mouth_width=width, duration=0.7, sharpness=sharpness)
    for width, sharpness in ((40.0, 3.0), (17.6, 3.0), (50.0, 90.0))
  ]
  assert note_range(clips) == ['mouth 18 px wide, under 20', '0.70 s long, under 1', 'blurred: sharpness 3, under 7']
