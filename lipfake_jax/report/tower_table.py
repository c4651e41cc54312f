"""Figures of towers, for people.

In: rows of `evaluation.sync` or `evaluation.person`. Out: a table as text.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from lipfake_jax.report.tables import show, show_range

# Of each row, in this order: the title of its column, and the field.
COLUMNS = {
  'videos': 'videos',
  'people': 'people',
  'AUC': 'auc',
  '95 % interval': 'interval',
  'AUC of the head': 'head_auc',
  'its interval': 'head_interval',
  'offset found': 'found',
}


def tower_table(title: str, rows: Sequence[Mapping[str, Any]]) -> str:
  """A line a row, with the columns that any of them has."""
  columns = [name for name, field in COLUMNS.items() if any(field in row for row in rows)]
  cells = [[title, *columns]] + [[row['kind'], *(_show(row.get(COLUMNS[name])) for name in columns)] for row in rows]
  widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
  return '\n'.join(_line(line, widths) for line in cells)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
  """The first cell to the left, the others to the right of their columns."""
  first, *others = zip(cells, widths, strict=True)
  return '  '.join([f'{first[0]:<{first[1]}}', *(f'{cell:>{width}}' for cell, width in others)])


def _show(value: Any) -> str:
  if isinstance(value, int):
    return str(value)
  return show_range((value[0], value[1])) if isinstance(value, tuple | list) else show(value)
