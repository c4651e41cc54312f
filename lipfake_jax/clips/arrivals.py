"""Frames of a source as they arrive, in a thread of its own: what waits, what is dropped, what is connected anew.

In: a `Source`. Out: what arrives, in order, for whoever looks at it in another thread. Next stage: `stream`.

A file and a pipe wait until their frames are wanted. A camera, and an address that sends for ever, do not: where
looking is slower than sending, frames that have waited too long are dropped, all that wait at once, since a few seconds
in a row show how a mouth moves, and every other frame does not.
"""

import collections
import dataclasses
import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from lipfake_jax.clips.container import VideoError
from lipfake_jax.clips.source import NoAnswer, Source, open_source
from lipfake_jax.clips.video import Frame, VideoInfo, decode_frames, describe

AHEAD = 4  # frames that are decoded before they are wanted, where none is dropped
MOST_BYTES = 256 << 20  # of frames that wait
LATE_FRAMES = 32  # more than a decoder holds back
LOOK_UP_S = 0.2  # seconds between two questions whether to stop
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0  # before the first reconnection; doubled from one to the next


class Opened(NamedTuple):
  """A connection is made.

  Attributes:
    info: what the source says of itself.
    live: whether it goes on whether or not anyone looks.
    connection: its number, from 1.
  """

  info: VideoInfo
  live: bool
  connection: int


class Arrival(NamedTuple):
  """A frame, and when it was decoded, in seconds of `time.monotonic`, which all processes share."""

  frame: Frame
  at_s: float


class Closed(NamedTuple):
  """A connection has ended; another one may follow."""


class Ended(NamedTuple):
  """Nothing follows.

  Attributes:
    how: 'ended' at its end, 'lost' where a connection broke, 'unreadable' where there is no video, 'no_answer' where
      nobody ever sent, 'interrupted'.
    detail: a sentence for people.
  """

  how: str
  detail: str


Item = Opened | Arrival | Closed | Ended


def connect(source: Source, descriptor: int | None, timeout_s: float, reconnects: int) -> Iterator[Item]:
  """All that arrives from a source. Frames are numbered throughout, and a reconnection's times go on by the clock.

  Args:
    source: where frames come from.
    descriptor: of the open pipe that it is, if it is one.
    timeout_s: seconds to wait for an answer, and for each frame.
    reconnects: how often an address that fell silent is connected anew, in all.
  """
  made, reason = 0, ''
  last: Arrival | None = None
  for attempt in range(reconnects + 1):
    time.sleep(min(FIRST_PAUSE_S * 2 ** (attempt - 1), LONGEST_PAUSE_S) if attempt else 0)
    try:
      with open_source(source, descriptor, timeout_s) as (container, stream):
        info, made = describe(container, stream), made + 1
        live = source.kind == 'camera' or (source.kind == 'network' and not info.duration_s)
        yield Opened(info, live, made)
        came = collections.deque([time.monotonic()], maxlen=LATE_FRAMES)
        for arrival in _number(decode_frames(container, stream), live, last):
          came.append(arrival.at_s)
          last = arrival
          yield arrival
      yield Closed()
      if not live:
        yield Ended('ended', 'all of it was looked at')
        return
      reason = _explain_end([*came, time.monotonic()], timeout_s)
    except VideoError as error:
      if not made or source.kind in ('file', 'pipe'):
        yield Ended('no_answer' if isinstance(error, NoAnswer) else 'unreadable', str(error))
        return
      yield Closed()
      reason = str(error)
    if source.kind == 'camera':
      break
  tries = f'; {reconnects} reconnections, as many as are allowed' if source.kind == 'network' else ''
  yield Ended('lost', f'{reason}{tries}')


def _number(frames: Iterator[Frame], live: bool, before: Arrival | None) -> Iterator[Arrival]:
  """Frames of one connection as they go on after those of the one before it; what is live begins at 0."""
  shift_s, first = 0.0, before.frame.index + 1 if before else 0
  for number, frame in enumerate(frames, first):
    now_s = time.monotonic()
    if number == first and (live or before):
      shift_s = (before.frame.time_s + now_s - before.at_s if before else 0.0) - frame.time_s
    yield Arrival(dataclasses.replace(frame, index=number, time_s=frame.time_s + shift_s), now_s)


def _explain_end(came: Sequence[float], timeout_s: float) -> str:
  """By the times of the last frames, and now: after a silence the decoder still gives those that it held back."""
  silent = max(after - before for before, after in itertools.pairwise(came)) >= timeout_s
  return f'no frame for {timeout_s:g} s' if silent else 'the sender ended it'


class Queue:
  """Items between the thread where they arrive and the one where they are looked at.

    queue = Queue(lag_s=2.0)
    threading.Thread(target=queue.fill, args=(items,), daemon=True).start()
    for item in queue.take(stop): ...

  Attributes:
    dropped: how many frames were, so far.
  """

  def __init__(self, lag_s: float):
    self.dropped = 0
    self._lag_s, self._live = lag_s, False
    self._waiting: collections.deque[Item | Exception] = collections.deque()
    self._changed = threading.Condition()

  def fill(self, items: Iterable[Item]) -> None:
    """Takes in all items; waits for room where the source is not live, and drops frames where it is."""
    try:
      for item in items:
        self._put(item)
    except Exception as error:  # for the other thread to raise
      self._put(error)

  def take(self, stop: Callable[[], bool]) -> Iterator[Item]:
    """The items, in order, until `Ended`; once `stop` says so, an `Ended` of its own."""
    item: Item | Exception | None = None
    while not isinstance(item, Ended):
      with self._changed:
        self._changed.wait_for(lambda: self._waiting, LOOK_UP_S)
        item = self._waiting.popleft() if self._waiting else None
        self._changed.notify_all()
      if stop():
        item = Ended('interrupted', 'the rest was not looked at')
      if isinstance(item, Exception):
        raise item
      if item:
        yield item

  def _put(self, item: Item | Exception) -> None:
    with self._changed:
      if isinstance(item, Opened):
        self._live = item.live
      if self._live:
        self._drop_late()
      else:
        self._changed.wait_for(lambda: len(self._waiting) < AHEAD)
      self._waiting.append(item)
      self._changed.notify_all()

  def _drop_late(self) -> None:
    """Drops all frames that wait, where the first has waited too long, or they take too much room."""
    frames = [item for item in self._waiting if isinstance(item, Arrival)]
    late = frames and time.monotonic() - frames[0].at_s > self._lag_s
    if late or sum(plane.nbytes for item in frames for plane in item.frame.planes) > MOST_BYTES:
      self.dropped += len(frames)
      kept = [item for item in self._waiting if not isinstance(item, Arrival)]
      self._waiting.clear()
      self._waiting.extend(kept)
