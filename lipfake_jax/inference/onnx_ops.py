"""A flat program of JAX as nodes of an ONNX graph: one small function for each of JAX's primitives that models use.

In: a jaxpr of `programs.flatten`. Out: the nodes, in a `Graph`. Next stage: `export_formats` makes a file of them. What
an operator does: onnx.ai/onnx/operators; what a primitive does: `jax.lax`.
"""

import string
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jax.extend import core
from onnx import helper

from lipfake_jax.core.errors import UserError
from lipfake_jax.inference.onnx_graph import Graph, Value, is_number
from lipfake_jax.inference.programs import needed

Equation = Any  # a `core.JaxprEqn`; that its variables have a shape and a type is not among JAX's annotations

# Primitives that work element by element and are one operator.
OPERATORS = {
  'add': 'Add', 'sub': 'Sub', 'mul': 'Mul', 'div': 'Div', 'max': 'Max', 'min': 'Min', 'neg': 'Neg', 'abs': 'Abs',
  'exp': 'Exp', 'log': 'Log', 'sqrt': 'Sqrt', 'tanh': 'Tanh', 'logistic': 'Sigmoid', 'erf': 'Erf',
  'eq': 'Equal', 'lt': 'Less', 'gt': 'Greater', 'le': 'LessOrEqual', 'ge': 'GreaterOrEqual',
  'and': 'And', 'or': 'Or', 'not': 'Not',
}  # fmt: skip
REDUCTIONS = {'reduce_sum': 'ReduceSum', 'reduce_max': 'ReduceMax', 'reduce_min': 'ReduceMin'}


def convert(graph: Graph, program: core.Jaxpr, constants: Sequence[Any], inputs: Sequence[Value]) -> list[Value]:
  """Adds a program to a graph, and gives its outputs.

  Raises:
    UserError: it computes something for which there is no translation here.
  """
  known = dict(zip(program.invars, inputs, strict=True))
  known |= {
    variable: _keep(graph, array) for variable, array in zip(program.constvars, map(np.asarray, constants), strict=True)
  }

  def read(variable: Any) -> Value:
    if isinstance(variable, core.Literal):
      kind: Any = variable.aval
      return _keep(graph, np.asarray(variable.val, kind.dtype))
    return known[variable]

  for equation in needed(program):
    found = _convert(graph, equation, [read(variable) for variable in equation.invars])
    known.update(zip(equation.outvars, found, strict=True))
  return [graph.spread(read(variable)) for variable in program.outvars]


def refuse(what: str) -> UserError:
  """The error about a model that can't be translated."""
  return UserError(f'--to=onnx: the model uses {what}, for which there is no translation: take --to=stablehlo')


def _keep(graph: Graph, array: np.ndarray) -> Value:
  return Value(graph.keep(array), array.shape)


def _convert(graph: Graph, equation: Equation, inputs: Sequence[Value]) -> list[Value]:
  name, outputs = equation.primitive.name, [variable.aval.shape for variable in equation.outvars]
  if name in OPERATORS or name in ELEMENTWISE:
    names = [value.name for value in inputs]
    made = graph.add(OPERATORS[name], *names) if name in OPERATORS else ELEMENTWISE[name](graph, equation, *names)
    whole = outputs[0] == () or any(value.spread and value.shape == outputs[0] for value in inputs)
    return [Value(made, outputs[0], whole)]
  if name == 'broadcast_in_dim':
    return [_broadcast(graph, equation, inputs[0])]
  if name not in STRUCTURAL:
    raise refuse(f'jax.lax.{name}')
  found = STRUCTURAL[name](graph, equation, *(graph.spread(value).name for value in inputs))
  return [Value(made, shape) for made, shape in zip([found] if isinstance(found, str) else found, outputs, strict=True)]


