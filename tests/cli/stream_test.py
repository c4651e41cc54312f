"""`lipfake stream` as a user runs it: files, pipes, addresses in real time, and how it ends."""

import contextlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import numpy as np
import pytest

from lipfake_jax.cli.main import main
from lipfake_jax.clips.analysis import analyse_frames
from lipfake_jax.clips.clips import cut_clip
from lipfake_jax.clips.video import probe, read_frames
from lipfake_jax.clips.windows import trust_estimates
from lipfake_jax.inference.detect import open_weights
from tests.cli.detect_test import ROOT, SPEC, save_weights
from tests.json_schema import find_faults

SCHEMA = json.loads((ROOT / 'docs' / 'stream.schema.json').read_text())
COMMAND = [sys.executable, '-c', 'from lipfake_jax.cli.main import main; main()', 'stream']


@pytest.fixture(scope='module')
def weights(tmp_path_factory):
  """All is fake to them."""
  return save_weights(tmp_path_factory.mktemp('weights')) / 'fake'


def ended(*arguments) -> int:
  """The exit code."""
  try:
    main(['stream', *map(str, arguments)])
  except SystemExit as stop:
    return stop.code
  return 0


def read_events(text: str) -> list[dict]:
  return [json.loads(line) for line in text.splitlines()]


@contextlib.contextmanager
def started(*arguments, **options) -> Iterator[subprocess.Popen]:
  """The command as a process; its lines are read from `stdout`."""
  command = [*COMMAND, *map(str, arguments)]
  with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options) as process:
    try:
      yield process
    finally:
      process.kill()


def await_windows(process: subprocess.Popen, count: int) -> list[dict]:
  """The events up to and with so many windows."""
  events: list[dict] = []
  while sum(event['event'] == 'window' for event in events) < count:
    events.append(json.loads(process.stdout.readline()))
  return events


def packets_in_real_time(video: Path, stop: threading.Event, output) -> None:
  """Sends a video over and over, as MPEG-TS, each packet when it is due, until told to stop."""
  with av.open(str(video)) as source, av.open(output, 'w', format='mpegts') as target:
    stream = source.streams.video[0]
    sent = target.add_stream_from_template(stream)
    began, shift = time.monotonic(), 0
    while True:
      for packet in source.demux(stream):
        if packet.dts is None:
          continue
        packet.pts, packet.dts, packet.stream = packet.pts + shift, packet.dts + shift, sent
        due_s = float(packet.dts * packet.time_base)
        if stop.wait(max(0.0, began + due_s - time.monotonic())):
          return
        target.mux(packet)
      shift += stream.duration
      source.seek(0)


@pytest.fixture(scope='module')
def events(face_video, weights) -> list[dict]:
  """Of the face's file, as the command prints them."""
  with contextlib.redirect_stdout(io.StringIO()) as printed:
    assert ended(face_video, f'--weights={weights}') == 0
  return read_events(printed.getvalue())


def test_a_file_is_a_start_windows_a_person_and_an_end(events, face_video):
  """70 frames at 25 a second: 11 windows of 6."""
  start, *windows, person, end = events
  assert [event['event'] for event in events] == ['start', *['window'] * 11, 'person', 'end']
  assert (start['source'], start['live'], start['fps'], start['width']) == (str(face_video), False, 25.0, 512)
  assert [w['start_s'] for w in windows] == [round(0.24 * i, 3) for i in range(11)]
  assert [w['end_s'] for w in windows] == [round(0.24 * (i + 1), 3) for i in range(11)]
  assert [w['person']['windows'] for w in windows] == list(range(1, 12))
  assert {w['person']['id'] for w in windows} == {1}
  assert (person['verdict'], person['windows'], person['to_s']) == ('fake', 11, 2.76)
  assert person['p_fake'] == windows[-1]['person']['p_fake'] == end['p_fake']
  assert {key: end[key] for key in ('verdict', 'how', 'frames', 'dropped', 'windows', 'people')} == {
    'verdict': 'fake', 'how': 'ended', 'frames': 70, 'dropped': 0,
    'windows': {'all': 11, 'fake': 11}, 'people': {'all': 1, 'fake': 1},
  }  # fmt: skip


def test_each_line_is_as_its_schema_says(events):
  for event in events:
    assert list(find_faults(event, SCHEMA)) == [], event


def test_each_window_says_how_late_it_is(events):
  latencies = [event['latency_s'] for event in events if event['event'] == 'window']
  assert min(latencies) > 0
  assert events[-1]['latency_s']['longest'] == max(latencies)


def test_its_scores_are_those_of_a_file(events, face_video, weights, models):
  """All windows at once, cut from what is known of the whole video: to 1e-6, to which scores are rounded, twice."""
  run = open_weights(str(weights))
  analysis = analyse_frames(probe(face_video), read_frames(face_video), SPEC, models)
  track = trust_estimates(analysis.tracks[0])
  windows = [event for event in events if event['event'] == 'window']
  begins = [int(np.argmin(np.abs(track.times - window['start_s']))) for window in windows]
  clips = [cut_clip(analysis, track, np.arange(start, start + 6), (), SPEC, '').frames for start in begins]
  p_fake = 1 / (1 + np.exp(-run.score(np.stack(clips)).ravel().astype(float)))
  np.testing.assert_allclose([window['p_fake'] for window in windows], p_fake, atol=2e-6)


