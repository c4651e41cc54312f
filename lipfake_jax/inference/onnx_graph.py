"""The graph of an ONNX file while it is made: its nodes, its constants, and sizes that are known when it runs.

    graph = Graph()
    y = graph.add('Relu', 'x')
    graph.add('Reshape', y, graph.shape((2, -1)))

Next stage: `onnx_ops` fills it.
"""

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from onnx import NodeProto, helper


@dataclasses.dataclass(frozen=True)
class Value:
  """What a variable of the program is in the graph.

  Attributes:
    name: in the graph.
    shape: in the program; a size may be symbolic.
    spread: False where the graph's value still has to be repeated along some axes to have that shape. What works
      element by element does that by itself.
  """

  name: str
  shape: tuple[Any, ...]
  spread: bool = True


@dataclasses.dataclass(frozen=True)
class Graph:
  """Nodes in their order, and constants by name.

  Attributes:
    nodes: of this graph; a loop's body has its own, and sees what is around it.
    arrays: the constants.
    sizes: by the name of a symbolic size that of an int64 [1] that holds it.
    numbers: of the names that are given.
  """

  nodes: list[NodeProto] = dataclasses.field(default_factory=list)
  arrays: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
  sizes: dict[str, str] = dataclasses.field(default_factory=dict)
  numbers: Iterator[int] = dataclasses.field(default_factory=itertools.count)

  def name(self, kind: str) -> str:
    """A name that nothing has yet."""
    return f'{kind}_{next(self.numbers)}'

  def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
    """Adds a node of one output, and gives its name."""
    [name] = self.add_several(operator, 1, *inputs, **attributes)
    return name

  def add_several(self, operator: str, count: int, *inputs: str, **attributes: Any) -> list[str]:
    """Adds a node of `count` outputs, and gives their names."""
    names = [self.name(operator) for _ in range(count)]
    self.nodes.append(helper.make_node(operator, inputs, names, names[0], **attributes))
    return names

  def keep(self, array: np.ndarray) -> str:
    """The name of a constant."""
    name = self.name('constant')
    self.arrays[name] = np.asarray(array)
    return name

  def integers(self, numbers: Sequence[int]) -> str:
    """The name of a constant int64 [N], as operators take axes and sizes."""
    return self.keep(np.array(numbers, np.int64))

  def size(self, size: Any) -> str:
    """The name of an int64 [1] that holds a size, symbolic or not."""
    if is_number(size):
      return self.integers([size])
    # JAX prints a symbolic size as an expression of Python, which `jax.export.symbolic_shape` reads, too.
    names: dict[str, Any] = {name: _Size(self, value) for name, value in self.sizes.items()}
    found = eval(str(size), {'__builtins__': {}, 'floordiv': _Size.floordiv, 'mod': _Size.mod}, names)
    return found.name

  def shape(self, sizes: Sequence[Any]) -> str:
    """The name of an int64 [N] of sizes, symbolic or not."""
    if all(map(is_number, sizes)):
      return self.integers(sizes)
    parts = itertools.groupby(sizes, key=is_number)
    names = [[self.integers(list(run))] if numbers else list(map(self.size, run)) for numbers, run in parts]
    flat = [name for group in names for name in group]
    return self.add('Concat', *flat, axis=0) if len(flat) > 1 else flat[0]

  def spread(self, value: Value) -> Value:
    """The value with all its axes at their full size."""
    if value.spread:
      return value
    return Value(self.add('Expand', value.name, self.shape(value.shape)), value.shape)

  def transpose(self, name: str, axes: Sequence[int]) -> str:
    """A value with its axes in another order; of a constant, a constant."""
    if list(axes) == sorted(axes):
      return name
    if name in self.arrays:
      return self.keep(np.ascontiguousarray(self.arrays[name].transpose(axes)))
    return self.add('Transpose', name, perm=list(axes))

  def inner(self) -> 'Graph':
    """An empty graph for the body of a loop."""
    return dataclasses.replace(self, nodes=[])


def is_number(size: Any) -> bool:
  """Whether a size is known, and not symbolic."""
  return isinstance(size, int | np.integer)


@dataclasses.dataclass(frozen=True)
class _Size:
  """A size in an expression: what is done with it becomes nodes."""

  graph: Graph
  name: str

  def _join(self, operator: str, other: 'int | _Size') -> '_Size':
    name = other.name if isinstance(other, _Size) else self.graph.integers([other])
    return _Size(self.graph, self.graph.add(operator, self.name, name))

  def __add__(self, other: 'int | _Size') -> '_Size':
    return self._join('Add', other)

  def __sub__(self, other: 'int | _Size') -> '_Size':
    return self._join('Sub', other)

  def __mul__(self, other: 'int | _Size') -> '_Size':
    return self._join('Mul', other)

  __radd__, __rmul__ = __add__, __mul__

  def __neg__(self) -> '_Size':
    return self * -1

  def floordiv(self, other: 'int | _Size') -> '_Size':
    """Sizes are not negative, so that the quotient is rounded down."""
    return self._join('Div', other)

  def mod(self, other: 'int | _Size') -> '_Size':
    return self._join('Mod', other)
