"""How much arithmetic a function does, counted in its program."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.extend import core


def count_flops(function: Callable, *arguments: Any) -> int:
  """Floating-point operations of the convolutions and matrix products of `function(*arguments)`, two a multiplication.

  What a loop does counts as often as it does it; of what differs by platform the dearest form counts. Everything else,
  such as pooling, is left out: in these models it is little.
  """
  return _count(jax.make_jaxpr(function)(*arguments).jaxpr)


def _count(program: core.Jaxpr) -> int:
  return sum(_count_equation(equation) for equation in program.eqns)


def _count_equation(equation: core.JaxprEqn) -> int:
  name = equation.primitive.name
  shapes: list[Any] = [getattr(variable.aval, 'shape', ()) for variable in (*equation.outvars[:1], *equation.invars)]
  if name == 'conv_general_dilated':
    output, _, kernel, *_ = shapes
    features = kernel[equation.params['dimension_numbers'].rhs_spec[0]]
    return 2 * int(np.prod(output)) * int(np.prod(kernel)) // features
  if name == 'dot_general':
    (contracted, _), _ = equation.params['dimension_numbers']
    output, left, *_ = shapes
    return 2 * int(np.prod(output)) * int(np.prod([left[axis] for axis in contracted]))
  inner = [_count(program) for program in _programs(equation.params)]
  return max(inner, default=0) if name == 'cond' else sum(inner) * equation.params.get('length', 1)


def _programs(params: dict[str, Any]) -> list[core.Jaxpr]:
  """The programs that an equation calls."""
  values = [item for value in params.values() for item in (value if isinstance(value, tuple | list) else (value,))]
  closed = [value.jaxpr if isinstance(value, core.ClosedJaxpr) else value for value in values]
  return [value for value in closed if isinstance(value, core.Jaxpr)]
