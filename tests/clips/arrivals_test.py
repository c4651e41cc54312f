"""What waits, what is dropped, and what happens where a connection ends."""

import contextlib
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from lipfake_jax.clips import arrivals
from lipfake_jax.clips.arrivals import Arrival, Closed, Ended, Opened, Queue
from lipfake_jax.clips.source import NoAnswer, Source, find_source
from lipfake_jax.clips.video import Frame, VideoInfo

INFO = VideoInfo(25.0, 8, 8, 'h264', 0.0)
LIVE = Opened(INFO, True, 1)
STORED = Opened(INFO, False, 1)
END = Ended('ended', '')
ADDRESS = Source('udp://127.0.0.1:1', 'network', '')


def frame(index: int, time_s: float = 0.0) -> Frame:
  plane = np.zeros((8, 8), np.uint8)
  return Frame(index, time_s, (plane, plane, plane), np.zeros((3, 4), np.float32))


@pytest.fixture
def clock(monkeypatch):
  """A clock that goes on only where somebody sleeps, or sets `now`."""
  state = SimpleNamespace(now=100.0, slept=[])

  def sleep(seconds: float) -> None:
    state.slept.append(seconds)
    state.now += seconds

  monkeypatch.setattr(arrivals, 'time', SimpleNamespace(monotonic=lambda: state.now, sleep=sleep))
  return state


def test_a_live_source_loses_all_that_waits_once_the_first_waited_too_long(clock):
  """A frame a second: when the fourth comes the first is 3 s old, and the limit is 2.5."""
  queue = Queue(lag_s=2.5)

  def arrive():
    yield LIVE
    for index in range(6):
      clock.now += 1
      yield Arrival(frame(index), clock.now)
    yield END

  queue.fill(arrive())
  taken = list(queue.take(lambda: False))
  assert queue.dropped == 3
  assert taken[0] == LIVE
  assert [item.frame.index for item in taken[1:-1]] == [3, 4, 5]
  assert taken[-1] == END


def test_a_live_source_loses_what_takes_too_much_room(clock, monkeypatch):
  monkeypatch.setattr(arrivals, 'MOST_BYTES', 3 * 3 * 64)  # three frames of three planes
  queue = Queue(lag_s=100.0)
  queue.fill([LIVE, *(Arrival(frame(index), clock.now) for index in range(6)), END])
  assert queue.dropped == 4
  assert [item.frame.index for item in list(queue.take(lambda: False))[1:-1]] == [4, 5]


def test_a_stored_source_waits_and_loses_nothing():
  """With room for four: the thread that fills stops there until somebody takes."""
  queue, given = Queue(lag_s=0.0), []

  def arrive():
    yield STORED
    for index in range(20):
      given.append(index)
      yield Arrival(frame(index), 0.0)
    yield END

  thread = threading.Thread(target=queue.fill, args=(arrive(),))
  thread.start()
  thread.join(0.2)
  assert len(given) == arrivals.AHEAD
  taken = list(queue.take(lambda: False))
  thread.join()
  assert [item.frame.index for item in taken[1:-1]] == list(range(20))
  assert queue.dropped == 0


def test_a_stop_ends_it_though_nothing_arrives():
  answers = iter([False, False, True])
  assert list(Queue(1.0).take(lambda: next(answers))) == [Ended('interrupted', 'the rest was not looked at')]


def test_a_fault_of_the_program_is_raised_where_it_is_looked_for():
  queue = Queue(1.0)
  queue.fill(1 / number for number in (1, 0))
  with pytest.raises(ZeroDivisionError):
    list(queue.take(lambda: False))


def test_a_file_is_opened_once_and_keeps_its_times(face_video):
  opened, *frames, closed, ended = arrivals.connect(find_source(str(face_video)), None, 1.0, 3)
  assert (opened.live, opened.info.width, closed, ended.how) == (False, 512, Closed(), 'ended')
  assert [item.frame.index for item in frames] == list(range(70))
  assert frames[-1].frame.time_s == pytest.approx(69 / 25)


def test_a_file_without_a_video_is_unreadable(text_video):
  [ended] = arrivals.connect(find_source(str(text_video)), None, 1.0, 3)
  assert ended.how == 'unreadable'


def play(monkeypatch, *connections):
  """An address at which these frames are sent, connection by connection, or that fails with an error."""
  waiting = iter(connections)

  @contextlib.contextmanager
  def open_source(source, descriptor, timeout_s):
    found = next(waiting)
    if isinstance(found, Exception):
      raise found
    yield found, None

  monkeypatch.setattr(arrivals, 'open_source', open_source)
  monkeypatch.setattr(arrivals, 'describe', lambda container, stream: INFO)
  monkeypatch.setattr(arrivals, 'decode_frames', lambda container, stream: iter(container))


def test_an_address_is_connected_anew_and_time_goes_on_by_the_clock(clock, monkeypatch):
  """Two frames, silence; a second later two more, whose own times begin anew; then nobody answers twice."""
  play(
    monkeypatch,
    [frame(0, 7.0), frame(1, 7.04)],
    [frame(0, 3.0), frame(1, 3.04)],
    NoAnswer('no answer'),
    NoAnswer('refused'),
  )
  items = list(arrivals.connect(ADDRESS, None, 10.0, 3))
  assert [type(item) for item in items] == [
    Opened, Arrival, Arrival, Closed, Opened, Arrival, Arrival, Closed, Closed, Closed, Ended,
  ]  # fmt: skip
  assert [item.connection for item in items if isinstance(item, Opened)] == [1, 2]
  passed = [item.frame for item in items if isinstance(item, Arrival)]
  assert [(one.index, round(one.time_s, 2)) for one in passed] == [(0, 0.0), (1, 0.04), (2, 1.04), (3, 1.08)]
  assert items[-1] == Ended('lost', 'refused; 3 reconnections, as many as are allowed')
  assert clock.slept == [0, 1, 2, 4]


def test_an_address_that_never_answers_is_not_tried_again(clock, monkeypatch):
  play(monkeypatch, NoAnswer('refused'))
  assert list(arrivals.connect(ADDRESS, None, 10.0, 3)) == [Ended('no_answer', 'refused')]


def test_a_camera_is_not_connected_anew(clock, monkeypatch):
  play(monkeypatch, [frame(0)])
  assert list(arrivals.connect(Source('/dev/video0', 'camera', ''), None, 10.0, 3))[-1] == (
    Ended('lost', 'the sender ended it')
  )


def test_silence_is_said_to_be_one(clock, monkeypatch):
  def silent():
    yield frame(0)
    clock.now += 10

  play(monkeypatch, silent())
  assert list(arrivals.connect(ADDRESS, None, 10.0, 0))[-1].detail.startswith('no frame for 10 s')
