"""CLRNet: its convolutional LSTM in NumPy and in Keras, its blocks, its time axis and its masks."""

import os

import numpy as np
import pytest

from lipfake_jax.models import create_model
from lipfake_jax.models.clrnet import ConvLstm, hard_sigmoid
from lipfake_jax.training.losses import l2_penalty
from tests.models.model_checks import Small, compiled, count_parameters, random_clips, random_variables

SMALL = {'filters': 4, 'blocks': (2,)}


@pytest.fixture(scope='module')
def small():
  return Small('clrnet', SMALL, (5, 24, 24, 3))


def lstm_parameters(kernel, inputs, filters):
  return 4 * filters * (kernel**2 * (inputs + filters) + 1)


def block_parameters(inputs, filters, first, kernel=1, before=True):
  """Three convolutional LSTMs, their batch normalizations, and the shortcut's of a first block."""
  layers = lstm_parameters(kernel, inputs, filters) + lstm_parameters(3, filters, filters)
  layers += lstm_parameters(1, filters, 4 * filters) + 2 * (inputs * before + 2 * filters)
  return layers + (lstm_parameters(1, inputs, 4 * filters) + 8 * filters if first else 0)


@pytest.mark.slow
def test_parameter_count():
  total = lstm_parameters(7, 3, 64) + 2 * 64 + block_parameters(64, 64, True, kernel=3, before=False)
  inputs = 256
  for filters, blocks in [(64, 2), (128, 4), (256, 6), (512, 3)]:
    for number in range(blocks):
      total += block_parameters(inputs, filters, first=filters > 64 and not number)
      inputs = 4 * filters
  total += 2 * 2048 + 2049
  assert count_parameters(create_model('clrnet', {}), (5, 64, 64, 3)) == total == 248_105_345


def test_convolutional_lstm_in_numpy():
  lstm, x = ConvLstm(2, 3), random_clips((1, 3, 4, 5, 3))
  variables = random_variables(lstm, x)
  p = variables['params']

  def convolve(frame, kernel):
    wide = np.pad(frame, ((1, 1), (1, 1), (0, 0)))
    return sum(wide[r : r + 4, c : c + 5] @ kernel[r, c] for r in range(3) for c in range(3))

  hidden, cell, expected = np.zeros((4, 5, 2)), np.zeros((4, 5, 2)), []
  for frame in x[0]:
    gates = (
      convolve(frame, p['input']['kernel']) + p['input']['bias'] + convolve(hidden, p['cell']['recurrent']['kernel'])
    )
    i, f, g, o = np.split(gates, 4, axis=-1)
    cell = np.clip(f / 5 + 0.5, 0, 1) * cell + np.clip(i / 5 + 0.5, 0, 1) * np.tanh(g)
    hidden = np.clip(o / 5 + 0.5, 0, 1) * np.tanh(cell)
    expected.append(hidden)
  ours = compiled(lstm.apply)(variables, x)
  np.testing.assert_allclose(ours[0], expected, atol=1e-5)


def test_hard_sigmoid():
  assert hard_sigmoid(np.float32([-3, -2.5, 0, 1, 2.5, 9])).tolist() == pytest.approx([0, 0, 0.5, 0.7, 1, 1])


@pytest.mark.slow
@pytest.mark.parametrize(('kernel', 'stride'), [(3, 1), (7, 2), (1, 2)])
def test_convolutional_lstm_equals_keras(kernel, stride):
  os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
  import keras

  theirs = keras.layers.ConvLSTM2D(
    4,
    kernel,
    stride,
    padding='same',
    return_sequences=True,
    recurrent_activation=lambda x: keras.ops.clip(x / 5 + 0.5, 0, 1),
  )
  ours, x = ConvLstm(4, kernel, stride), random_clips((2, 4, 10, 9, 3))
  variables = random_variables(ours, x)
  p = variables['params']
  theirs.build(x.shape)
  theirs.set_weights([p['input']['kernel'], p['cell']['recurrent']['kernel'], p['input']['bias']])
  np.testing.assert_allclose(compiled(ours.apply)(variables, x), theirs(x).numpy(), atol=1e-5)


@pytest.mark.slow
def test_penalty_is_on_the_input_kernels(small):
  """Of the stem, of four layers in the first block and of three in the other."""
  assert len(small.model.l2_kernels) == 1 + 4 + 3
  assert l2_penalty(small.variables['params'], small.model.l2_kernels) > 0


@pytest.mark.slow
def test_the_order_of_frames_matters(small):
  small.check_time_matters()


@pytest.mark.slow
def test_a_padded_clip_gives_what_the_shorter_one_does(small):
  small.check_padding(3)


@pytest.mark.slow
def test_momentum_is_that_of_all_batch_statistics(small):
  small.check_momentum()


@pytest.mark.slow
def test_padding_stays_out_of_batch_statistics(small):
  small.check_padding_in_training(3)


@pytest.mark.slow
def test_low_precision(small):
  small.check_low_precision()
