"""Depthwise convolutions as shifted products against XLA's grouped one, with gradients."""

import jax
import numpy as np
import pytest

from lipfake_jax.models.depthwise import _grouped, add_bias, depthwise, depthwise_by_products, pads
from tests.models.model_checks import compiled


@pytest.mark.parametrize(('size', 'stride', 'side'), [(3, 1, 8), (3, 2, 8), (3, 2, 7), (5, 1, 9), (5, 2, 8), (5, 2, 7)])
def test_equals_the_grouped_convolution(size, stride, side):
  """Values and both gradients, of frames that are no squares; sums of 25 and of 60 products differ a little."""
  rng = np.random.default_rng(0)
  x = rng.normal(size=(2, side, side + 2, 3)).astype('f4')
  kernel = rng.normal(size=(size, size, 3)).astype('f4')

  def loss(x, kernel, convolve):
    y = convolve(x, kernel, stride)
    return (y * np.cos(np.arange(y.size)).reshape(y.shape)).sum()

  values = [compiled(convolve, static_argnums=2)(x, kernel, stride) for convolve in (depthwise_by_products, _grouped)]
  np.testing.assert_allclose(*values, atol=1e-5, rtol=1e-5)
  gradient = compiled(jax.grad(loss, (0, 1)), static_argnums=2)
  ours, theirs = (gradient(x, kernel, convolve) for convolve in (depthwise, _grouped))
  for a, b in zip(ours, theirs, strict=True):
    assert a.shape == b.shape
    np.testing.assert_allclose(a, b, atol=1e-4)


def test_padding_is_tensorflows():
  """Of an even side and stride 2, three taps want one zero, at the end; five want one before and two after."""
  assert [pads(8, 3, 2), pads(8, 5, 2), pads(7, 3, 2), pads(8, 3, 1)] == [(0, 1), (1, 2), (1, 1), (1, 1)]


def test_bias_and_its_gradient():
  x, bias = np.ones((2, 3, 4), 'f4'), np.arange(4, dtype='f4')
  np.testing.assert_array_equal(add_bias(x, bias)[1, 2], [1, 2, 3, 4])
  weights = np.arange(24, dtype='f4').reshape(2, 3, 4)
  gradients = jax.grad(lambda x, bias: (weights * add_bias(x, bias)).sum(), (0, 1))(x, bias)
  np.testing.assert_array_equal(gradients[0], weights)
  np.testing.assert_array_equal(gradients[1], weights.sum((0, 1)))
