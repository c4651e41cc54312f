"""A stream of anyone: every face, scored window by window while it goes on.

In: a source, and weights. Out: documents of JSON's types, one for each event, as soon as it is decided; docs/stream.md
describes them. What is unknown is None. A process of its own decodes and looks for faces, which a hostile stream may
crash; this one scores. Memory does not grow with the length of the stream.
"""

import collections
import contextlib
import dataclasses
import datetime
import os
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing import connection
from typing import Any

import numpy as np

from lipfake_jax.clips.arrivals import Ended, Opened
from lipfake_jax.clips.clips import IN_VIEW_S, Clip
from lipfake_jax.clips.features import FEATURES
from lipfake_jax.clips.source import Source
from lipfake_jax.clips.stream import Glimpse, check_spec
from lipfake_jax.clips.stream_worker import Limits, Message, work
from lipfake_jax.clips.survey import GROUP, Facts
from lipfake_jax.clips.windows import MOST
from lipfake_jax.clips.workers import describe_exit, start_process
from lipfake_jax.core.clip_spec import ClipSpec
from lipfake_jax.core.errors import UserError
from lipfake_jax.inference.findings import (
  NONE,
  Document,
  Window,
  describe_person,
  describe_tool,
  describe_weights,
  describe_window,
  judge_video,
)
from lipfake_jax.inference.run import Run, read_input, score_arrays

SCHEMA = '1.0'  # of the lines; the first number changes where a reader of the old one would misread the new one
LOOK_UP_S = 0.2  # seconds between two questions whether to stop
PATIENCE_S = 5.0  # seconds that the looking process has to end by itself

Stop = Callable[[], bool]


@dataclasses.dataclass
class _Person:
  """What is known of somebody: their number, what was last seen of them, and the last windows that were scored."""

  number: int
  face: Facts
  windows: collections.deque[Window] = dataclasses.field(default_factory=lambda: collections.deque(maxlen=MOST))


@dataclasses.dataclass
class _Tally:
  """What the last line sums up. People are numbered as they come; `open` are those in view, by track."""

  open: dict[int, _Person] = dataclasses.field(default_factory=dict)
  people: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)  # by verdict
  windows: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
  worst: Document | None = None  # of those who are gone the one of the highest score
  named: int = 0
  connections: int = 0
  latencies: tuple[float, float] = (0.0, 0.0)  # their sum, and the longest


def stream_events(run: Run, source: Source, limits: Limits, stop: Stop) -> Iterator[Document]:
  """Looks at a source until it ends, and yields each event as soon as it is decided.

  Args:
    run: of `detect.open_weights`.
    source: from `source.find_source`.
    limits: what it may cost.
    stop: asked often; once it says so, what is decided by then is told, and the last event.

  Raises:
    UserError: nobody answers at the address, there is no standard input, or the weights can't look at streams.
  """
  spec = ClipSpec(**run.meta['clip'])
  check_spec(spec)
  descriptor = _open_stdin() if source.kind == 'pipe' else None
  process, pipe = start_process(work, source, descriptor, spec, limits)
  try:
    feature = FEATURES[read_input(run.meta)]
    _score(run, np.zeros(feature.shape(spec), feature.dtype))  # compiles it, while the process loads its models
    with contextlib.suppress(BrokenPipeError):  # it is gone: `_listen` says why
      pipe.send('go')
    yield from _tell(run, source, _listen(process, pipe, stop))
  finally:
    process.kill()
    process.join()
    pipe.close()


def _open_stdin() -> connection.Connection:
  """Standard input, as a process can be given it."""
  try:
    if os.isatty(sys.__stdin__.fileno()):  # type: ignore[union-attr]
      raise UserError('standard input is a terminal: write a video to it, as in lipfake stream - < talk.mp4')
    return connection.Connection(os.dup(sys.__stdin__.fileno()), writable=False)  # type: ignore[union-attr]
  except (AttributeError, OSError) as error:
    raise UserError('there is no standard input: name a file, or an address') from error


def _listen(process: Any, pipe: connection.Connection, stop: Stop) -> Iterator[Message]:
  """What the process tells, until an `Ended`; one of our own where it can't tell any more."""
  message, told_s = Message(Ended('', ''), 0.0, 0, 0.0, 0), float('inf')
  while time.monotonic() - told_s < PATIENCE_S or told_s == float('inf'):
    if told_s == float('inf') and stop():
      told_s = time.monotonic()
      with contextlib.suppress(BrokenPipeError):
        pipe.send('stop')
    if not pipe.poll(LOOK_UP_S):
      continue
    try:
      message = pipe.recv()
    except (EOFError, ConnectionResetError):
      process.join()
      detail = f'its decoding ended the process ({describe_exit(process.exitcode)})'
      yield message._replace(item=Ended('crashed', detail))
      return
    yield message
    if isinstance(message.item, Ended):
      return
  yield message._replace(item=Ended('interrupted', 'the rest was not looked at'))


