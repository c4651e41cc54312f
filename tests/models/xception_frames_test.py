"""Xception against Keras' own with the same weights, and that its frames are scored one by one."""

import os

import numpy as np
import pytest

from lipfake_jax.models import create_model
from lipfake_jax.models.xception_frames import Xception, depthwise, depthwise_by_products
from tests.models.model_checks import Small, compiled, count_parameters, random_clips, random_variables

SMALL = {'stem': (4, 4), 'entry': (6,), 'middle': 1, 'exit': (8, 8, 12)}


@pytest.fixture(scope='module')
def small():
  return Small('xception_frames', SMALL, (4, 20, 20, 3))


@pytest.mark.slow
def test_parameter_count():
  """Keras counts 54,528 batch statistics among its parameters; 2,049 are the last layer's."""
  total = count_parameters(create_model('xception_frames', {}), (60, 64, 64, 3))
  assert total == 20_861_480 - 54_528 + 2_049


def test_depthwise_as_products():
  rng = np.random.default_rng(0)
  x, kernel = rng.normal(size=(2, 5, 6, 4)).astype('f4'), rng.normal(size=(3, 3, 4, 1)).astype('f4')
  np.testing.assert_allclose(depthwise_by_products(x, kernel), depthwise(x, kernel), atol=1e-5)


@pytest.mark.slow
def test_equals_keras_with_the_same_weights():
  """At full size, on frames of 71x71, the least that Keras takes; pairs of layers by the order they are made in."""
  os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
  import keras

  theirs = keras.applications.Xception(weights=None, include_top=False, pooling='avg', input_shape=(71, 71, 3))
  assert theirs.count_params() == 20_861_480
  full = create_model('xception_frames', {})
  ours = Xception(full.stem, full.entry, full.middle, full.exit, full.momentum)
  frames = 2 * random_clips((2, 71, 71, 3)) - 1
  variables = random_variables(ours, frames, False)
  p, stats = variables['params'], variables['batch_stats']
  for layer in theirs.layers:
    name = our_name(layer, theirs)
    if isinstance(layer, keras.layers.BatchNormalization):
      layer.set_weights([p[name]['scale'], p[name]['bias'], stats[name]['mean'], stats[name]['var']])
    elif isinstance(layer, keras.layers.SeparableConv2D):
      layer.set_weights([p[name]['depthwise'], p[name]['pointwise']['kernel']])
    elif isinstance(layer, keras.layers.Conv2D):
      layer.set_weights([p[name]['kernel']])
  expected = theirs(frames, training=False).numpy()
  features = compiled(lambda variables, frames: ours.apply(variables, frames, False))(variables, frames)
  assert np.abs(expected[0] - expected[1]).max() > 1e-2 * np.abs(expected).max()  # they do depend on the input
  np.testing.assert_allclose(features, expected, atol=1e-4 * np.abs(expected).max())


def our_name(layer, model) -> str:
  """'block7_sepconv2_bn' is 'middle3_conv2_norm'; the shortcuts' layers have numbers alone, in order."""
  blocks = {1: '', 2: 'entry1_', 3: 'entry2_', 4: 'entry3_', 13: 'exit_', 14: 'exit_'}
  blocks |= {number: f'middle{number - 4}_' for number in range(5, 13)}
  if not layer.name.startswith('block'):
    same = [other for other in model.layers if type(other) is type(layer) and not other.name.startswith('block')]
    norm = '_norm' if 'batch' in layer.name else ''
    return f'{["entry1", "entry2", "entry3", "exit"][same.index(layer)] if layer in same[:4] else ""}_shortcut{norm}'
  block, kind, *rest = layer.name.split('_')
  number = int(kind[-1]) + (2 if block == 'block14' else 0) if kind[-1].isdigit() else 0
  return f'{blocks[int(block[5:])]}conv{number}{"_norm" if rest == ["bn"] else ""}'


@pytest.mark.slow
def test_frames_are_scored_alone(small):
  small.check_frames_are_scored_alone()


@pytest.mark.slow
def test_momentum_is_that_of_all_batch_statistics(small):
  small.check_momentum()


@pytest.mark.slow
def test_padding_stays_out_of_batch_statistics(small):
  small.check_padding_in_training(2)


@pytest.mark.slow
def test_dropout_is_for_training(small):
  small.check_dropout()


@pytest.mark.slow
def test_low_precision(small):
  small.check_low_precision()
