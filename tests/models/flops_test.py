import jax
import jax.numpy as jnp

from lipfake_jax.models import create_model
from lipfake_jax.models.flops import count_flops


def test_a_product_a_convolution_and_a_loop():
  """2 x 3 x 4 x 5 for the product; 6 x 6 outputs of 8 channels, 3 x 3 x 2 inputs each; seven products in the loop."""
  left, right = jnp.ones((3, 4)), jnp.ones((4, 5))
  assert count_flops(jnp.matmul, left, right) == 2 * 3 * 4 * 5
  assert count_flops(jax.vmap(jnp.matmul, (0, None)), jnp.ones((6, 3, 4)), right) == 6 * 2 * 3 * 4 * 5

  def convolve(x, kernel):
    return jax.lax.conv_general_dilated(x, kernel, (1, 1), 'VALID', dimension_numbers=('NHWC', 'HWIO', 'NHWC'))

  assert count_flops(convolve, jnp.ones((1, 8, 8, 2)), jnp.ones((3, 3, 2, 8))) == 2 * 6 * 6 * 8 * 3 * 3 * 2

  def loop(square):
    return jax.lax.scan(lambda x, _: (x @ square, None), square, None, length=7)

  assert count_flops(jax.jit(loop), jnp.ones((4, 4))) == 7 * 2 * 4 * 4 * 4


def test_the_papers_model():
  """Layer by layer, of 60 frames: two convolutions, the projection, the recurrent product; the dense head."""
  frame = 62 * 62 * 32 * 27 + 29 * 29 * 64 * 288 + 12544 * 512 + 128 * 512
  model, clip = create_model('cnn_lstm', {}), jnp.zeros((1, 60, 64, 64, 3))
  variables = jax.eval_shape(model.init, jax.random.key(0), clip)
  assert count_flops(model.apply, variables, clip) == 2 * (60 * frame + 128 * 128 + 128)
