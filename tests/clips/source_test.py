"""What a user may name as a stream, and what FFmpeg may reach from there."""

import contextlib
import os
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import av
import pytest

from lipfake_jax.clips import source
from lipfake_jax.clips.container import VideoError
from lipfake_jax.clips.video import decode_frames
from lipfake_jax.core.errors import UserError


@pytest.mark.parametrize(
  ('text', 'kind', 'name'),
  [
    ('-', 'pipe', 'standard input'),
    ('rtsp://user:secret@10.0.0.1/cam?x=1', 'network', 'rtsp://10.0.0.1/cam?x=1'),
    ('HTTP://host/live.ts', 'network', 'http://host/live.ts'),
    ('udp://@239.0.0.1:5000', 'network', 'udp://239.0.0.1:5000'),
  ],
)
def test_sources_and_their_names_without_passwords(text, kind, name):
  found = source.find_source(text)
  assert (found.kind, found.name) == (kind, name)
  assert found.place == text.replace('HTTP', 'http')


def test_a_file_is_meant_literally(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  (tmp_path / '7').touch()
  assert source.find_source('7') == source.Source('7', 'file', '7')


def test_what_is_no_source_is_told(tmp_path):
  os.mkfifo(tmp_path / 'fifo')
  (tmp_path / 'broken').symlink_to('nowhere')
  for text, message in (
    ('none.mp4', 'no such file or camera'),
    ('', 'an empty name: no such'),
    ('9999', 'there is no camera /dev/video9999'),
    (str(tmp_path), 'it is a folder'),
    (str(tmp_path / 'fifo'), 'use lipfake stream - <'),
    (str(tmp_path / 'broken'), 'No such file'),
    ('/dev/null', 'neither a file nor a camera'),
    ('file:///etc/passwd', 'an address begins with one of rtsp://'),
    ('ftp://u:secret@host/a.mp4', 'ftp://host/a.mp4: an address'),
    ('concat://a|b', 'an address begins with'),
  ):
    with pytest.raises(UserError) as error:
      source.find_source(text)
    assert message in str(error.value)
    assert 'secret' not in str(error.value)


@pytest.fixture
def serve():
  """A function that answers every request on the loopback address with a body, or sends it elsewhere."""
  servers = []

  def start(body: bytes = b'', code: int = 200, location: str = '') -> str:
    class Handler(BaseHTTPRequestHandler):
      def do_GET(self):
        self.send_response(code)
        if location:
          self.send_header('Location', location)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

      def log_message(self, *arguments):
        pass

    servers.append(ThreadingHTTPServer(('127.0.0.1', 0), Handler))
    threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
    return f'http://127.0.0.1:{servers[-1].server_port}/a'

  yield start
  for server in servers:
    server.shutdown()
    server.server_close()


def open_address(address: str, timeout_s: float = 5.0) -> tuple[int, int]:
  """The size of the film there."""
  with source.open_source(source.find_source(address), None, timeout_s) as (_, stream):
    return stream.codec_context.width, stream.codec_context.height


def test_an_address_opens(serve, face_video):
  assert open_address(serve(face_video.read_bytes())) == (512, 400)


def answer_rtsp(server: socket.socket, broadcast: bytes) -> None:
  """As much of a server as one client needs: MPEG-TS over RTP, in the connection itself (RFC 2326, section 10.12)."""
  description = 'v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=a\r\nt=0 0\r\nm=video 0 RTP/AVP 33\r\na=control:1\r\n'
  headers = {
    'OPTIONS': 'Public: DESCRIBE, SETUP, PLAY\r\n\r\n',
    'DESCRIBE': f'Content-Type: application/sdp\r\nContent-Length: {len(description)}\r\n\r\n{description}',
    'SETUP': 'Session: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n',
    'PLAY': 'Session: 1\r\n\r\n',
  }
  client, _ = server.accept()
  with client, client.makefile('rb') as requests:
    method = ''
    while method != 'PLAY':
      method, *_ = requests.readline().decode().split()
      lines = list(iter(lambda: requests.readline().decode().strip(), ''))
      [number] = [line for line in lines if line.startswith('CSeq')]
      client.sendall(f'RTSP/1.0 200 OK\r\n{number}\r\n{headers[method]}'.encode())
    for number, start in enumerate(range(0, len(broadcast), 7 * 188)):
      packet = struct.pack('>BBHII', 0x80, 33, number, 0, 0) + broadcast[start : start + 7 * 188]
      client.sendall(struct.pack('>cBH', b'$', 0, len(packet)) + packet)
    with contextlib.suppress(ConnectionResetError):
      requests.read()  # until the client goes


def test_rtsp_is_read_over_tcp(face_video, tmp_path):
  with av.open(str(face_video)) as film, av.open(str(tmp_path / 'a.ts'), 'w') as target:
    sent = target.add_stream_from_template(film.streams.video[0])
    for packet in film.demux(film.streams.video[0]):
      if packet.dts is not None:
        packet.stream = sent
        target.mux(packet)
  with socket.create_server(('127.0.0.1', 0)) as server:
    answering = threading.Thread(target=answer_rtsp, args=(server, (tmp_path / 'a.ts').read_bytes()))
    answering.start()
    address = source.find_source(f'rtsp://127.0.0.1:{server.getsockname()[1]}/a')
    with source.open_source(address, None, 5.0) as (container, stream):
      frames = [frame for frame, _ in zip(decode_frames(container, stream), range(60), strict=False)]
    answering.join()
  assert (len(frames), frames[0].luma.shape) == (60, (400, 512))


def test_a_pipe_opens(face_video):
  with open(face_video, 'rb') as file, source.open_source(source.find_source('-'), file.fileno(), 1.0) as (_, stream):
    assert stream.codec_context.width == 512


def test_no_answer_is_told_apart_from_no_video(serve):
  with socket.socket() as free:
    free.bind(('127.0.0.1', 0))
    closed = f'http://127.0.0.1:{free.getsockname()[1]}/a'
    with pytest.raises(source.NoAnswer, match='Connection refused'):
      open_address(closed)
  with pytest.raises(source.NoAnswer, match='404'):
    open_address(serve(code=404))
  with pytest.raises(VideoError) as error:
    open_address(serve(b'<html>no video</html>' * 100))
  assert not isinstance(error.value, source.NoAnswer)


def test_silence_is_waited_for_no_longer_than_was_said():
  with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
    free.bind(('127.0.0.1', 0))
    port = free.getsockname()[1]
  with pytest.raises(source.NoAnswer, match=r'no answer within 0\.3 s'):
    open_address(f'udp://127.0.0.1:{port}', 0.3)


def test_neither_a_redirection_nor_a_playlist_leads_to_a_file(serve, face_video):
  """The file would open by itself."""
  with pytest.raises(VideoError):
    open_address(serve(code=302, location=f'file://{face_video}'))
  hls, concat = '#EXTM3U\n#EXTINF:3,\n{}\n#EXT-X-ENDLIST\n', 'ffconcat version 1.0\nfile {}\n'
  for playlist in (hls, concat):
    with pytest.raises(VideoError):
      open_address(serve(playlist.format(face_video).encode()))
