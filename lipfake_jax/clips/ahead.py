"""Work of one stage that is done in a thread while the next stage does its own: what comes out is the same.

In: an iterator. Out: the same items. Decoding, the mesh and OpenCV give other threads way while they compute.
"""

import collections
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Item = TypeVar('Item')
END: Any = object()


def run_ahead(items: Iterable[Item], count: int) -> Iterator[Item]:
  """Passes items on, up to `count` of which a thread has made before they are asked for; with 0 there is no thread.

  What making one raises is raised where it would have come. Whoever stops asking waits until the thread has ended.
  """
  source = iter(items)
  if not count:
    yield from source
    return
  with ThreadPoolExecutor(1) as thread:
    waiting = collections.deque(thread.submit(next, source, END) for _ in range(count))
    while (item := waiting.popleft().result()) is not END:
      waiting.append(thread.submit(next, source, END))
      yield item
