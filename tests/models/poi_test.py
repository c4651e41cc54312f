"""The two ResNets of POI-Forensics."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from lipfake_jax.models import create_towers
from tests.models.model_checks import compiled, random_variables

SMALL = {'stem': 4, 'filters': (2, 4), 'blocks': (1, 1), 'width': 8}
RNG = np.random.default_rng(0)
FACES = RNG.uniform(0, 1, (2, 9, 32, 32, 3)).astype(np.float32)
SOUND = RNG.normal(0, 3, (2, 9, 4, 64)).astype(np.float32)


@functools.cache
def towers():
  """A small model, compiled, with variables for it."""
  model = create_towers('poi', SMALL)
  return functools.partial(compiled(model.apply), random_variables(model, FACES, SOUND))


def embed(faces: np.ndarray, sound: np.ndarray):
  return towers()(faces, sound)


def test_the_full_network_has_the_parameters_of_two_resnet_50():
  """ResNet-50 without its last layer has 23,508,032, 9,408 of them in a stem of 3 colours: here of 75, and of one.

  Each has a last layer of 2048 x 256 and 256.
  """
  model = create_towers('poi', {})
  shapes = jax.eval_shape(model.init, jax.random.key(0), jnp.zeros((1, 75, 224, 224, 3)), jnp.zeros((1, 75, 4, 64)))
  counts = {
    name: sum(int(np.prod(leaf.shape)) for leaf in jax.tree.leaves(tower)) for name, tower in shapes['params'].items()
  }
  rest = 23_508_032 - 9_408 + 2048 * 256 + 256
  assert counts == {'look': rest + 9_408 * 25, 'sound': rest + 9_408 // 3}
  assert sum(counts.values()) == 48_284_672


def test_a_clip_has_a_vector_of_length_one_for_each_sense():
  for found in embed(FACES, SOUND).values():
    assert found.shape == (2, 8)
    np.testing.assert_allclose(np.linalg.norm(found, axis=-1), 1, atol=1e-5)  # float32


def test_every_third_frame_is_seen():
  others = FACES.copy()
  others[:, [1, 2, 4, 5, 7, 8]] = 0
  np.testing.assert_array_equal(embed(others, SOUND)['look'], embed(FACES, SOUND)['look'])
  others[:, 3] = 0
  assert np.abs(embed(others, SOUND)['look'] - embed(FACES, SOUND)['look']).max() > 1e-3


def test_the_order_of_frames_and_of_sounds_matters():
  forward, backward = embed(FACES, SOUND), embed(FACES[:, ::-1], SOUND[:, ::-1])
  assert all(np.abs(forward[name] - backward[name]).max() > 1e-3 for name in forward)
