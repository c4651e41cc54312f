"""Losses of a few vectors, counted by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lipfake_jax.training.contrastive_losses import find_moments, find_people, squared_distances


def test_moments_that_agree_alone_cost_little():
  """Four directions: each own cosine is 1, every other 0; the scale is 2."""
  looks = jnp.eye(4).reshape(2, 2, 4)
  loss, accuracy = find_moments(looks, looks, 2.0)
  assert loss == pytest.approx(-np.log(np.e**2 / (np.e**2 + 3)), abs=1e-6)
  assert accuracy == 1


def test_moments_of_other_clips_are_others_too():
  """Two clips that say the same: half of the looks find the other clip's sound first, or as near."""
  loss, accuracy = find_moments(jnp.eye(2)[jnp.array([[0, 1], [0, 1]])], jnp.eye(2)[jnp.array([[0, 1], [0, 1]])], 50.0)
  assert loss == pytest.approx(np.log(2), abs=1e-5)
  assert accuracy == 0.5


def test_people_are_found_among_all_other_clips():
  """Clips at 0 and 90 degrees, squared distance 2, over a temperature of 2: similarities 0 within, -1 across."""
  clips = jnp.array([[1.0, 0], [1, 0], [0, 1], [0, 1]])
  loss, accuracy = find_people(-squared_distances(clips) / 2, jnp.array([5, 5, 7, 7]), jnp.ones(4, bool))
  assert loss == pytest.approx(-np.log(1 / (1 + 2 / np.e)), abs=1e-6)
  assert accuracy == 1


def test_clips_that_are_left_out_are_no_one_s_others():
  """The third is somebody else's, and unheard: without it nothing is left to confuse the two with."""
  clips = jnp.array([[1.0, 0], [1, 0], [1, 0]])
  near, people = -squared_distances(clips), jnp.array([5, 5, 7])
  assert find_people(near, people, jnp.array([True, True, False]))[0] == pytest.approx(0, abs=1e-6)
  assert find_people(near, people, jnp.ones(3, bool))[0] == pytest.approx(np.log(2), abs=1e-6)


def test_where_nobody_is_twice_there_is_nothing_to_learn():
  """And no NaN in the gradient."""
  people, counted = jnp.arange(3), jnp.array([True, True, False])
  loss, grads = jax.value_and_grad(lambda x: find_people(-squared_distances(x), people, counted)[0])(jnp.eye(3))
  assert loss == 0
  np.testing.assert_array_equal(grads, 0)
