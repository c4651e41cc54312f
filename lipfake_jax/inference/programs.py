"""The program of a run's model, as converters to other formats read it: weights within, any number of clips, flat.

In: a run with its weights. Out: a function of clips, what it takes, and its jaxpr without calls. Next stages:
`onnx_ops` and `export_formats`.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import numpy as np
from jax import export
from jax.extend import core

from lipfake_jax.clips.features import FEATURES
from lipfake_jax.core.clip_spec import ClipSpec
from lipfake_jax.inference.parallel_eval import to_float
from lipfake_jax.inference.run import Run, read_input, read_model

Program = Callable[[jax.Array], jax.Array]

# Where an equation that calls another program keeps it.
CALLS = {
  'jit': 'jaxpr', 'pjit': 'jaxpr', 'closed_call': 'call_jaxpr', 'checkpoint': 'jaxpr',
  'custom_jvp_call': 'call_jaxpr', 'custom_vjp_call': 'call_jaxpr',
}  # fmt: skip
SAME = ('device_put', 'copy', 'optimization_barrier')  # what gives back what it is given
LARGEST = 1 << 16  # elements of a constant that is computed here though it is larger than what it is made of
PLANE = 4  # axes of what a convolution over height and width takes
FEWEST = 4  # frames of a clip where their number is free: models look at differences of the third order


def open_program(run: Run) -> Program:
  """What `run.score` computes, as a function of clips [B, ...] on one device."""
  model = read_model(run.meta)

  def program(clips: jax.Array) -> jax.Array:
    logits: Any = model.apply(run.variables, to_float(clips), False)
    return logits

  return program


def describe_entry(run: Run, program: Program) -> jax.ShapeDtypeStruct:
  """What a program takes: any number 'b' of clips, of any number 't' of frames from FEWEST on where it allows that."""
  feature, spec = FEATURES[read_input(run.meta)], ClipSpec(**run.meta['clip'])
  shape, dtype = feature.shape(spec), np.dtype(feature.dtype)
  if len(shape) > 1:
    free = jax.ShapeDtypeStruct(_name_sizes('b', 't', *shape[1:]), dtype)
    try:
      jax.eval_shape(program, free)
    except Exception:  # of many kinds, by what asks for the number
      pass
    else:
      return free
  return jax.ShapeDtypeStruct(_name_sizes('b', *shape), dtype)


def _name_sizes(*sizes: str | int) -> Sequence[Any]:
  return export.symbolic_shape(', '.join(map(str, sizes)), constraints=[f't >= {FEWEST}'] if 't' in sizes else [])


def flatten(function: Callable, *arguments: Any) -> core.ClosedJaxpr:
  """The program of a function with what it calls written out, constants computed, and all left out that it needs not.

  Of what differs by platform it has the form that is not for CPUs: one convolution, for which a runtime has a kernel,
  and not the shifted products that are faster in XLA. But of a convolution of more than two axes, which few runtimes
  have or do well, it has the products.
  """
  return _flatten(jax.make_jaxpr(function)(*arguments), arguments)


def needed(program: core.Jaxpr) -> list[core.JaxprEqn]:
  """The equations that reach an output, in their order."""
  wanted, kept = {variable for variable in program.outvars if not isinstance(variable, core.Literal)}, []
  for equation in reversed(program.eqns):
    if wanted.intersection(equation.outvars):
      kept.append(equation)
      wanted.update(variable for variable in equation.invars if not isinstance(variable, core.Literal))
  return kept[::-1]


def _flatten(program: core.ClosedJaxpr, arguments: Sequence[Any]) -> core.ClosedJaxpr:
  return jax.make_jaxpr(partial(_run, program.jaxpr, program.consts))(*arguments)


def _run(program: core.Jaxpr, constants: Sequence[Any], *inputs: Any) -> list[Any]:
  values = dict(zip((*program.constvars, *program.invars), (*constants, *inputs), strict=True))

  def read(variable: Any) -> Any:
    return variable.val if isinstance(variable, core.Literal) else values[variable]

  for equation in needed(program):
    found = _apply(equation, [read(variable) for variable in equation.invars])
    values.update(zip(equation.outvars, found, strict=True))
  return [read(variable) for variable in program.outvars]


def _apply(equation: core.JaxprEqn, inputs: list[Any]) -> list[Any]:
  name, params = equation.primitive.name, equation.params
  if name in SAME:
    return inputs
  if name == 'concatenate':
    inputs = [x for x in inputs if x.shape[params['dimension']] != 0]  # runtimes stumble over what is empty
  if name == 'platform_index':
    return [None]
  if name == 'cond' and inputs[0] is None:
    chosen = _choose(params['branches'])
    return _run(chosen.jaxpr, chosen.consts, *inputs[1:])
  if name in CALLS:
    called = params[CALLS[name]]
    return _run(*((called.jaxpr, called.consts) if isinstance(called, core.ClosedJaxpr) else (called, ())), *inputs)
  if name == 'scan':
    body = params['jaxpr']
    params = params | {'jaxpr': _flatten(body, [jax.ShapeDtypeStruct(x.shape, x.dtype) for x in body.in_avals])}
  functions, params = equation.primitive.get_bind_params(params)
  if not _is_constant(equation, inputs):
    found = equation.primitive.bind(*functions, *inputs, **params)
  else:
    with jax.ensure_compile_time_eval():
      found = equation.primitive.bind(*functions, *inputs, **params)
  return list(found) if equation.primitive.multiple_results else [found]


def _choose(branches: Sequence[core.ClosedJaxpr]) -> core.ClosedJaxpr:
  """Of the forms of `jax.lax.platform_dependent`, of which the one for CPUs comes first and the default last."""
  first, *_, last = branches
  deep = any(
    equation.primitive.name == 'conv_general_dilated' and equation.invars[0].aval.ndim > PLANE
    for equation in last.jaxpr.eqns
  )
  return first if deep else last


def _is_constant(equation: core.JaxprEqn, inputs: Sequence[Any]) -> bool:
  """Whether it can be computed here, once, and is no mere repetition of something smaller."""
  kinds: list[Any] = [variable.aval for variable in equation.outvars]
  shapes = [kind.shape for kind in kinds]
  symbolic = equation.primitive.name == 'dim_as_value' or not all(isinstance(n, int) for s in shapes for n in s)
  if symbolic or any(isinstance(x, jax.core.Tracer) for x in inputs):
    return False
  made, given = sum(map(math.prod, shapes)), sum(np.size(x) for x in inputs)
  return made <= max(given, LARGEST)
