"""A process that looks at a stream: whatever its frames do to it, the one that scores goes on.

In: a `Source`, and a pipe. Out: through the pipe `Message`s, the last of which is an `Ended`. Next stage:
`inference.stream`.
"""

import contextlib
import dataclasses
import threading
from collections.abc import Iterator
from multiprocessing import connection
from typing import NamedTuple

import cv2

from lipfake_jax.clips.arrivals import Arrival, Ended, Item, Opened, Queue, connect
from lipfake_jax.clips.landmarks import open_face_models
from lipfake_jax.clips.source import Source
from lipfake_jax.clips.stream import Glimpse, watch_faces
from lipfake_jax.clips.video import Frame
from lipfake_jax.core.clip_spec import ClipSpec

REMEMBERED = 4096  # frames whose arrival is known: more than a window and what it waits for take


@dataclasses.dataclass(frozen=True)
class Limits:
  """What a stream may cost.

  Attributes:
    timeout_s: seconds that a camera or an address has for its answer, and then for each frame.
    reconnects: how often an address that fell silent is connected anew, in all.
    lag_s: seconds that a frame of a live source may wait; then it is dropped, with all that wait.
  """

  timeout_s: float = 10.0
  reconnects: int = 3
  lag_s: float = 2.0


class Message(NamedTuple):
  """What a worker tells.

  Attributes:
    item: a connection, a window or the end of a face, or the end of all.
    arrived_s: of the last frame of a window, when it came, in seconds of `time.monotonic`; else 0.
    frames: that were looked at so far.
    duration_s: the time of the last of them.
    dropped: frames that were not looked at so far.
  """

  item: Opened | Glimpse | Ended
  arrived_s: float
  frames: int
  duration_s: float
  dropped: int


@dataclasses.dataclass
class _Passage:
  """Frames of one connection, on their way: how many passed, when the last ones came, and what came after them."""

  items: Iterator[Item]
  arrivals: dict[int, float] = dataclasses.field(default_factory=dict)
  frames: int = 0
  duration_s: float = 0.0
  after: Item | None = None

  def pass_on(self) -> Iterator[Frame]:
    for item in self.items:
      if not isinstance(item, Arrival):
        self.after = item
        return
      self.arrivals[item.frame.index] = item.at_s
      if len(self.arrivals) > REMEMBERED:
        del self.arrivals[next(iter(self.arrivals))]
      self.frames, self.duration_s = self.frames + 1, item.frame.time_s
      yield item.frame


def work(
  pipe: connection.Connection,
  source: Source,
  descriptor: connection.Connection | None,
  spec: ClipSpec,
  limits: Limits,
) -> None:
  """The process: waits for a first word, opens the source, and ends with it, or at the second word.

  `descriptor` holds the open file of a source that is a pipe.
  """
  cv2.setNumThreads(1)  # the other core scores
  with open_face_models() as models, contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
    pipe.recv()
    queue = Queue(limits.lag_s)
    arriving = connect(source, descriptor.fileno() if descriptor else None, limits.timeout_s, limits.reconnects)
    threading.Thread(target=queue.fill, args=(arriving,), daemon=True).start()
    passage = _Passage(queue.take(pipe.poll))

    def tell(item: Opened | Glimpse | Ended, arrived_s: float = 0.0) -> None:
      pipe.send(Message(item, arrived_s, passage.frames, passage.duration_s, queue.dropped))

    item: Item | None = next(passage.items)
    while not isinstance(item, Ended):
      if isinstance(item, Opened):
        tell(item)
        for glimpse in watch_faces(passage.pass_on(), item.info, spec, models):
          tell(glimpse, passage.arrivals.get(glimpse.last, 0.0))
        item = passage.after
      else:
        item = next(passage.items)
    tell(item)
