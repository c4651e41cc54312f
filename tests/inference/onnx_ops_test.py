"""Programs of JAX as ONNX graphs: what ONNX Runtime makes of them is what JAX does, for sizes that it learns late."""

import jax
import jax.numpy as jnp
import numpy as np
import onnxruntime
import pytest
from jax import export, lax

from lipfake_jax.core.errors import UserError
from lipfake_jax.inference.export_formats import ENTRY, to_onnx

# One rounding of float32 sums of a few numbers of order one.
CLOSE = {'rtol': 1e-5, 'atol': 1e-6}
KERNEL = np.linspace(-1, 1, 3 * 3 * 2 * 4, dtype=np.float32).reshape(3, 3, 2, 4)
TIMES = np.arange(3, dtype=np.float32)


def lstm_like(x):
  """A loop that reads something from outside, keeps two states, and gives something at every step."""

  def step(carry, now):
    total, count = carry
    return (total * TIMES + now, count + 1), total.sum(-1)

  (total, count), sums = lax.scan(step, (jnp.zeros((x.shape[0], 3)), jnp.zeros(())), x.swapaxes(0, 1))
  return total.sum(-1) + count + sums.sum(0)


def convolved(x, padding='SAME', **settings):
  numbers = ('NHWC', 'HWIO', 'NHWC')
  return lax.conv_general_dilated(x, KERNEL, (2, 1), padding, dimension_numbers=numbers, **settings)


FUNCTIONS = {
  'elements': (lambda x: lax.rsqrt(x * x + 1) + jnp.tanh(x) / (1 + jnp.exp(-x)) - jax.nn.sigmoid(x), (3,)),
  'powers': (lambda x: x**3 + lax.square(x) + jnp.sqrt(jnp.abs(x)) + lax.erf(x), (3,)),
  'choices': (lambda x: jnp.where((x > 0) & (x != 1) | ~(x < 0.5), jnp.clip(x, -1, 1), jnp.minimum(x, 0)), (3,)),
  'integers': (lambda x: (x.astype(jnp.int32) % 3 + jnp.arange(3) // 2).astype(jnp.float32), (3,)),
  'axes': (lambda x: jnp.moveaxis(x, 1, 2)[:, :, None].squeeze(2).reshape(x.shape[0], -1), (2, 3)),
  'a row and a column': (lambda x: x + TIMES[:2, None] * x[:, :, :1] + jnp.ones((x.shape[0], 1, 3)), (2, 3)),
  'parts': (lambda x: jnp.concatenate([*jnp.split(x, 2, axis=-1), x[:, 1:3], x[:, ::2]], axis=-1), (4,)),
  'padding': (lambda x: jnp.pad(x, ((0, 0), (1, 2)), constant_values=7) + jnp.pad(x, ((0, 0), (2, 1)), 'edge'), (4,)),
  'reductions': (lambda x: x.mean((1, 2)) + x.max(-1).sum(-1) - x.min((1, 2)), (2, 3)),
  'a product': (lambda x: x @ TIMES + (x @ KERNEL[0, 0, :1].T[:3])[..., 0], (5, 3)),
  'a product of two': (lambda x: jnp.einsum('btf,bsf->bts', x, x), (4, 3)),
  'rows by number': (lambda x: x[:, np.array([2, 0, 1])] + jnp.take(x, jnp.arange(3)[::-1], axis=1), (3, 2)),
  'a grid': (lambda x: x[:, ::2, ::3], (4, 6)),
  'own rows': (lambda x: jnp.take_along_axis(x, ((jnp.arange(3) + (x[:, 0, :1] > 0)) % 3)[..., None], 1), (3, 2)),
  'a convolution': (convolved, (5, 4, 2)),
  'a convolution with holes': (lambda x: convolved(x, 'VALID', rhs_dilation=(1, 2)), (6, 7, 2)),
  'a convolution of each channel': (lambda x: convolved(jnp.concatenate([x, x], -1), feature_group_count=2), (5, 4, 2)),
  'largest of windows': (
    lambda x: lax.reduce_window(x, -jnp.inf, lax.max, (1, 3, 2, 1), (1, 2, 2, 1), 'SAME'),
    (5, 4, 2),
  ),
  'a loop': (lstm_like, (4, 3)),
}  # fmt: skip


def run_both(function, shape, rows: int, entry=None):
  """What JAX and ONNX Runtime make of the same clips, of a file that was made for any number of them."""
  if entry is None:
    entry = jax.ShapeDtypeStruct(export.symbolic_shape(f'b, {", ".join(map(str, shape))}'), np.float32)
  data = to_onnx(function, entry, shape, {'model': {'name': 'test'}})
  x = np.random.default_rng(0).normal(0, 2, (rows, *shape)).astype(np.float32)
  [found] = onnxruntime.InferenceSession(data, providers=['CPUExecutionProvider']).run(None, {ENTRY: x})
  return np.asarray(function(jnp.asarray(x))), found


@pytest.mark.parametrize('name', FUNCTIONS)
def test_a_graph_computes_what_the_program_does(name):
  expected, found = run_both(*FUNCTIONS[name], rows=2)
  assert found.shape == expected.shape
  np.testing.assert_allclose(found, expected, **CLOSE)


def test_every_size_may_come_late():
  """Of frames, too: their number is asked for, halved, counted and divided by."""

  def function(x):
    half = x[:, 1::2]
    return half.mean(1) + x[:, : half.shape[1]].sum(1) * jnp.arange(x.shape[1]).sum() + x[:, :-1].max(1)

  entry = jax.ShapeDtypeStruct(export.symbolic_shape('b, t, 3', constraints=['t >= 4']), np.float32)
  for times in (4, 7):
    expected, found = run_both(function, (times, 3), rows=3, entry=entry)
    np.testing.assert_allclose(found, expected, **CLOSE)


@pytest.mark.parametrize(
  ('function', 'what'),
  [
    (lambda x: jnp.sort(x), r'jax\.lax\.sort'),
    (lambda x: lax.conv_transpose(x[..., None, None], KERNEL[:, :, :1], (2, 2), 'SAME'), 'a transposed convolution'),
    (lambda x: lax.pad(x, np.float32(0), ((0, 0, 0), (0, 0, 1))), 'between elements'),
  ],
)
def test_what_has_no_translation_is_named(function, what):
  with pytest.raises(UserError, match=f'--to=onnx: the model uses .*{what}.*take --to=stablehlo'):
    run_both(function, (3,), rows=1)
