"""The rooms of the package: imports go one way only, and the light rooms stay light."""

import ast
import itertools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / 'lipfake_jax'
# A room imports from rooms before it only. Those that stand together import nothing from each other.
ROOMS = (
  ('core',),
  ('clips', 'scoring'),
  ('data',),
  ('models',),
  ('inference',),
  ('training', 'evaluation'),
  ('report',),
  ('experiments',),
  ('web',),
  ('cli',),
)
APART = ('demo',)  # renders videos; imports core alone, and data may import it
LEVEL = {room: level for level, rooms in enumerate(ROOMS) for room in rooms}


def list_imports(source: str) -> set[str]:
  """Every module of this package that a file imports, wherever in it: in functions and under TYPE_CHECKING, too."""
  found = set()
  for node in ast.walk(ast.parse(source)):
    if isinstance(node, ast.Import):
      found |= {alias.name for alias in node.names}
    elif isinstance(node, ast.ImportFrom):
      if node.level:
        raise ValueError(f'line {node.lineno}: a relative import')
      for alias in node.names:  # a name in a module, or a module in a package
        name = f'{node.module}.{alias.name}'
        found.add(name if is_module(name) else str(node.module))
  return {name for name in found if name.startswith('lipfake_jax')}


def is_module(name: str) -> bool:
  path = PACKAGE.parent.joinpath(*name.split('.'))
  return path.with_suffix('.py').exists() or path.is_dir()


def name_module(path: Path) -> str:
  parts = path.relative_to(PACKAGE.parent).with_suffix('').parts
  return '.'.join(parts[:-1] if parts[-1] == '__init__' else parts)


def read_graph() -> dict[str, set[str]]:
  """What each module imports."""
  return {name_module(path): list_imports(path.read_text()) for path in sorted(PACKAGE.rglob('*.py'))}


def find_wrong_ways(graph: dict[str, set[str]]) -> list[str]:
  """'A -> B' of every import against the order of the rooms."""
  wrong = []
  for module, imported in graph.items():
    for other in imported:
      rooms = [name.split('.')[1] for name in (module, other) if name.count('.')]
      if len(rooms) == 2 and rooms[0] != rooms[1] and not may_import(*rooms):
        wrong.append(f'{module} -> {other}')
  return sorted(wrong)


def may_import(room: str, other: str) -> bool:
  if room in APART:
    return other == 'core'
  return other in APART or LEVEL[other] < LEVEL[room]


def find_circles(graph: dict[str, set[str]]) -> list[str]:
  """The modules that import themselves by way of others."""

  def reach(module: str) -> set[str]:
    seen: set[str] = set()
    waiting = list(graph[module])
    while waiting:
      if (found := waiting.pop()) not in seen:
        seen.add(found)
        waiting += graph.get(found, ())
    return seen

  return sorted(module for module in graph if module in reach(module))


def test_every_module_lies_in_a_room() -> None:
  rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != '__pycache__'}
  assert rooms == {*LEVEL, *APART}
  assert [path.name for path in PACKAGE.glob('*.py')] == ['__init__.py']


def test_imports_go_one_way() -> None:
  assert find_wrong_ways(read_graph()) == []


def test_no_module_imports_itself_by_way_of_others() -> None:
  assert find_circles(read_graph()) == []


@pytest.mark.parametrize(
  ('source', 'found'),
  [
    ('from lipfake_jax.report import page', 'lipfake_jax.report.page'),
    ('import lipfake_jax.report.page', 'lipfake_jax.report.page'),
    ('def f():\n  from lipfake_jax.report.page import write_report', 'lipfake_jax.report.page'),
    ('if TYPE_CHECKING:\n  from lipfake_jax.report.page import write_report', 'lipfake_jax.report.page'),
  ],
)
def test_imports_are_seen_wherever_they_stand(source: str, found: str) -> None:
  assert list_imports(source) == {found}


def test_a_wrong_way_and_a_circle_are_found() -> None:
  graph = read_graph()
  turned = {**graph, 'lipfake_jax.core.errors': {'lipfake_jax.evaluation.compare'}}
  assert find_wrong_ways(turned) == ['lipfake_jax.core.errors -> lipfake_jax.evaluation.compare']
  assert 'lipfake_jax.core.errors' in find_circles(turned)
  for one, other in itertools.permutations(('training', 'evaluation')):
    assert find_wrong_ways({f'lipfake_jax.{one}.a': {f'lipfake_jax.{other}.b'}})


def list_modules(room: str) -> Iterator[str]:
  return (name_module(path) for path in sorted((PACKAGE / room).rglob('*.py')))


@pytest.mark.parametrize(
  ('rooms', 'heavy'),
  [
    (('core', 'clips', 'scoring'), ('jax', 'flax', 'tensorflow')),
    (('training', 'inference'), ('mediapipe', 'tensorflow')),
  ],
)
def test_rooms_load_no_more_than_they_need(rooms: tuple[str, ...], heavy: tuple[str, ...]) -> None:
  modules = [module for room in rooms for module in list_modules(room)]
  code = f'import sys, {", ".join(modules)}\nprint(*(name for name in {heavy} if name in sys.modules))'
  ended = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
  assert ended.stdout.split() == []