def _tell(run: Run, source: Source, messages: Iterator[Message]) -> Iterator[Document]:
  tally = _Tally()
  for message in messages:
    item = message.item
    if isinstance(item, Opened):
      tally.connections = item.connection
      yield from _close_all(run, tally)
      yield _describe_start(run, source, item)
    elif isinstance(item, Glimpse):
      yield from _tell_glimpse(run, item, message, tally)
    elif item.how == 'no_answer':
      raise UserError(f'{source.name}: {item.detail}: see that somebody sends there, or wait longer with --timeout')
    else:
      yield from _close_all(run, tally)
      yield _describe_end(item, message, tally)


def _tell_glimpse(run: Run, glimpse: Glimpse, message: Message, tally: _Tally) -> Iterator[Document]:
  track = glimpse.face['track']
  if track not in tally.open:
    tally.named += 1
    tally.open[track] = _Person(tally.named, glimpse.face)
  person = tally.open[track]
  person.face = glimpse.face
  if glimpse.clip is None:
    yield _close(run, tally, track)
    return
  window = _describe_window(run, person, glimpse.clip)
  latency_s = time.monotonic() - message.arrived_s
  tally.windows[window['verdict']] += 1
  tally.latencies = tally.latencies[0] + latency_s, max(tally.latencies[1], latency_s)
  yield {**window, 'latency_s': round(latency_s, 3), 'dropped': message.dropped}


def _describe_window(run: Run, person: _Person, clip: Clip) -> Document:
  """A window and its person so far; without scores where something keeps the face from a verdict."""
  logits = _score(run, clip.features[FEATURES[read_input(run.meta)].name])
  window = Window(dataclasses.replace(clip, features={}), logits)
  document, reason = describe_window(window, run), None
  if person.face['reason']:
    reason = f'{person.face["reason"]} ({person.face["detail"]})'
    document |= {'p_fake': None, 'p_calibrated': None, 'verdict': NONE}
  else:
    person.windows.append(window)
  return {'event': 'window', **document, 'reason': reason, 'person': _describe_person(run, person)}


def _score(run: Run, features: np.ndarray) -> np.ndarray:
  """Logits of one window, float32 [M]."""
  return np.ravel(score_arrays(run.score, [features], GROUP))


def _describe_person(run: Run, person: _Person) -> Document:
  """As `detect` does, by the last MOST windows, whose number stands for them."""
  document = describe_person(person.number, person.face, person.windows, run)
  return {**document, 'windows': len(person.windows)}


def _close(run: Run, tally: _Tally, track: int) -> Document:
  """The last that is said of a person."""
  document = _describe_person(run, tally.open.pop(track))
  tally.people[document['verdict']] += 1
  if tally.worst is None or _rank(document) > _rank(tally.worst):
    tally.worst = document
  return {'event': 'person', **document}


def _rank(person: Document) -> float:
  return -1.0 if person['p_fake'] is None else person['p_fake']


def _close_all(run: Run, tally: _Tally) -> Iterator[Document]:
  for track in list(tally.open):
    yield _close(run, tally, track)


def _describe_start(run: Run, source: Source, opened: Opened) -> Document:
  info = opened.info
  return {
    'event': 'start',
    'schema': SCHEMA,
    'tool': describe_tool(),
    'weights': describe_weights(run),
    'source': source.name,
    'live': opened.live,
    'connection': opened.connection,
    'at': datetime.datetime.now(datetime.UTC).isoformat(timespec='milliseconds'),
    'fps': round(info.fps, 3),
    'width': info.width,
    'height': info.height,
    'codec': info.codec,
  }


def _describe_end(ended: Ended, message: Message, tally: _Tally) -> Document:
  n_windows = sum(tally.windows.values())
  lack = {'reason': 'no_face', 'detail': f'no face in view for {IN_VIEW_S:g} s in its {message.frames} frames'}
  if not message.frames or ended.how in ('unreadable', 'crashed'):
    lack = {'reason': 'unreadable', 'detail': ended.detail}
  return {
    'event': 'end',
    **judge_video([tally.worst] if tally.worst else [], lack),
    'how': ended.how,
    'detail': ended.detail,
    'frames': message.frames,
    'dropped': message.dropped,
    'duration_s': round(message.duration_s, 3),
    'connections': tally.connections,
    'windows': {'all': n_windows, **tally.windows},
    'people': {'all': tally.named, **tally.people},
    'latency_s': {
      'mean': round(tally.latencies[0] / n_windows, 3) if n_windows else None,
      'longest': round(tally.latencies[1], 3) if n_windows else None,
    },
  }
