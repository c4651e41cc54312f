import jax.numpy as jnp
import numpy as np
import pytest

from lipfake_jax.training import losses


def test_cross_entropy_by_hand():
  logits, labels = jnp.array([0.0, np.log(3.0)]), jnp.array([1, 0])
  # p = 1/2 for a fake: log 2. p = 3/4 for a real: log 4.
  assert losses.cross_entropy(logits, labels, jnp.ones(2)) == pytest.approx(np.log(8) / 2)
  assert losses.cross_entropy(logits, labels, jnp.array([2.0, 0.0])) == pytest.approx(np.log(2))


def test_l2_is_the_sum_of_squares_of_the_named_kernels():
  params = {'a': {'kernel': jnp.array([1.0, 2.0]), 'bias': jnp.array([9.0])}, 'b': {'kernel': jnp.array([3.0])}}
  assert losses.l2_penalty(params, (('a', 'kernel'),)) == 5
  assert losses.l2_penalty(params, (('a', 'kernel'), ('b', 'kernel'))) == 14
