"""The CNN-GRU against the same layers in Keras, and what its time axis and masks do."""

import os

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lipfake_jax.models import create_model
from lipfake_jax.models.cnn_gru import Gru
from tests.models.model_checks import Small, count_parameters, random_clips, random_variables

SMALL = {'filters': (4, 8), 'units': 16, 'hidden': 8}


@pytest.fixture(scope='module')
def small():
  return Small('cnn_gru', SMALL, (8, 14, 14, 3))


def test_parameter_count():
  """Encoder 19,392; GRU 3 * 128 * (12544 + 128 + 2); head 16,512 + 129."""
  assert count_parameters(create_model('cnn_gru', {}), (60, 64, 64, 3)) == 4_902_849


@pytest.mark.slow
def test_equals_keras_with_the_same_weights():
  os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
  import keras
  from keras import layers

  frame = keras.Sequential(
    [
      layers.Conv2D(4, 3, activation='relu'),
      layers.MaxPooling2D(2),
      layers.Conv2D(8, 3, activation='relu'),
      layers.MaxPooling2D(2),
      layers.Flatten(),
    ]
  )
  gru = layers.GRU(16, dropout=0.3, recurrent_dropout=0.3)
  head = [layers.Dense(8, activation='relu'), layers.Dropout(0.5), layers.Dense(1)]
  theirs = keras.Sequential([keras.Input((9, 20, 20, 3)), layers.TimeDistributed(frame), gru, *head])
  rng = np.random.default_rng(1)
  for weight in theirs.weights:  # biases too, which would start at zero
    weight.assign(weight + rng.normal(0, 0.1, weight.shape))
  w = [np.asarray(v) for v in theirs.get_weights()]
  params = {
    'encoder': {'conv1': {'kernel': w[0], 'bias': w[1]}, 'conv2': {'kernel': w[2], 'bias': w[3]}},
    'gru': {
      'input': {'kernel': w[4], 'bias': w[6][0]},
      'cell': {'recurrent': {'kernel': w[5], 'bias': w[6][1]}},
    },
    'dense': {'kernel': w[7], 'bias': w[8]},
    'logit': {'kernel': w[9], 'bias': w[10]},
  }
  clips = random_clips((3, 9, 20, 20, 3))
  ours = create_model('cnn_gru', SMALL).apply({'params': params}, clips, False)
  expected = theirs(clips, training=False).numpy()[:, 0]
  assert np.ptp(expected) > 1e-3  # the outputs do depend on the input
  np.testing.assert_allclose(ours, expected, atol=1e-5)


def test_dropout_draws_one_mask_a_sequence_and_leaves_the_kept_state_whole():
  gru = Gru(4, dropout=0.5, recurrent_dropout=0.0)
  sequence = jnp.ones((1, 6, 32))
  params = random_variables(gru, sequence, False)
  key = {'dropout': jax.random.key(3)}
  dropped, seen = gru.apply(params, sequence, True, rngs=key, capture_intermediates=True)
  projected = seen['intermediates']['input']['__call__'][0]
  np.testing.assert_array_equal(projected, np.repeat(np.asarray(projected)[:, :1], 6, axis=1))
  assert not np.allclose(dropped, gru.apply(params, sequence, False))
  # An update gate that is shut keeps the state: recurrent dropout, which acts on the product alone, must not thin it.
  shut = jax.tree.map(jnp.zeros_like, params)['params']
  shut['input']['kernel'] = shut['input']['kernel'].at[0, :4].set(-50).at[1, :4].set(100).at[0, 8:].set(1)
  steps = jnp.zeros((1, 6, 32)).at[:, :, 0].set(1).at[:, 1:, 1].set(1)
  recurrent = Gru(4, dropout=0.0, recurrent_dropout=0.5)
  state = recurrent.apply({'params': shut}, steps, True, rngs=key)
  np.testing.assert_allclose(state, np.full((1, 4), np.tanh(1)), atol=1e-6)


@pytest.mark.slow
def test_the_order_of_frames_matters(small):
  small.check_time_matters()


@pytest.mark.slow
def test_a_padded_clip_gives_what_the_shorter_one_does(small):
  small.check_padding(5)


@pytest.mark.slow
def test_low_precision(small):
  small.check_low_precision()
