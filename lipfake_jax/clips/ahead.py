"""Work of one stage that is done in a thread while the next stage does its own: what comes out is the same.

In: an iterator. Out: the same items. Decoding, the mesh and OpenCV give other threads way while they compute.
"""

import collections
import itertools
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

AT_ONCE = 2  # items that are handed over together: each time takes some tens of microseconds of both threads

Item = TypeVar('Item')


def run_ahead(items: Iterable[Item], count: int) -> Iterator[Item]:
  """Passes items on, up to `count` of which a thread has made before they are asked for; with 0 there is no thread.

  What making one raises is raised where it would have come. Whoever stops asking waits until the thread has ended.
  """
  source = iter(items)
  if not count:
    yield from source
    return
  with ThreadPoolExecutor(1) as thread:
    waiting = collections.deque(thread.submit(_take, source) for _ in range(-(-count // AT_ONCE)))
    error = None
    while waiting and not error:
      made, error = waiting.popleft().result()
      if len(made) == AT_ONCE:
        waiting.append(thread.submit(_take, source))
      yield from made
    if error:
      raise error


def _take(source: Iterator[Item]) -> tuple[list[Item], BaseException | None]:
  """The next items, fewer at the end, and what was raised in their place."""
  made: list[Item] = []
  try:
    made.extend(itertools.islice(source, AT_ONCE))
  except BaseException as error:
    return made, error
  return made, None
