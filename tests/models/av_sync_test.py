"""The two towers of av_sync: which frames and which rows of sound an embedding is made of."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lipfake_jax.core.errors import UserError
from lipfake_jax.models import create_model, create_towers
from tests.models.model_checks import compiled

SMALL = {'filters': (4, 4), 'sound_filters': (4, 4), 'units': 8, 'width': 8}
RNG = np.random.default_rng(0)
PIXELS, LIPS = (RNG.uniform(0, 1, shape).astype(np.float32) for shape in ((2, 12, 16, 16, 3), (2, 12, 64, 2)))
SOUND = RNG.normal(0, 3, (2, 12, 4, 64)).astype(np.float32)
LOOKS = {'clip': PIXELS, 'lips': LIPS}


@functools.cache
def towers(look: str):
  """A small model, compiled, with its first variables."""
  model = create_towers('av_sync', {**SMALL, 'look': look})
  variables = compiled(model.init)(jax.random.key(0), LOOKS[look], SOUND)
  return functools.partial(compiled(model.apply), variables)


def embed(look: str, looks: np.ndarray, sound: np.ndarray, starts: np.ndarray | None = None):
  return towers(look)(looks, sound, starts)


def count(**arguments) -> int:
  model = create_towers('av_sync', arguments)
  looks = jnp.zeros((1, 60, 64, 2) if arguments else (1, 60, 64, 64, 3))
  shapes = jax.eval_shape(model.init, jax.random.key(0), looks, jnp.zeros((1, 60, 4, 64)))
  return sum(int(np.prod(leaf.shape)) for leaf in jax.tree.leaves(shapes))


def test_parameters_are_those_that_the_file_tells_of():
  assert count() == 627_425
  assert count(look='lips') == 548_721


@pytest.mark.parametrize('look', LOOKS)
def test_every_window_of_five_frames_has_a_vector_of_length_one(look):
  found = embed(look, LOOKS[look], SOUND)
  for name in ('look', 'sound'):
    assert found[name].shape == (2, 8, 8)
    np.testing.assert_allclose(np.linalg.norm(found[name], axis=-1), 1, atol=1e-5)  # float32
  assert float(found['scale']) == pytest.approx(1 / 0.07, rel=1e-5)


@pytest.mark.parametrize('look', LOOKS)
def test_chosen_windows_are_those_of_all(look):
  every, some = embed(look, LOOKS[look], SOUND), embed(look, LOOKS[look], SOUND, jnp.array([6, 1]))
  for name in ('look', 'sound'):
    np.testing.assert_allclose(some[name], every[name][:, [6, 1]], atol=1e-5)


def test_each_tower_has_its_own_sense():
  plain, deaf, blind = embed('clip', PIXELS, SOUND), embed('clip', PIXELS, -SOUND), embed('clip', 1 - PIXELS, SOUND)
  np.testing.assert_array_equal(plain['look'], deaf['look'])
  np.testing.assert_array_equal(plain['sound'], blind['sound'])
  assert np.abs(plain['sound'] - deaf['sound']).max() > 1e-3
  assert np.abs(plain['look'] - blind['look']).max() > 1e-3


def test_what_stays_the_same_in_a_clip_does_not_count():
  """Neither a lighter picture, nor a louder voice, nor a microphone that favours some bands."""
  plain = embed('clip', PIXELS, SOUND)
  changed = embed('clip', 0.5 * PIXELS + 0.2, SOUND + np.linspace(-3, 3, 64, dtype=np.float32))
  for name in ('look', 'sound'):
    np.testing.assert_allclose(changed[name], plain[name], atol=2e-3)  # the deviation has 1e-6 added under its root


def test_towers_are_no_model_and_models_no_towers():
  with pytest.raises(UserError, match='choose one of av_sync, poi'):
    create_towers('cnn_lstm', {})
  with pytest.raises(UserError, match='scores no clip: see configs/av_sync'):
    create_model('av_sync', {})
