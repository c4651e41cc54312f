"""Colours and words for what carries a score."""

import numpy as np
import pytest

from lipfake_jax.inference.explain import Explanation
from lipfake_jax.inference.occlusion import GRID
from lipfake_jax.report.explain_words import explain_maps, explain_trust, name_place
from lipfake_jax.report.heat import draw_bars, draw_heat, lay_heat, plot_landmarks
from tests.conftest import make_clip

CELLS = np.zeros(GRID**2)
CELLS[[0, -1]] = 2, -2  # for a fake in the first corner, against it in the last
CLIP = make_clip(np.full((4, 60, 60, 3), 128, np.uint8), 'a')


def test_red_speaks_for_a_fake_and_blue_against_it():
  [frame] = lay_heat(CLIP.frames[:1], CELLS).astype(int)
  assert frame[2, 2, 0] > 150 > frame[2, 2, 2]
  assert frame[-3, -3, 2] > 150 > frame[-3, -3, 0]
  np.testing.assert_array_equal(frame[30, 30], 128)


def test_bars_go_up_for_a_fake_and_down_against_it():
  up, nothing, down = np.split(draw_bars(np.array([1.0, 0.0, -0.5]), 30).astype(int), 3, axis=1)
  reds, blues = (
    lambda part: ((part[..., 0] - part[..., 2]) > 50).any(1).nonzero()[0],
    lambda part: ((part[..., 2] - part[..., 0]) > 50).any(1).nonzero()[0],
  )
  assert (len(reds(up)), len(reds(nothing)), len(blues(down))) == (23, 0, 11)  # half of 48 rows, less the line
  assert reds(up).max() < 24 < blues(down).min()


def test_landmarks_are_dots_in_their_places():
  lips = np.zeros((3, 64, 2), np.float32)
  lips[:, 0], lips[:, 1] = (-1, 0), (1, 0)
  values = np.zeros(64)
  values[:2] = 1, -1
  picture = plot_landmarks(lips, values, 320).astype(int)
  left, right = picture[160, 16], picture[160, 304]
  assert left[0] > left[2]
  assert right[2] > right[0]


@pytest.mark.parametrize(
  ('cell', 'place'),
  [
    (2 * GRID + 2, 'at the mouth, in the middle'),
    (0, 'above the mouth, on the left'),
    (GRID**2 - 1, 'below the mouth, on the right'),
  ],
)
def test_places_are_named_from_the_mouth(cell, place):
  assert name_place(cell, 'lower_face') == place


def explain(trust=None, **maps):
  return Explanation(0.9, maps, dict.fromkeys(maps, 0.7), {}, trust)


def test_words_say_what_and_how_much():
  sentences = list(explain_maps(CLIP, explain(cells=CELLS, frames=np.array([0, 0, 1.0, 0])), 'lower_face'))
  assert sentences == [
    'What speaks most for a fake is what lies above the mouth, on the left. With the strongest 12% of the crop blurred,'
    ' the score of this window is 0.700 in place of 0.900.',
    'What speaks most for a fake is the frame at 0:00.1. With the strongest 12% of the frames replaced by those beside'
    ' them, the score of this window is 0.700 in place of 0.900.',
  ]
  assert list(explain_maps(CLIP, explain(cells=-np.ones(GRID**2)), 'lower_face')) == [
    'In the map of the crop nothing speaks for a fake.'
  ]


def test_words_say_where_frames_have_no_picture():
  """Of four frames all are pictured, of twelve ten."""
  few, many = (list(explain_maps(CLIP, explain(frames=np.eye(n)[2]), 'lower_face')) for n in (4, 12))
  assert few == many[:1]
  assert many[1:] == [
    'There is a bar for each of the 12 frames, in time order, of which 10 are pictured; a frame without one has next'
    ' to no part in the score.'
  ]


def test_words_say_how_far_to_trust_it():
  figure = {'mean': 0.5, 'interval': [0.4, 0.6], 'n': 20, 'people': 10}
  trust = {
    'videos': 20,
    'people': 10,
    'maps': {
      'cells': {
        'faults': [],
        'points': False,
        'figures': {
          'deletion blur random': figure,
          'deletion mean random': {**figure, 'mean': 0.25},
          'deletion blur guess': figure,
          'hit pseudo': figure,
          'gain pseudo': {**figure, 'mean': 0.4},
        },
      },
      'frames': {'faults': ['shuffled', 'deletion  random', 'insertion  random'], 'points': None, 'figures': {}},
    },
  }
  told = list(explain_trust(explain(trust)))
  assert told[1:4] == [
    'The map of the crop, in logits, on average: hiding its strongest parts first lowers the score more than a random'
    ' order (by 0.25) and than a guess without the model (by 0.50).',
    'It does not tell what was faked: its strongest mark is there in 50% of 20 fakes made for the test, by chance in'
    ' 10%.',
    'The bars of the frames: not shown, since a network that has learned nothing gives much the same and it was not'
    ' shown to tell more than chance.',
  ]
  assert 'Nobody has tested' in next(iter(explain_trust(explain())))


def test_a_picture_has_what_the_explanation_has():
  """Frames; with cells a second row of them, with frames 48 rows of bars; JPEG's own header begins it."""
  sizes = [len(draw_heat(CLIP, explain(**maps))) for maps in ({'cells': CELLS}, {'cells': CELLS, 'frames': np.ones(4)})]
  assert sizes[0] < sizes[1]
  assert draw_heat(CLIP, explain(cells=CELLS))[:2] == b'\xff\xd8'
