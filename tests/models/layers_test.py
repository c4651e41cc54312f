"""The shared layers: the two forms of the 3D convolution, and means over unpadded frames."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lipfake_jax.models.layers import Conv3d, conv_3d, conv_frames, conv_side_by_side, mean_over_time


@pytest.mark.parametrize('stride', [1, 2])
def test_frames_side_by_side_are_a_3d_convolution(stride):
  rng = np.random.default_rng(0)
  x, kernel = rng.normal(size=(2, 6, 9, 8, 3)).astype('f4'), rng.normal(size=(3, 5, 3, 3, 4)).astype('f4')
  np.testing.assert_allclose(conv_side_by_side(x, kernel, stride), conv_3d(x, kernel, stride), atol=1e-4)


@pytest.mark.parametrize(('size', 'kernel', 'strides'), [((2, 2), 3, (1, 1)), ((1, 4), 5, (2, 2)), ((1, 1), 3, (1, 2))])
@pytest.mark.parametrize('padding', ['SAME', 'half'])
def test_frames_smaller_than_the_kernel(size, kernel, strides, padding):
  rng = np.random.default_rng(0)
  x, weights = rng.normal(size=(3, *size, 2)).astype('f4'), rng.normal(size=(kernel, kernel, 2, 4)).astype('f4')
  settings = {'dimension_numbers': ('NHWC', 'HWIO', 'NHWC')}
  padding = [(kernel // 2, kernel // 2)] * 2 if padding == 'half' else padding
  expected = jax.lax.conv_general_dilated(x, weights, strides, padding, **settings)
  np.testing.assert_allclose(conv_frames(x, weights, strides, padding, **settings), expected, atol=1e-5)


def test_conv3d_sees_half_its_kernel_to_each_side():
  conv = Conv3d(1, (5, 3, 1), use_bias=False)
  clip = jnp.zeros((1, 9, 9, 9, 1)).at[0, 4, 4, 4].set(1)
  seen = conv.apply({'params': {'kernel': jnp.ones((5, 3, 1, 1, 1))}}, clip)
  assert [tuple(np.unique(axis)) for axis in np.nonzero(seen)[1:4]] == [(2, 3, 4, 5, 6), (3, 4, 5), (4,)]


def test_mean_over_time_leaves_padding_out():
  x = jnp.arange(8.0).reshape(2, 4, 1)
  assert mean_over_time(x, None).tolist() == [[1.5], [5.5]]
  mask = jnp.array([[True, True, False, False], [True, True, True, True]])
  assert jax.jit(mean_over_time)(x, mask).tolist() == [[0.5], [5.5]]
