"""What is told of a stream, of what a process saw in it."""

import json
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from lipfake_jax.clips.arrivals import Ended, Opened
from lipfake_jax.clips.source import Source
from lipfake_jax.clips.stream import Glimpse
from lipfake_jax.clips.stream_worker import Message
from lipfake_jax.clips.video import VideoInfo
from lipfake_jax.core.errors import UserError
from lipfake_jax.inference import stream
from lipfake_jax.inference.run import Run
from lipfake_jax.scoring.conformal import Limits
from lipfake_jax.scoring.verdict import Decision
from tests.conftest import make_clip
from tests.json_schema import find_faults

SCHEMA = json.loads((Path(__file__).parents[2] / 'docs' / 'stream.schema.json').read_text())
META = {
  'model': {'name': 'cnn_lstm', 'arguments': {}, 'aggregation': 'mean_logit'}, 'digests': {'weights': 'b' * 64},
}  # fmt: skip
OPENED = Opened(VideoInfo(25.0, 640, 480, 'h264', 0.0), True, 1)


def score(clips: np.ndarray) -> np.ndarray:
  """A clip of gray 50 is sure to be fake, logit 5, one of gray 0 is as likely as not, one of gray 20 has 2."""
  return clips.mean(axis=(1, 2, 3, 4)) / 10


RUN = Run(Path('weights'), score, META, Decision(), Limits(0.1, 0.9, 0.6))


def facts(track: int, reason: str | None = None) -> dict:
  return {
    'track': track, 'from_s': 0.0, 'to_s': 1.0, 'share': 1.0, 'mouth_px': 50.0, 'area': 1.0, 'reason': reason,
    'detail': reason and 'it is so',
  }  # fmt: skip


def window(track: int, gray: int, reason: str | None = None, late_s: float = 0.5, dropped: int = 0) -> Message:
  clip = make_clip(np.full((4, 8, 8, 3), gray, np.uint8), '', track=track)
  return Message(Glimpse(facts(track, reason), clip, 3), time.monotonic() - late_s, 100, 4.0, dropped)


def gone(track: int, reason: str | None = None) -> Message:
  return Message(Glimpse(facts(track, reason), None, 3), 0.0, 100, 4.0, 0)


def other(item: Opened | Ended, frames: int = 100) -> Message:
  return Message(item, 0.0, frames, 4.0, 0)


def tell(*messages: Message) -> list[dict]:
  return list(stream._tell(RUN, Source('udp://a', 'network', 'udp://a'), iter(messages)))


END = other(Ended('ended', 'all'))


def test_people_are_numbered_as_they_come_and_the_worst_decides():
  """Tracks 3 and 8: logits 0 and 2 for the one, a mean of 1; logit 5 for the other."""
  events = tell(other(OPENED), window(3, 0), window(8, 50), window(3, 20), gone(3), gone(8), END)
  assert [event['event'] for event in events] == ['start', 'window', 'window', 'window', 'person', 'person', 'end']
  assert [event['person']['id'] for event in events[1:4]] == [1, 2, 1]
  assert [event['p_fake'] for event in events[1:4]] == pytest.approx([0.5, 0.993307, 0.880797], abs=1e-6)
  assert [event['verdict'] for event in events[1:4]] == ['real', 'fake', 'inconclusive']
  assert (events[3]['person']['p_fake'], events[3]['person']['windows']) == (pytest.approx(0.731059, abs=1e-6), 2)
  assert [(event['id'], event['verdict']) for event in events[4:6]] == [(1, 'inconclusive'), (2, 'fake')]
  end = events[-1]
  assert (end['verdict'], end['people'], end['windows']) == (
    'fake', {'all': 2, 'inconclusive': 1, 'fake': 1}, {'all': 3, 'real': 1, 'fake': 1, 'inconclusive': 1},
  )  # fmt: skip


def test_a_line_says_how_late_it_is_and_what_was_dropped():
  """From the arrival of its last frame: half a second and 2 s, and what scoring takes here."""
  _, one, two, _, end = tell(other(OPENED), window(0, 0), window(0, 0, late_s=2.0, dropped=7), END)
  assert 0.5 <= one['latency_s'] < two['latency_s']
  assert two['latency_s'] >= 2.0
  assert (one['dropped'], two['dropped']) == (0, 7)
  assert end['latency_s']['longest'] == two['latency_s']
  assert one['latency_s'] < end['latency_s']['mean'] < two['latency_s']


