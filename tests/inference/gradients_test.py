"""Attributions that sum to the difference of two scores, and what landmarks' kinds of motion add."""

import jax.numpy as jnp
import numpy as np
import pytest

from lipfake_jax.inference import gradients
from lipfake_jax.inference.occlusion import FILLS, GRID
from tests.models.model_checks import Small


@pytest.fixture(scope='module')
def lips():
  return Small('lip_kinematics', {'units': 4}, (6, 64, 2))


@pytest.fixture(scope='module')
def frames():
  return Small('effnet_frames', {'blocks': 4, 'depth': 5, 'neck': 8, 'stride': 2}, (6, 16, 16, 3))


def test_of_a_square_each_part_adds_its_own():
  """f = sum(w g^2): the mean of its gradient over the way is w, which the midpoint rule has exactly."""
  weights = jnp.array([1.0, -2.0, 0.5])
  found = gradients.integrate(lambda gates: (weights * gates**2).sum(), (3,))
  np.testing.assert_allclose(found, weights, atol=1e-6)


def test_attributions_of_motion_sum_to_the_difference_from_lips_that_stand_still(lips):
  """Of small movements, in which the network is nearly linear, to 5 % with eight steps."""
  clip = lips.clips[0] / 300
  found = gradients.attribute_motion(lips.model, lips.variables, clip)
  assert found.shape == (6, 4, 64)
  plain, still = (lips.forward(lips.variables, x[None])[0] for x in (clip, np.broadcast_to(clip.mean(0), clip.shape)))
  np.testing.assert_allclose(found.sum(), plain - still, rtol=0.05)


def test_a_kind_of_motion_that_is_not_there_carries_nothing(lips):
  """Of lips that move steadily there is neither acceleration nor jerk, but for the first frames, which have no past."""
  clip = np.linspace(0, 1, 6, dtype=np.float32)[:, None, None] * lips.clips[0, :1]
  plain = lips.forward(lips.variables, clip[None])[0]
  place, speed, acceleration, jerk = gradients.silence_motions(lips.model, lips.variables, clip) - plain
  np.testing.assert_allclose([acceleration, jerk], 0, atol=1e-4)  # differences of float32 are not quite 0
  assert min(abs(place), abs(speed)) > 1e-3


@pytest.mark.slow
def test_attributions_of_cells_are_nothing_where_the_baseline_is_the_clip(frames):
  """A gray clip is its own blur."""
  gray = np.full((6, 16, 16, 3), 128, np.uint8)
  found = gradients.attribute_cells(frames.model, frames.variables, gray)
  assert found.shape == (6, GRID, GRID)
  np.testing.assert_allclose(found, 0, atol=1e-6)


@pytest.mark.slow
def test_attributions_of_cells_sum_to_the_difference_of_the_scores(frames):
  """Of little contrast to 20 % with eight steps: the network has corners."""
  clip = np.rint(126 + 4 * frames.clips[0]).astype(np.uint8)
  found = gradients.attribute_cells(frames.model, frames.variables, clip)
  both = np.stack([clip / 255, FILLS[gradients.BASELINE](clip) / 255]).astype(np.float32)
  plain, blurred = frames.forward(frames.variables, both).mean(1)
  np.testing.assert_allclose(found.sum(), plain - blurred, rtol=0.2)


def test_patches_are_those_of_a_model_that_has_them(frames, lips):
  """The small network's have 8 pixels a side, and of six frames three are encoded."""
  clip = np.rint(255 * frames.clips[0]).astype(np.uint8)
  assert gradients.read_patches(frames.model, frames.variables, clip).shape == (3, 2, 2)
  assert gradients.read_patches(lips.model, lips.variables, lips.clips[0]) is None
