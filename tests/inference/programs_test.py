"""Flat programs: what is written out, chosen, computed beforehand and left out."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.extend import core

from lipfake_jax.inference.programs import flatten
from lipfake_jax.models.layers import Conv3d
from tests.models.model_checks import random_variables


def primitives(function, *arguments) -> list[str]:
  return [equation.primitive.name for equation in flatten(function, *arguments).jaxpr.eqns]


def test_calls_are_written_out():
  """Also those within a loop's body."""
  relu = jax.jit(jax.nn.relu)
  assert primitives(relu, np.ones(3)) == ['max']
  flat = flatten(lambda x: lax.scan(lambda total, now: (total + relu(now), None), 0.0, x)[0], np.ones(3))
  [loop] = [equation for equation in flat.jaxpr.eqns if equation.primitive.name == 'scan']
  assert [equation.primitive.name for equation in loop.params['jaxpr'].jaxpr.eqns] == ['max', 'add']


def test_constants_are_computed_and_what_is_not_needed_is_left_out():
  def function(x):
    jnp.sort(x)
    return x + jnp.exp(jnp.zeros(3)) * 2

  flat = flatten(function, np.ones(3, np.float32))
  assert [equation.primitive.name for equation in flat.jaxpr.eqns] == ['add']
  assert [np.asarray(constant).tolist() for constant in flat.consts] == [[2, 2, 2]]


def test_a_repetition_is_no_constant():
  """A bias laid out for every pixel would make a file as large as its clips."""
  names = primitives(lambda x: x + jnp.broadcast_to(np.ones(2), x.shape), np.ones((1, 200, 200, 2), np.float32))
  assert names == ['broadcast_in_dim', 'add']


def test_of_forms_by_platform_the_one_that_is_not_for_cpus_is_taken():
  def function(x):
    return lax.platform_dependent(x, cpu=lambda x: x + 1, default=lambda x: x * 2)

  assert primitives(function, np.ones(3)) == ['mul']
  assert core.jaxpr_as_fun(flatten(function, np.ones(3)))(np.ones(3))[0].tolist() == [2, 2, 2]


def test_a_convolution_over_time_too_is_taken_as_one_over_height_and_width():
  layer, x = Conv3d(2, (3, 3, 3)), np.ones((1, 4, 6, 6, 2), np.float32)
  variables = random_variables(layer, x)
  flat = flatten(lambda x: layer.apply(variables, x), x)
  [convolution] = [equation for equation in flat.jaxpr.eqns if equation.primitive.name == 'conv_general_dilated']
  assert convolution.invars[0].aval.shape == (4, 6, 6, 6)  # three frames side by side