def _broadcast(graph: Graph, equation: Equation, x: Value) -> Value:
  """Axes of one where the new ones are; they are repeated where something needs it."""
  shape, kept = equation.params['shape'], equation.params['broadcast_dimensions']
  new = [axis for axis in range(len(shape)) if axis not in kept]
  if not x.shape or tuple(kept) == tuple(range(len(shape) - len(kept), len(shape))):
    return Value(x.name, shape, x.spread and x.shape == shape)  # leading axes of one go without saying
  given = dict(zip(kept, x.shape, strict=True))
  whole = all(shape[axis] == given.get(axis, 1) for axis in range(len(shape)))
  return Value(graph.add('Unsqueeze', graph.spread(x).name, graph.integers(new)), shape, whole)


def _cast(graph: Graph, equation: Equation, x: str) -> str:
  return graph.add('Cast', x, to=helper.np_dtype_to_tensor_dtype(np.dtype(equation.params['new_dtype'])))


def _power(graph: Graph, equation: Equation, x: str) -> str:
  return graph.add('Pow', x, graph.keep(np.array(equation.params['y'], equation.invars[0].aval.dtype)))


def _select(graph: Graph, equation: Equation, which: str, *cases: str) -> str:
  if len(cases) != 2 or equation.invars[0].aval.dtype != bool:
    raise refuse('jax.lax.select_n of more than two')
  return graph.add('Where', which, cases[1], cases[0])


ELEMENTWISE: dict[str, Callable[..., str]] = {
  'convert_element_type': _cast,
  'integer_pow': _power,
  'square': lambda graph, _, x: graph.add('Mul', x, x),
  'rsqrt': lambda graph, _, x: graph.add('Reciprocal', graph.add('Sqrt', x)),
  'ne': lambda graph, _, x, y: graph.add('Not', graph.add('Equal', x, y)),
  'rem': lambda graph, _, x, y: graph.add('Mod', x, y, fmod=1),
  'clamp': lambda graph, _, low, x, high: graph.add('Min', graph.add('Max', x, low), high),
  'select_n': _select,
}


def _reshape(graph: Graph, equation: Equation, x: str) -> str:
  sizes = equation.params['new_sizes']
  known = [size if is_number(size) else -1 for size in sizes]
  return graph.add('Reshape', x, graph.integers(known) if known.count(-1) < 2 else graph.shape(sizes))


def _slice(graph: Graph, equation: Equation, x: str) -> str:
  params, rank = equation.params, equation.invars[0].aval.ndim
  starts, ends = (graph.shape(params[name]) for name in ('start_indices', 'limit_indices'))
  steps = params['strides'] or (1,) * rank
  return graph.add('Slice', x, starts, ends, graph.integers(range(rank)), graph.integers(steps))


def _pad(graph: Graph, equation: Equation, x: str, value: str) -> str:
  low, high, inner = zip(*equation.params['padding_config'], strict=True)
  if any(inner):
    raise refuse('jax.lax.pad between elements')
  return graph.add('Pad', x, graph.shape((*low, *high)), value)


def _split(graph: Graph, equation: Equation, x: str) -> list[str]:
  sizes = graph.integers(equation.params['sizes'])
  return graph.add_several('Split', len(equation.outvars), x, sizes, axis=equation.params['axis'])


def _reduce(graph: Graph, equation: Equation, x: str) -> str:
  return graph.add(REDUCTIONS[equation.primitive.name], x, graph.integers(equation.params['axes']), keepdims=0)


def _iota(graph: Graph, equation: Equation) -> str:
  shape, axis, dtype = (equation.params[name] for name in ('shape', 'dimension', 'dtype'))
  count = graph.add('Squeeze', graph.size(shape[axis]))
  numbers = graph.add('Range', graph.keep(np.array(0)), count, graph.keep(np.array(1)))
  numbers = graph.add('Cast', numbers, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))
  if len(shape) == 1:
    return numbers
  column = graph.add('Unsqueeze', numbers, graph.integers(range(1, len(shape) - axis)))
  return graph.spread(Value(column, shape, spread=False)).name


