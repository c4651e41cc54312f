"""R(2+1)D: its size as published, its split convolution in NumPy, its time axis and its masks."""

import numpy as np
import pytest

from lipfake_jax.models import create_model
from lipfake_jax.models.r2plus1d import SplitConv, channels_between
from tests.models.model_checks import Small, compiled, count_parameters, random_clips, random_variables

SMALL = {'stem': (3, 4), 'filters': (4, 6), 'blocks': (1, 1)}


@pytest.fixture(scope='module')
def small():
  return Small('r2plus1d', SMALL, (9, 16, 16, 3))


def test_parameter_count():
  """With 400 classes, 512 weights and a bias each, it is torchvision's."""
  total = count_parameters(create_model('r2plus1d', {}), (60, 64, 64, 3))
  assert total == 31_300_638
  assert total + 399 * 513 == 31_505_325


def test_channels_between():
  """As many as leave 3x3x3 convolutions their parameters, but for rounding down."""
  assert [channels_between(*pair) for pair in [(64, 64), (64, 128), (128, 128)]] == [144, 230, 288]
  assert 144 * (9 * 64 + 3 * 64) == 27 * 64 * 64


def test_split_convolution_in_numpy():
  conv = SplitConv(4, 5, (3, 3), (2, 2))
  x = random_clips((1, 5, 6, 6, 2))
  variables = random_variables(conv, x, False, None)
  p, stats = variables['params'], variables['batch_stats']['norm']
  wide = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1), (0, 0)))
  taps = [(row, column) for row in range(3) for column in range(3)]
  y = sum(wide[:, :, r : r + 6 : 2, c : c + 6 : 2] @ p['space']['kernel'][r, c] for r, c in taps)
  y = (y - stats['mean']) / np.sqrt(stats['var'] + 1e-5) * p['norm']['scale'] + p['norm']['bias']
  long = np.pad(np.maximum(y, 0), ((0, 0), (1, 1), (0, 0), (0, 0), (0, 0)))
  expected = sum(long[:, t : t + 5 : 2] @ p['time']['kernel'][t, 0] for t in range(3))
  ours = compiled(lambda variables, x: conv.apply(variables, x, False, None))(variables, x)
  assert ours.shape == (1, 3, 3, 3, 5)
  np.testing.assert_allclose(ours, expected, atol=1e-5)


@pytest.mark.slow
def test_the_order_of_frames_matters(small):
  small.check_time_matters()


@pytest.mark.slow
@pytest.mark.parametrize('short', [4, 5])
def test_a_padded_clip_gives_what_the_shorter_one_does(small, short):
  """With a stride in time too: every second frame is the middle of a kernel, from the first on."""
  small.check_padding(short)


@pytest.mark.slow
def test_padding_stays_out_of_batch_statistics(small):
  small.check_padding_in_training(5)


@pytest.mark.slow
def test_low_precision(small):
  small.check_low_precision()