def test_a_window_of_a_face_that_is_not_fit_has_a_reason_and_counts_for_nothing():
  _, first, second, person, end = tell(other(OPENED), window(0, 50, 'still'), window(0, 0), gone(0), END)
  assert (first['p_fake'], first['verdict'], first['reason']) == (None, 'none', 'still (it is so)')
  assert (first['person']['verdict'], first['person']['reason']) == ('none', 'still (it is so)')
  assert (second['person']['windows'], person['p_fake'], end['verdict']) == (1, 0.5, 'real')


def test_a_person_is_judged_by_the_last_windows(monkeypatch):
  """The first, the only one that looks like a fake, is forgotten."""
  monkeypatch.setattr(stream, 'MOST', 3)
  *_, person, end = tell(other(OPENED), window(0, 50), *[window(0, 0) for _ in range(3)], gone(0), END)
  assert (person['windows'], person['p_fake']) == (3, 0.5)
  assert end['windows']['all'] == 4


def test_after_a_reconnection_people_are_new():
  events = tell(other(OPENED), window(0, 0), other(OPENED._replace(connection=2)), window(0, 0), END)
  assert [event['event'] for event in events] == ['start', 'window', 'person', 'start', 'window', 'person', 'end']
  assert (events[4]['person']['id'], events[-1]['connections']) == (2, 2)


@pytest.mark.parametrize(
  ('how', 'frames', 'reason'),
  [
    ('ended', 100, 'no_face (no face in view for 0.5 s in its 100 frames)'),
    ('lost', 0, 'unreadable (why)'),
    ('unreadable', 0, 'unreadable (why)'),
    ('crashed', 50, 'unreadable (why)'),
  ],
)
def test_nobody_at_all_has_a_reason(how, frames, reason):
  [end] = tell(other(Ended(how, 'why'), frames))
  assert (end['verdict'], end['reason'], end['how']) == ('none', reason, how)
  assert end['latency_s'] == {'mean': None, 'longest': None}


def test_where_nobody_answers_the_call_was_wrong():
  with pytest.raises(UserError, match='udp://a: refused'):
    tell(other(Ended('no_answer', 'refused'), 0))


@pytest.mark.parametrize(
  'messages',
  [
    (other(OPENED), window(3, 0), window(8, 50, 'still'), gone(3), gone(8, 'still'), END),
    (other(OPENED), window(3, 20, dropped=7), other(OPENED._replace(connection=2)), other(Ended('lost', 'why'))),
    (other(Ended('unreadable', 'why'), 0),),
  ],
)
def test_each_line_is_as_its_schema_says(messages):
  """With and without a verdict, after a reconnection, and where nothing can be read."""
  for event in tell(*messages):
    assert list(find_faults(event, SCHEMA)) == [], event


def test_the_schema_finds_faults():
  """In a line of each kind: another version, a word for a number, a missing key, one too many."""
  start, seen, person, end = tell(other(OPENED), window(0, 0), gone(0), END)
  seen['person'] = {**seen['person'], 'windows': 'one'}
  del end['how']
  faults = [list(find_faults(event, SCHEMA)) for event in (start | {'schema': '2.0'}, seen, person | {'x': 1}, end)]
  assert faults == [
    ["$.schema: '2.0' is not '1.0'"], ["$.person.windows: 'one' is no integer"], ['$: x is not known'],
    ['$: how is missing'],
  ]  # fmt: skip


class Pipe:
  """This side of a pipe through which some messages come, and then the other side is gone, or silent."""

  def __init__(self, messages, silent=False):
    self.messages, self.silent, self.sent = list(messages), silent, []

  def poll(self, seconds):
    return bool(self.messages) or not self.silent

  def recv(self):
    if not self.messages:
      raise EOFError
    return self.messages.pop(0)

  def send(self, word):
    self.sent.append(word)


def listen(pipe, stop=lambda: False):
  process = SimpleNamespace(join=lambda: None, exitcode=-11)
  return [message.item for message in stream._listen(process, pipe, stop)]


def test_a_process_that_crashes_ends_the_stream_with_what_was_seen():
  items = listen(Pipe([window(0, 50)]))
  assert isinstance(items[0], Glimpse)
  assert items[1] == Ended('crashed', 'its decoding ended the process (SIGSEGV)')


def test_a_process_is_told_once_to_stop_and_is_waited_for_so_long(monkeypatch):
  monkeypatch.setattr(stream, 'PATIENCE_S', 0.05)
  pipe = Pipe([window(0, 50)], silent=True)
  assert listen(pipe, lambda: True)[1:] == [Ended('interrupted', 'the rest was not looked at')]
  assert pipe.sent == ['stop']