def _size_as_value(graph: Graph, equation: Equation) -> str:
  size = graph.add('Squeeze', graph.size(equation.params['dim']))
  return graph.add('Cast', size, to=helper.np_dtype_to_tensor_dtype(equation.outvars[0].aval.dtype))


def _product(graph: Graph, equation: Equation, x: str, y: str) -> str:
  (x_summed, y_summed), (x_batch, y_batch) = equation.params['dimension_numbers']
  x_rank, y_rank = (variable.aval.ndim for variable in equation.invars)
  if not x_batch and tuple(x_summed) == (x_rank - 1,) and tuple(y_summed) == (0,) and y_rank <= 2:
    return graph.add('MatMul', x, y)
  letters = iter(string.ascii_lowercase)
  x_axes = [next(letters) for _ in range(x_rank)]
  shared = dict(zip((*y_summed, *y_batch), (x_axes[axis] for axis in (*x_summed, *x_batch)), strict=True))
  y_axes = [shared.get(axis) or next(letters) for axis in range(y_rank)]
  batch = [x_axes[axis] for axis in x_batch]
  own = [axis for axis in x_axes if axis not in shared.values()] + [axis for axis in y_axes if axis not in x_axes]
  return graph.add('Einsum', x, y, equation=f'{"".join(x_axes)},{"".join(y_axes)}->{"".join(batch + own)}')


def _convolve(graph: Graph, equation: Equation, x: str, kernel: str) -> str:
  params = equation.params
  numbers, (low, high) = params['dimension_numbers'], zip(*params['padding'], strict=True)
  if params['batch_group_count'] != 1 or any(step != 1 for step in params['lhs_dilation']):
    raise refuse('a transposed convolution')
  made = graph.add(
    'Conv',
    graph.transpose(x, numbers.lhs_spec),
    graph.transpose(kernel, numbers.rhs_spec),
    strides=params['window_strides'],
    pads=[*low, *high],
    dilations=params['rhs_dilation'],
    group=params['feature_group_count'],
  )
  return graph.transpose(made, np.argsort(numbers.out_spec).tolist())


def _pool(graph: Graph, equation: Equation, x: str) -> str:
  """Maxima of windows of [N, ..., C], which keep N and C as they are."""
  params, rank = equation.params, equation.invars[0].aval.ndim
  window, strides, padding = (params[f'window_{name}'] if name != 'padding' else params[name]
                              for name in ('dimensions', 'strides', 'padding'))  # fmt: skip
  dilated = {*params['base_dilation'], *params['window_dilation']} != {1}
  if dilated or any(window[axis] != 1 or strides[axis] != 1 for axis in (0, -1)):
    raise refuse('jax.lax.reduce_window_max over other axes')
  low, high = zip(*padding[1:-1], strict=True)
  made = graph.add(
    'MaxPool',
    graph.transpose(x, [0, rank - 1, *range(1, rank - 1)]),
    kernel_shape=window[1:-1],
    strides=strides[1:-1],
    pads=[*low, *high],
  )
  return graph.transpose(made, [0, *range(2, rank), 1])


