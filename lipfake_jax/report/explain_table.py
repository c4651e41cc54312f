"""How true maps of what carries a score are, as a table for a terminal and for Markdown.

In: what `evaluation.explanations` found. Out: text.
"""

from collections.abc import Iterator

from lipfake_jax.evaluation.explanations import Found, Measured, find_faults, points_to_fakes

POINTS = {None: '', True: '; points to what was faked', False: '; not shown to point to what was faked'}
HEADER = ('part', 'method', 'figure', 'mean', '95 % interval', 'windows', 'people')


def explain_table(title: str, found: Found) -> str:
  """A row a figure, and below it which maps pass."""
  rows = [HEADER, tuple('-' * 3 for _ in HEADER)]
  rows += [
    (kind, method, *_cells(name, measured))
    for (kind, method), figures in found.items()
    for name, measured in figures.items()
  ]
  return '\n'.join(['', title, '', *(f'| {" | ".join(row)} |' for row in rows), '', *_verdicts(found)])


def _cells(name: str, measured: Measured) -> tuple[str, ...]:
  low, high = measured.interval or (None, None)
  between = '-' if low is None else f'{low:+.3f} to {high:+.3f}'
  return ' '.join(name.split()), f'{measured.mean:+.3f}', between, str(measured.n), str(measured.people)


def _verdicts(found: Found) -> Iterator[str]:
  for (kind, method), figures in found.items():
    faults = find_faults(figures)
    verdict = f'fails {", ".join(" ".join(name.split()) for name in faults)}' if faults else 'passes'
    yield f'{kind}, {method}: {verdict}{POINTS[points_to_fakes(figures)]}'
