"""Losses of a few vectors, counted by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lipfake_jax.training import contrastive_losses
from lipfake_jax.training.contrastive_losses import squared_distances

find_moments, find_people = map(jax.jit, (contrastive_losses.find_moments, contrastive_losses.find_people))


def test_moments_that_agree_alone_cost_little():
  """Four directions: each own cosine is 1, every other 0; the scale is 2."""
  looks = np.eye(4, dtype=np.float32).reshape(2, 2, 4)
  loss, accuracy = find_moments(looks, looks, 2.0)
  assert loss == pytest.approx(-np.log(np.e**2 / (np.e**2 + 3)), abs=1e-6)
  assert accuracy == 1


def test_moments_of_other_clips_are_others_too():
  """Two clips that say the same: half of the looks find the other clip's sound first, or as near."""
  looks = np.eye(2, dtype=np.float32)[[[0, 1], [0, 1]]]
  loss, accuracy = find_moments(looks, looks, 50.0)
  assert loss == pytest.approx(np.log(2), abs=1e-5)
  assert accuracy == 0.5


def test_people_are_found_among_all_other_clips():
  """Clips at 0 and 90 degrees, squared distance 2, over a temperature of 2: similarities 0 within, -1 across."""
  clips = np.array([[1.0, 0], [1, 0], [0, 1], [0, 1]])
  loss, accuracy = find_people(-squared_distances(clips) / 2, np.array([5, 5, 7, 7]), np.ones(4, bool))
  assert loss == pytest.approx(-np.log(1 / (1 + 2 / np.e)), abs=1e-6)
  assert accuracy == 1


def test_clips_that_are_left_out_are_no_one_s_others():
  """The third is somebody else's, and unheard: without it nothing is left to confuse the two with."""
  clips = np.array([[1.0, 0], [1, 0], [1, 0]])
  near, people = -squared_distances(clips), np.array([5, 5, 7])
  assert find_people(near, people, np.array([True, True, False]))[0] == pytest.approx(0, abs=1e-6)
  assert find_people(near, people, np.ones(3, bool))[0] == pytest.approx(np.log(2), abs=1e-6)


def test_where_nobody_is_twice_there_is_nothing_to_learn():
  """And no NaN in the gradient."""
  people, counted = np.arange(3), np.array([True, True, False])
  find = jax.jit(jax.value_and_grad(lambda x: find_people(-squared_distances(x), people, counted)[0]))
  loss, grads = find(jnp.eye(3))
  assert loss == 0
  np.testing.assert_array_equal(grads, 0)
