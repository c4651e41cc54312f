"""The paper's model against the same layers in Keras, and what its time axis and dropout do."""

import dataclasses
import os

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from configs import default
from lipfake_jax.core.errors import UserError
from lipfake_jax.models import MODELS, create_model
from lipfake_jax.models.cnn_lstm import Lstm, forget_bias, max_pool_2x2
from tests.models.model_checks import Small, compiled, random_variables

SMALL = {'filters': (4, 8), 'units': 16, 'hidden': 8}


def random_clips(shape, seed=0):
  return np.random.default_rng(seed).uniform(0, 1, shape).astype(np.float32)


def test_the_papers_parameter_count():
  model = create_model('cnn_lstm', {})
  shapes = jax.eval_shape(model.init, jax.random.key(0), jnp.zeros((1, 60, 64, 64, 3)))
  assert sum(np.prod(leaf.shape) for leaf in jax.tree.leaves(shapes)) == 6_524_609


@pytest.mark.slow
def test_equals_keras_with_the_same_weights():
  """At full size. 1e-5 is a few float32 roundings of logits of order one through 12,544-term sums."""
  os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
  import keras
  from keras import layers

  frame = keras.Sequential(
    [
      layers.Conv2D(32, 3, activation='relu'),
      layers.MaxPooling2D(2),
      layers.Conv2D(64, 3, activation='relu'),
      layers.MaxPooling2D(2),
      layers.Flatten(),
    ]
  )
  lstm = layers.LSTM(128, dropout=0.3, recurrent_dropout=0.3)
  head = [layers.Dense(128, activation='relu'), layers.Dropout(0.5), layers.Dense(1)]
  theirs = keras.Sequential([keras.Input((60, 64, 64, 3)), layers.TimeDistributed(frame), lstm, *head])
  assert theirs.count_params() == 6_524_609
  rng = np.random.default_rng(1)
  for weight in theirs.weights:  # biases too, which would start at zero
    weight.assign(weight + rng.normal(0, 0.02, weight.shape))
  w = [np.asarray(v) for v in theirs.get_weights()]
  params = {
    'encoder': {'conv1': {'kernel': w[0], 'bias': w[1]}, 'conv2': {'kernel': w[2], 'bias': w[3]}},
    'lstm': {'input': {'kernel': w[4], 'bias': w[6]}, 'cell': {'recurrent': {'kernel': w[5]}}},
    'dense': {'kernel': w[7], 'bias': w[8]},
    'logit': {'kernel': w[9], 'bias': w[10]},
  }
  clips = random_clips((2, 60, 64, 64, 3))
  ours = compiled(create_model('cnn_lstm', {}).apply)({'params': params}, clips)
  expected = theirs(clips, training=False).numpy()[:, 0]
  assert abs(expected[0] - expected[1]) > 1e-4  # the outputs do depend on the input
  np.testing.assert_allclose(ours, expected, atol=1e-5)


def test_the_order_of_frames_matters():
  small = Small('cnn_lstm', SMALL, (8, 16, 16, 3))
  forward, backward = (small.forward(small.variables, clips) for clips in (small.clips, small.clips[:, ::-1]))
  assert np.abs(forward - backward).max() > 1e-4


@pytest.mark.slow
def test_a_padded_clip_gives_what_the_shorter_one_does():
  Small('cnn_lstm', SMALL, (8, 14, 14, 3)).check_padding(5)


def test_frames_share_one_encoder():
  model, clips = create_model('cnn_lstm', SMALL), random_clips((1, 8, 16, 16, 3))
  short, long = (jax.eval_shape(model.init, jax.random.key(0), clips[:, :frames]) for frames in (2, 8))
  assert short == long


def test_dropout_is_for_training_only():
  model, clips = create_model('cnn_lstm', SMALL), random_clips((1, 8, 16, 16, 3))
  params = random_variables(model, clips)
  draw = compiled(lambda key: model.apply(params, clips, True, rngs={'dropout': key})[0])
  assert len({float(draw(jax.random.key(k))) for k in range(4)}) == 4
  assert model.apply(params, clips) == model.apply(params, clips, False)


def test_lstm_dropout_draws_one_mask_a_sequence():
  """As in Keras. With no recurrence, equal inputs at all steps give equal projections: a mask a step would not."""
  lstm = Lstm(4, dropout=0.5, recurrent_dropout=0.0)
  sequence = jnp.ones((1, 6, 32))
  params = random_variables(lstm, sequence, False)
  dropped, seen = lstm.apply(params, sequence, True, rngs={'dropout': jax.random.key(3)}, capture_intermediates=True)
  projected = seen['intermediates']['input']['__call__'][0]
  np.testing.assert_array_equal(projected, np.repeat(np.asarray(projected)[:, :1], 6, axis=1))
  assert not np.allclose(dropped, lstm.apply(params, sequence, False))


def test_recurrent_dropout_acts_on_the_state():
  lstm = Lstm(4, dropout=0.0, recurrent_dropout=0.5)
  sequence = jnp.ones((1, 6, 3))
  params = random_variables(lstm, sequence, False)
  draw = compiled(lambda sequence, key: lstm.apply(params, sequence, True, rngs={'dropout': key}))
  draws = [draw(sequence, jax.random.key(k)) for k in range(4)]
  assert any(not np.allclose(draws[0], other) for other in draws[1:])
  one_step = [draw(sequence[:, :1], jax.random.key(k)) for k in range(4)]
  for other in one_step[1:]:  # the first step has no state to drop
    np.testing.assert_array_equal(one_step[0], other)


def test_forget_gate_starts_open():
  assert forget_bias(jax.random.key(0), (8,)).tolist() == [0, 0, 1, 1, 0, 0, 0, 0]


def test_max_pool_drops_an_odd_border():
  x = jnp.arange(25.0).reshape(1, 5, 5, 1)
  assert max_pool_2x2(x)[0, :, :, 0].tolist() == [[6, 8], [16, 18]]


def test_low_precision_keeps_float32_parameters_and_logits():
  model, clips = create_model('cnn_lstm', SMALL, jnp.bfloat16), random_clips((1, 8, 16, 16, 3))
  params = compiled(model.init)(jax.random.key(0), clips)
  assert {leaf.dtype for leaf in jax.tree.leaves(params)} == {jnp.dtype(jnp.float32)}
  logits = compiled(model.apply)(params, clips)
  assert logits.dtype == jnp.float32
  exact = compiled(create_model('cnn_lstm', SMALL).apply)(params, clips)
  np.testing.assert_allclose(logits, exact, atol=0.03)  # bfloat16 has 8 bits
  assert logits != exact


def test_the_default_config_has_the_arguments_of_every_model():
  config = default.get_config().model
  for name, module in MODELS.items():
    fields = {field.name: field.default for field in dataclasses.fields(module)}
    assert config[name].to_dict() == {k: v for k, v in fields.items() if k not in ('dtype', 'parent', 'name')}, name


def test_unknown_names_are_told():
  with pytest.raises(UserError, match='choose one of cnn_lstm'):
    create_model('lstm', {})
  with pytest.raises(UserError, match='unknown unit; it has dropout, filters'):
    create_model('cnn_lstm', {'unit': 3})
