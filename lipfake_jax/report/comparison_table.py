"""Two runs side by side, as Markdown, with what may be said of their difference.

In: a `compare.Comparison`. Out: text.
"""

from lipfake_jax.evaluation.compare import Comparison, Difference
from lipfake_jax.report.tables import show
from lipfake_jax.scoring.intervals import Interval

DECIDING = 'auc'  # the figure that needs no threshold speaks for the whole; without both classes, accuracy


def comparison_table(comparison: Comparison) -> str:
  """A row a figure, and the conclusion below."""
  alone = comparison.alone
  people = f'{comparison.videos} videos of {comparison.people} people'
  lines = [
    f'{comparison.folder}: {people}; {alone[0]} only in A, {alone[1]} only in B',
    '',
    difference_table(comparison.difference),
    '',
    conclude(comparison.difference),
  ]
  return '\n'.join(lines)


def difference_table(difference: Difference, names: tuple[str, str] = ('A', 'B')) -> str:
  """A row a figure."""
  first, second = names
  header = [f'| | {first} | {second} | {second} - {first} | 95 % interval |', '|---|---|---|---|---|']
  return '\n'.join([*header, *(_row(name, *values) for name, values in difference.items())])


def conclude(difference: Difference, names: tuple[str, str] = ('A', 'B')) -> str:
  """In words: whether the interval of the deciding figure's difference excludes zero."""
  name = DECIDING if difference[DECIDING][0] is not None else 'accuracy'
  a, b, interval = difference[name]
  if a is None or b is None or interval is None:
    return 'can not tell: the videos show one person only'
  if interval[0] <= 0 <= interval[1]:
    return f'not shown to differ: that of {name}, {b - a:+.3f}, may be chance (95 % interval {_range(interval)})'
  return f'{names[b > a]} is better: {name} differs by {b - a:+.3f} (95 % interval {_range(interval)})'


def _row(name: str, a: float | None, b: float | None, interval: Interval | None) -> str:
  cells = [show(a), show(b), '-' if a is None or b is None else f'{b - a:+.3f}', _range(interval) if interval else '-']
  return f'| {name.replace("_", " ")} | {" | ".join(cells)} |'


def _range(interval: Interval) -> str:
  return f'{interval[0]:+.3f} to {interval[1]:+.3f}'
