"""What reals and fakes are both degraded by: it asks for no class, and spoils as videos are spoiled."""

import numpy as np
import pytest

from lipfake_jax.data import degrade as module
from lipfake_jax.data.degrade import SPOILS, degrade

SIZE = 64
NO_MASK = np.zeros((SIZE, SIZE), np.float32)


@pytest.fixture(scope='module')
def clip(portrait):
  """Eight frames of a portrait's mouth that moves to the right by a pixel a frame."""
  return np.stack([portrait[170:298, 190 - shift : 318 - shift][::2, ::2] for shift in range(0, 16, 2)])


def test_degradation_asks_for_no_class(clip):
  """The same draws do the same to the same frames, whichever mask comes with them; the mask moves along."""
  mask = np.zeros((SIZE, SIZE), np.float32)
  mask[20:40, 20:44] = 1
  first, moved = degrade(clip, mask, 48, 1.0, 0.0, np.random.default_rng(2))
  second, empty = degrade(clip, 0 * mask, 48, 1.0, 0.0, np.random.default_rng(2))
  np.testing.assert_array_equal(first, second)
  assert first.shape == (8, 48, 48, 3)
  assert not empty.any()
  assert 200 < moved.sum() < 800  # 480 pixels, scaled by .9 to 1.12, some of them out of view


def test_degradation_is_constant_in_time(clip):
  """Frames that are equal stay so but for noise, which is new in each; with strength 0 there is none."""
  still = np.repeat(clip[:1], 3, axis=0)
  plain, _ = degrade(still, NO_MASK, SIZE, 0.0, 0.0, np.random.default_rng(3))
  np.testing.assert_array_equal(plain[0], plain[2])
  spoilt, _ = degrade(still, NO_MASK, SIZE, 1.0, 0.0, np.random.default_rng(4))
  assert np.abs(spoilt[0].mean((0, 1)) - spoilt[2].mean((0, 1))).max() < 1.5


@pytest.mark.parametrize('name', sorted(set(SPOILS)))
def test_each_way_to_spoil_leaves_a_face_and_changes_it(name, clip, monkeypatch):
  monkeypatch.setattr(module, 'SPOILS', (name,))
  plain, _ = degrade(clip, NO_MASK, SIZE, 0.0, 0.0, np.random.default_rng(5))
  spoiled, _ = degrade(clip, NO_MASK, SIZE, 0.0, 1.0, np.random.default_rng(5))
  again, _ = degrade(clip, NO_MASK, SIZE, 0.0, 1.0, np.random.default_rng(5))
  np.testing.assert_array_equal(spoiled, again)
  assert spoiled.shape == plain.shape
  assert spoiled.dtype == np.uint8
  grays = [frames.mean(-1).ravel() for frames in (plain, spoiled)]
  assert not np.array_equal(plain, spoiled)
  assert np.corrcoef(*grays)[0, 1] > 0.5


def test_texture_goes_where_it_is_blurred(clip, monkeypatch):
  monkeypatch.setattr(module, 'SPOILS', ('blur',))
  plain, spoiled = (degrade(clip, NO_MASK, SIZE, 0.0, spoil, np.random.default_rng(6))[0] for spoil in (0.0, 1.0))
  steps = [np.abs(np.diff(frames.astype(int), axis=2)).mean() for frames in (plain, spoiled)]
  assert steps[1] < 0.7 * steps[0]