def _gather(graph: Graph, equation: Equation, x: str, indices: str) -> str:
  """Elements along some axes, by indices [..., K] that are within bounds; of the other axes all."""
  numbers, sizes = equation.params['dimension_numbers'], equation.params['slice_sizes']
  data, picked = equation.invars[0].aval.shape, tuple(numbers.start_index_map)
  shared = tuple(numbers.operand_batching_dims)  # axes that data and indices have in common
  whole = [axis for axis in range(len(data)) if axis not in (*picked, *shared)]
  leading = shared == numbers.start_indices_batching_dims == tuple(range(len(shared)))
  if not leading or any(sizes[axis] != data[axis] for axis in whole):
    raise refuse('jax.lax.gather of parts')
  if equation.invars[1].aval.ndim == 1:
    return _cut(graph, x, indices, picked, sizes, numbers.collapsed_slice_dims)
  if sorted(picked) != sorted(numbers.collapsed_slice_dims):
    raise refuse('jax.lax.gather of slices')
  rank, offsets = len(equation.outvars[0].aval.shape), numbers.offset_dims
  places = [axis for axis in range(rank) if axis not in offsets]  # of the indices' axes in the output
  if len(picked) == 1 and not shared:
    made = graph.add('Gather', x, graph.add('Squeeze', indices, graph.integers([-1])), axis=picked[0])
    before = sum(axis < picked[0] for axis in whole)
    order = [*offsets[:before], *places, *offsets[before:]]
  else:
    wide = graph.add('Cast', indices, to=helper.np_dtype_to_tensor_dtype(np.dtype(np.int64)))
    made = graph.add('GatherND', graph.transpose(x, [*shared, *picked, *whole]), wide, batch_dims=len(shared))
    order = [*places, *offsets]
  return graph.transpose(made, np.argsort(order).tolist())


def _cut(graph: Graph, x: str, starts: str, axes: Sequence[int], sizes: Sequence[Any], dropped: Sequence[int]) -> str:
  """One slice, which starts at `starts` [K] along `axes`; without the axes `dropped`, of one element."""
  starts = graph.add('Cast', starts, to=helper.np_dtype_to_tensor_dtype(np.dtype(np.int64)))
  ends = graph.add('Add', starts, graph.shape([sizes[axis] for axis in axes]))
  made = graph.add('Slice', x, starts, ends, graph.integers(axes))
  return graph.add('Squeeze', made, graph.integers(dropped)) if dropped else made


def _scan(graph: Graph, equation: Equation, *inputs: str) -> list[str]:
  """A loop over the first axis of some inputs; what does not change from step to step is seen from within."""
  params, program = equation.params, equation.params['jaxpr'].jaxpr
  fixed, carried = params['num_consts'], params['num_carry']
  body = graph.inner()
  names = [*inputs[:fixed], *(body.name('step') for _ in inputs[fixed:])]
  values = [Value(name, variable.aval.shape) for name, variable in zip(names, program.invars, strict=True)]
  found = [
    body.add('Identity', value.name) for value in convert(body, program, equation.params['jaxpr'].consts, values)
  ]
  entries = [_describe(name, x) for name, x in zip(names[fixed:], program.invars[fixed:], strict=True)]
  results = [_describe(name, x) for name, x in zip(found, program.outvars, strict=True)]
  backward = int(params['reverse'])
  counts = {'input': len(inputs) - fixed - carried, 'output': len(found) - carried}
  ways = {f'scan_{name}_directions': [backward] * count for name, count in counts.items() if count}
  inside = helper.make_graph(body.nodes, 'body', entries, results)
  return graph.add_several('Scan', len(found), *inputs[fixed:], body=inside, num_scan_inputs=counts['input'], **ways)


def _describe(name: str, variable: Any):
  sizes = [size if is_number(size) else None for size in variable.aval.shape]
  return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(variable.aval.dtype), sizes)


STRUCTURAL: dict[str, Callable[..., Any]] = {
  **dict.fromkeys(REDUCTIONS, _reduce),
  'concatenate': lambda graph, equation, *xs: graph.add('Concat', *xs, axis=equation.params['dimension']),
  'conv_general_dilated': _convolve,
  'dim_as_value': _size_as_value,
  'dot_general': _product,
  'gather': _gather,
  'iota': _iota,
  'pad': _pad,
  'reduce_window_max': _pool,
  'reshape': _reshape,
  'scan': _scan,
  'slice': _slice,
  'split': _split,
  'squeeze': lambda graph, equation, x: graph.add('Squeeze', x, graph.integers(equation.params['dimensions'])),
  'transpose': lambda graph, equation, x: graph.transpose(x, equation.params['permutation']),
}
