"""Pseudo-fakes: what every kind promises, and what reals and fakes go through alike."""

import numpy as np
import pytest

from lipfake_jax.data.pseudo_donors import CHANGES, match_colours
from lipfake_jax.data.pseudo_fakes import KINDS, make_pseudo_fake
from lipfake_jax.data.pseudo_masks import SHAPES, draw_mask

SIZE = 64
TIMES = np.array([3, 4])


@pytest.fixture(scope='module')
def clip(portrait):
  """Eight frames of a portrait's mouth that moves to the right by a pixel a frame."""
  return np.stack([portrait[170:298, 190 - shift : 318 - shift][::2, ::2] for shift in range(0, 16, 2)])


@pytest.fixture(scope='module')
def other(second_portrait):
  return np.stack([second_portrait[100:228, 160:288][::2, ::2]] * 8)


@pytest.mark.parametrize('kind', KINDS)
def test_a_kind_changes_what_its_mask_covers_and_nothing_else(kind, clip, other):
  frames, mask = make_pseudo_fake(clip, TIMES, other, kind, np.random.default_rng(1))
  assert (frames.shape, frames.dtype) == ((2, SIZE, SIZE, 3), np.uint8)
  assert (mask.shape, mask.dtype) == ((SIZE, SIZE), np.float32)
  assert mask.min() >= 0
  assert 0.4 < mask.max() <= 1
  np.testing.assert_array_equal(frames[:, mask == 0], clip[TIMES][:, mask == 0])
  inside = np.abs(frames.astype(int) - clip[TIMES])[:, mask > 0.3]
  assert inside.mean() > 0.2  # gray levels


@pytest.mark.parametrize('kind', KINDS)
def test_a_kind_is_a_function_of_its_generator(kind, clip, other):
  first, again, another = (make_pseudo_fake(clip, TIMES, other, kind, np.random.default_rng(s))[0] for s in (5, 5, 6))
  np.testing.assert_array_equal(first, again)
  assert (first != another).any()


def test_a_frozen_mouth_does_not_move_and_its_surroundings_do(clip, other):
  """Inside a whole mask both frames show one moment but for changes from frame to frame; the head is 1 px further."""
  rng = np.random.default_rng(0)
  for _ in range(20):
    frames, mask = make_pseudo_fake(clip, np.array([0, 7]), other, 'frozen', rng)
    assert (frames[0] != frames[1])[mask == 0].any()
    sure = mask > 0.99
    if sure.any():
      moved = np.abs(frames[0].astype(int) - frames[1])[sure].mean()
      assert moved < np.abs(clip[0].astype(int) - clip[7])[sure].mean()


@pytest.mark.parametrize('name', CHANGES)
def test_a_change_keeps_shape_and_picture(name, clip):
  """What a donor goes through is slight: under a tenth of the full range in the mean."""
  changed = CHANGES[name](clip, np.random.default_rng(0))
  assert (changed.shape, changed.dtype) == (clip.shape, np.uint8)
  assert 0 < np.abs(changed.astype(int) - clip).mean() < 25


def test_matched_colours_have_the_means_of_the_other(clip, other):
  """2 gray levels: Lab is of 8 bits, and what is beyond its range is clipped."""
  matched = match_colours(other // 2, clip)
  np.testing.assert_allclose(matched.mean((0, 1, 2)), clip.mean((0, 1, 2)), atol=8)
  assert np.abs(other // 2 - clip.mean((0, 1, 2))).mean() > 20


@pytest.mark.parametrize('shape', SHAPES)
def test_masks_lie_in_the_crop(shape):
  """They reach the mouth's middle; all but the whole leave something."""
  for seed in range(20):
    mask = draw_mask(np.random.default_rng(seed), shape, SIZE)
    assert mask[round(0.4 * SIZE), SIZE // 2] > 0.3
    assert (mask.min() < 0.01) == (shape != 'whole')