def test_no_face_ends_with_3(blank_video, weights, capsys):
  assert ended(blank_video, f'--weights={weights}') == 3
  start, end = read_events(capsys.readouterr().out)
  assert (start['event'], end['event'], end['verdict'], end['people']) == ('start', 'end', 'none', {'all': 0})
  assert end['reason'] == 'no_face (no face in view for 0.5 s in its 70 frames)'


def test_a_wrong_call_ends_with_2(tmp_path, weights, capsys):
  for arguments, message in (
    ((tmp_path,), 'it is a folder'),
    ((tmp_path / 'none.mp4',), 'no such file or camera'),
    (('mms://host/a',), 'an address begins with'),
    (('-', '--timeout=0'), '--timeout=0.0: at least 0.1'),
    (('-', '--reconnects=-1'), 'at least 0'),
    ((), 'required: SOURCE'),
  ):
    assert ended(*arguments) == 2
    assert message in capsys.readouterr().err


@pytest.mark.slow
def test_an_address_that_does_not_answer_ends_with_2(weights, capsys):
  with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
    free.bind(('127.0.0.1', 0))
    port = free.getsockname()[1]
  assert ended(f'udp://127.0.0.1:{port}', f'--weights={weights}', '--timeout=0.5') == 2
  assert f'udp://127.0.0.1:{port}: no answer within 0.5 s' in capsys.readouterr().err


@pytest.mark.slow
def test_ctrl_c_ends_a_pipe_that_stands_still_with_what_is_decided(face_video, weights, tmp_path):
  """Standard input gets a video and stays open; the signal comes to all processes, as from a terminal."""
  video = tmp_path / 'face.ts'
  with av.open(str(face_video)) as source, av.open(str(video), 'w') as target:
    sent = target.add_stream_from_template(source.streams.video[0])
    for packet in source.demux(source.streams.video[0]):
      if packet.dts is not None:
        packet.stream = sent
        target.mux(packet)
  environment = {**os.environ, 'TMPDIR': str(tmp_path)}
  options = {'stdin': subprocess.PIPE, 'start_new_session': True, 'env': environment}
  with started('-', f'--weights={weights}', **options) as process:
    process.stdin.buffer.write(video.read_bytes())
    process.stdin.flush()
    await_windows(process, 2)
    os.killpg(process.pid, signal.SIGINT)
    end = read_events(process.stdout.read())[-1]
    assert process.wait() == 128 + signal.SIGINT
    assert process.stderr.read().startswith('interrupted: windows ')
  assert (end['how'], end['verdict'], end['dropped']) == ('interrupted', 'fake', 0)
  assert not list(tmp_path.glob('lipfake-*'))


@pytest.mark.slow
def test_where_nobody_reads_the_lines_it_ends(face_video, weights):
  with started(face_video, f'--weights={weights}') as process:
    process.stdout.readline()
    process.stdout.close()
    assert process.wait() == 128 + signal.SIGPIPE
    assert process.stderr.read() == 'nobody reads the lines any more\n'


@pytest.mark.slow
def test_udp_that_stops_in_the_middle(face_video, weights):
  """Sent in real time until two windows are there; then silence, for longer than the limit."""
  with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
    free.bind(('127.0.0.1', 0))
    address = f'udp://127.0.0.1:{free.getsockname()[1]}'
  stop = threading.Event()
  sender = threading.Thread(target=packets_in_real_time, args=(face_video, stop, f'{address}?pkt_size=1316'))
  sender.start()
  try:
    with started(address, f'--weights={weights}', '--timeout=5', '--reconnects=0') as process:
      start, *_ = await_windows(process, 2)
      stop.set()
      end = read_events(process.stdout.read())[-1]
      assert process.wait() == 0
  finally:
    stop.set()
    sender.join()
  assert (start['live'], start['codec'], start['connection']) == (True, 'h264', 1)
  assert (end['how'], end['verdict']) == ('lost', 'fake')
  assert end['detail'].startswith('no frame for 5 s')


@pytest.mark.slow
def test_http_that_breaks_is_connected_anew(face_video, weights):
  """A live broadcast without a length: each connection breaks off when it is told to, and the third is refused."""
  stops = [threading.Event(), threading.Event()]

  class Broadcast(BaseHTTPRequestHandler):
    served = 0

    def do_GET(self):
      self.send_response(200 if Broadcast.served < len(stops) else 404)
      self.end_headers()
      if Broadcast.served < len(stops):
        Broadcast.served += 1
        with contextlib.suppress(OSError):
          packets_in_real_time(face_video, stops[Broadcast.served - 1], self.wfile)

    def log_message(self, *arguments):
      pass

  server = ThreadingHTTPServer(('127.0.0.1', 0), Broadcast)
  threading.Thread(target=server.serve_forever, daemon=True).start()
  address = f'http://127.0.0.1:{server.server_port}/live'
  try:
    with started(address, f'--weights={weights}', '--timeout=5', '--reconnects=2') as process:
      seen = [await_windows(process, 1)]
      stops[0].set()
      while (event := json.loads(process.stdout.readline()))['event'] != 'start':
        pass
      seen.append([event, *await_windows(process, 1)])
      stops[1].set()
      end = read_events(process.stdout.read())[-1]
      assert process.wait() == 0
  finally:
    for stop in stops:
      stop.set()
    server.shutdown()
    server.server_close()
  assert [(events[0]['event'], events[0]['connection']) for events in seen] == [('start', 1), ('start', 2)]
  assert seen[1][-1]['start_s'] > seen[0][-1]['end_s']
  assert (end['how'], end['connections'], end['verdict']) == ('lost', 2, 'fake')
  assert '404' in end['detail']
