"""What is taken for the film in a file, which way up it is shown, and what a file can't reach."""

import os
import socket
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition

from lipfake_jax.clips.container import FORMATS, VideoError, holds_video
from lipfake_jax.clips.video import probe, read_frames
from tests.conftest import write_video

NONE, DEFAULT, COVER = Disposition(0), Disposition.default, Disposition.attached_pic


def write_streams(path: Path, *streams: tuple) -> Path:
  """A file of several video streams: of each its codec, its side in pixels, its number of frames, its disposition."""
  with av.open(str(path), 'w') as container:
    opened = []
    for codec, side, frames, disposition in streams:
      stream = container.add_stream(codec, rate=25)
      stream.height = stream.width = side
      stream.pix_fmt = 'yuvj420p' if codec == 'mjpeg' else 'yuv420p'
      stream.disposition = disposition
      opened.append((stream, side, frames))
    for stream, side, frames in opened:
      for _ in range(frames):
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((side, side, 3), 128, np.uint8))))
      container.mux(stream.encode(None))
  return path


FILM = ('mpeg4', 64, 9, DEFAULT)


@pytest.mark.parametrize(
  ('name', 'streams', 'side'),
  [
    ('one.mp4', [FILM], 64),
    ('cover_first.mp4', [('mjpeg', 200, 1, COVER), FILM], 64),
    ('cover_last.mp4', [FILM, ('mjpeg', 200, 1, COVER)], 64),
    ('cover_without_a_mark.mkv', [('mjpeg', 200, 1, NONE), ('mpeg4', 64, 9, NONE)], 64),
    ('cover_without_a_mark.avi', [('mjpeg', 200, 1, NONE), FILM], 64),
    ('cover_without_a_mark.wmv', [('mjpeg', 200, 1, NONE), FILM], 64),
    ('the_default_is_last.mkv', [('mpeg4', 128, 9, NONE), FILM], 64),
    ('two_defaults.mp4', [FILM, ('mpeg4', 128, 9, DEFAULT)], 128),
    ('a_sign_interpreter.mkv', [('mpeg4', 128, 9, Disposition.hearing_impaired), ('mpeg4', 64, 9, NONE)], 64),
    (
      'motion_jpeg_beside_an_interpreter.mkv',
      [('mpeg4', 128, 9, Disposition.hearing_impaired), ('mjpeg', 64, 9, NONE)],
      64,
    ),
    ('motion_jpeg_is_the_default.mp4', [('mpeg4', 128, 9, NONE), ('mjpeg', 64, 9, DEFAULT)], 64),
    ('larger_in_a_broadcast.ts', [('mpeg2video', 64, 9, NONE), ('mpeg2video', 128, 9, NONE)], 128),
    ('longer_in_a_broadcast.ts', [('mpeg2video', 64, 3, NONE), ('mpeg2video', 64, 9, NONE)], 64),
    ('motion_jpeg.avi', [('mjpeg', 64, 9, DEFAULT)], 64),
  ],
)
def test_the_film_is_the_stream_that_players_show(tmp_path, name, streams, side):
  path = write_streams(tmp_path / name, *streams)
  assert probe(path).width == side
  frames = list(read_frames(path))
  assert (len(frames), frames[0].luma.shape) == (9, (side, side))


def write_song(path: Path, cover: bool) -> Path:
  with av.open(str(path), 'w', format='mp4') as container:
    sound = container.add_stream('aac', rate=8000, layout='mono')
    picture = container.add_stream('mjpeg', rate=1) if cover else None
    if picture:
      picture.width = picture.height = 64
      picture.pix_fmt, picture.disposition = 'yuvj420p', COVER
      container.mux(picture.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8))))
    for i in range(4):
      frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format='fltp', layout='mono')
      frame.sample_rate, frame.pts = 8000, 1024 * i
      container.mux(sound.encode(frame))
    container.mux(sound.encode(None))
  return path


@pytest.mark.parametrize('cover', [False, True])
@pytest.mark.parametrize('name', ['song.mp4', 'song.m4a'])
def test_a_song_is_no_video_with_a_cover_or_without(tmp_path, name, cover):
  path = write_song(tmp_path / name, cover)
  with pytest.raises(VideoError, match='no video stream'):
    list(read_frames(path))
  with pytest.raises(VideoError, match='no video stream'):
    probe(path)
  assert not holds_video(path)


# The display matrix (a, b, c, d) of a track header: a pixel at (x, y) is shown at (ax + cy, bx + dy). The quarters of
# the stored picture are named AB above and CD below; beside each matrix stands what is to be seen.
ORIENTATIONS = {
  'as it is': ((1, 0, 0, 1), 'AB/CD'),
  'mirrored, as front cameras do': ((-1, 0, 0, 1), 'BA/DC'),
  'upside down': ((-1, 0, 0, -1), 'DC/BA'),
  'upside down and mirrored': ((1, 0, 0, -1), 'CD/AB'),
  'a quarter turn clockwise': ((0, 1, -1, 0), 'CA/DB'),
  'a quarter turn counter-clockwise': ((0, -1, 1, 0), 'BD/AC'),
  'clockwise, then mirrored': ((0, 1, 1, 0), 'AC/BD'),
  'counter-clockwise, then mirrored': ((0, -1, -1, 0), 'DB/CA'),
  'a tilt of ten degrees': ((0.985, 0.174, -0.174, 0.985), 'AB/CD'),
  'nothing at all': ((0, 0, 0, 0), 'AB/CD'),
}
LEVELS = {'A': 20, 'B': 90, 'C': 160, 'D': 230}


def with_matrix(mp4: bytes, matrix: tuple) -> bytes:
  """Writes a matrix into all track headers: a b u / c d v / x y w, of which the first two columns are in 16.16."""

  def box(a, b, c, d):
    numbers = (round(65536 * v) for v in (a, b, 0, c, d, 0, 0, 0, 16384))
    return b''.join(number.to_bytes(4, 'big', signed=True) for number in numbers)

  before, *tracks = mp4.split(b'tkhd')
  return b'tkhd'.join([before, *(track.replace(box(1, 0, 0, 1), box(*matrix), 1) for track in tracks)])


@pytest.mark.parametrize('name', ORIENTATIONS)
def test_the_whole_display_matrix_counts(tmp_path, name):
  matrix, shown = ORIENTATIONS[name]
  stored = np.zeros((64, 128, 3), np.uint8)
  for letter, level in LEVELS.items():
    row, column = divmod('ABCD'.index(letter), 2)
    stored[32 * row : 32 * row + 32, 64 * column : 64 * column + 64] = level
  path = write_video(tmp_path / 'v.mp4', [stored] * 3)
  path.write_bytes(with_matrix(path.read_bytes(), matrix))
  luma = next(read_frames(path)).luma
  assert luma.shape == ((64, 128) if matrix[0] or not matrix[1] else (128, 64))
  height, width = luma.shape
  letters = sorted(LEVELS)
  seen = [
    min(letters, key=lambda letter: abs(_gray(luma[y, x]) - LEVELS[letter]))
    for y in (height // 4, 3 * height // 4)
    for x in (width // 4, 3 * width // 4)
  ]
  assert ''.join(seen[:2]) + '/' + ''.join(seen[2:]) == shown


def _gray(luma: int) -> float:
  return (int(luma) - 16) * 255 / 219


def test_pixels_are_made_square_before_the_picture_is_turned(tmp_path):
  """Stored 64 x 96 with pixels twice as wide as high, turned by a quarter: shown 96 wide and 128 high."""
  path = write_video(tmp_path / 'v.mp4', [np.full((96, 64, 3), 99, np.uint8)] * 2, aspect='2/1')
  path.write_bytes(with_matrix(path.read_bytes(), (0, 1, -1, 0)))
  assert next(read_frames(path)).luma.shape == (128, 96)


def remux(source: Path, path: Path, shift_s: float = 0.0, filter_spec: str = '') -> Path:
  """The packets of a video as they are, but later by some seconds, or changed by a bitstream filter of FFmpeg's."""
  with av.open(str(source)) as old, av.open(str(path), 'w') as new:
    stream = old.streams.video[0]
    copy = new.add_stream_from_template(stream)
    change = av.bitstream.BitStreamFilterContext(filter_spec or 'null', stream)
    for packet in old.demux(stream):
      for changed in change.filter(packet if packet.dts is not None else None):
        ticks = round(shift_s / changed.time_base)
        changed.stream, changed.pts, changed.dts = copy, (changed.pts or 0) + ticks, (changed.dts or 0) + ticks
        new.mux(changed)
  return path


@pytest.mark.parametrize(
  ('spec', 'shape'), [('rotate=90', (96, 64)), ('rotate=180', (64, 96)), ('flip=horizontal', (64, 96))]
)
def test_an_orientation_in_the_frames_themselves_counts(tmp_path, spec, shape):
  """H.264 has it too, in a message beside a frame (ITU-T H.264, section D.2.27)."""
  picture = np.full((64, 96, 3), 230, np.uint8)
  picture[:32, :48] = 20  # dark above on the left
  source = write_video(tmp_path / 'plain.mp4', [picture] * 3)
  path = remux(source, tmp_path / 'v.mkv', filter_spec=f'h264_metadata=display_orientation=insert:{spec}')
  luma = next(read_frames(path)).luma
  assert luma.shape == shape
  height, width = luma.shape
  dark = {'rotate=90': (3, 1), 'rotate=180': (3, 3), 'flip=horizontal': (1, 3)}[spec]  # in quarters; turned to the left
  assert luma[dark[0] * height // 4, dark[1] * width // 4] < 60


@pytest.mark.parametrize(('shift_s', 'frames', 'first'), [(-0.4, 30, 60), (0.0, 40, 20), (0.4, 40, 20)])
def test_what_an_edit_list_cuts_off_is_not_shown(tmp_path, shift_s, frames, first):
  """Forty frames, each brighter by four levels, of which a cut that copies packets hides the first ten."""
  ramp = [np.full((64, 96, 3), 20 + 4 * i, np.uint8) for i in range(40)]
  source = write_video(tmp_path / 'plain.mp4', ramp, g='40')
  found = list(read_frames(remux(source, tmp_path / 'cut.mp4', shift_s)))
  assert len(found) == frames
  assert found[0].rgb.mean() == pytest.approx(first, abs=4)
  np.testing.assert_allclose([f.time_s for f in found], np.arange(frames) / 25, atol=1e-6)


# Texts that name another file, and the name that each has.
HLS = '#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n{}\n#EXT-X-ENDLIST\n'
SDP = 'v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n'
MPD = (
  '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT3S">'
  '<Period><AdaptationSet contentType="video" mimeType="video/mp4"><Representation id="0" bandwidth="1">'
  '<BaseURL>{}</BaseURL></Representation></AdaptationSet></Period></MPD>'
)
POINTERS = {
  'hls': (HLS, 'x.m3u8'),
  'hls, named like a video': (HLS, 'x.mp4'),
  'concat': ("ffconcat version 1.0\nfile '{}'\n", 'x.mp4'),
  'concat of an unsafe path': ("ffconcat version 1.0\nfile 'file:{}'\n", 'x.mp4'),
  'concat by its suffix': ("ffconcat version 1.0\nfile '{}'\n", 'x.ffconcat'),
  'dash': (MPD, 'x.mpd'),
  'dash, named like a video': (MPD, 'x.mp4'),
  'sdp': (SDP, 'x.sdp'),
  'sdp, named like a video': (SDP, 'x.mp4'),
  'vobsub': ('# VobSub index file, v7 (do not modify this line!)\nid: en, index: 0\n# {}\n', 'x.idx'),
  'list of songs': ('#EXTM3U\n{}\n', 'x.m3u'),
  'playlist': ('[playlist]\nFile1={}\nNumberOfEntries=1\n', 'x.pls'),
  'windows playlist': ('<asx version="3.0"><entry><ref href="{}"/></entry></asx>', 'x.asx'),
  'real playlist': ('rtsp://127.0.0.1/{}\n', 'x.ram'),
  'metafile': ('[Reference]\nRef1={}\n', 'x.wmv'),
  'smil': ('<smil><body><video src="{}"/></body></smil>', 'x.smil'),
  'imf': (
    '<?xml version="1.0"?><CompositionPlaylist xmlns="http://www.smpte-ra.org/schemas/2067-3/2016"><Id>{}</Id>'
    '</CompositionPlaylist>',
    'x.xml',
  ),
  'svg': ('<svg xmlns="http://www.w3.org/2000/svg"><image href="{}"/></svg>', 'x.mp4'),
  'image pattern': ('{}', 'x%d.png'),
  'glob': ('{}', '*.png'),
}
READ_BY_PLAIN_FFMPEG = ('hls', 'concat', 'concat by its suffix', 'image pattern')  # beside it, without our limits


@pytest.mark.parametrize('neighbour', ['relative', 'absolute', 'address'])
@pytest.mark.parametrize('kind', POINTERS)
def test_a_text_that_names_its_neighbour_is_no_video(tmp_path, kind, neighbour):
  text, name = POINTERS[kind]
  film = write_streams(tmp_path / 'neighbour.ts', ('mpeg2video', 64, 9, NONE))
  write_video(tmp_path / 'x1.png', [np.zeros((64, 64, 3), np.uint8)], codec='png', pix_fmt='rgb24', update='1')
  with socket.create_server(('127.0.0.1', 0)) as server:
    address = f'http://127.0.0.1:{server.getsockname()[1]}/neighbour.ts'
    place = {'relative': film.name, 'absolute': str(film), 'address': address}
    path = tmp_path / name
    path.write_text(text.format(place[neighbour]))
    if kind in READ_BY_PLAIN_FFMPEG and neighbour == 'relative':
      with av.open(str(path)) as container:
        assert container.streams.video[0].width == 64  # the case is one
    with pytest.raises(VideoError):
      list(read_frames(path))
    assert not holds_video(path)
    assert not knocked(server)


def knocked(server: socket.socket) -> bool:
  """Whether anybody called."""
  server.setblocking(False)
  try:
    server.accept()
  except BlockingIOError:
    return False
  return True


def test_no_format_that_is_read_can_name_another_file():
  """Devices, streams and sequences have no file of their own; the others are lists, by FFmpeg's documentation."""
  lists = {'concat', 'dash', 'ffmetadata', 'hls', 'image2', 'image2pipe', 'imf', 'lavfi', 'rtp', 'rtsp', 'sap', 'sdp'}
  lists |= {'tedcaptions', 'vobsub', 'webm_dash_manifest'}
  assert not lists & set(FORMATS)
  for name in av.formats_available & set(FORMATS):
    assert not av.ContainerFormat(name, 'r').no_file, name


NAMES = (
  '23:50.mp4', 'pipe:0.mp4', 'concat:x.mp4', 'file:x.mp4', 'fd:', 'http:x.mp4', '-i.mp4',
  'subfile,,start,0,end,9,,:x.mp4', 'n' * 250 + '.mp4', os.fsdecode(b'caf\xe9.mp4'), 'a\x1b[31m.mp4',
  'a%02d.gif', 'x%d.png', '*.mp4', '[1].mp4', '{a,b}.mp4', 'a|b.mp4', 'a, b.mp4', '$a$_$b.mp4', 'a\nb.mp4',
  ' .mp4', 'no_suffix', '%s.mp4', '~', '\u202egpj.mp4',
)  # fmt: skip


@pytest.mark.parametrize('name', NAMES)
def test_a_name_is_only_a_name(tmp_path, name, monkeypatch):
  source = write_streams(tmp_path / 'plain.avi', FILM)
  (tmp_path / 'inner').mkdir()
  monkeypatch.chdir(tmp_path / 'inner')
  Path(name).write_bytes(source.read_bytes())
  for path in (Path(name), Path.cwd() / name):
    assert len(list(read_frames(path))) == 9
    assert holds_video(path)


def test_what_is_no_file_is_told_and_not_waited_for(tmp_path):
  os.mkfifo(tmp_path / 'pipe')
  (tmp_path / 'loop').symlink_to(tmp_path / 'loop')
  (tmp_path / 'lost').symlink_to(tmp_path / 'nowhere')
  (tmp_path / 'empty').touch()
  (tmp_path / 'zero').symlink_to('/dev/zero')
  with socket.socket(socket.AF_UNIX) as server:
    server.bind(str(tmp_path / 'socket'))
    reasons = {}
    for name in ('pipe', 'loop', 'lost', 'empty', 'zero', 'socket', '.'):
      with pytest.raises(VideoError) as failed:
        probe(tmp_path / name)
      reasons[name] = str(failed.value)
      assert isinstance(failed.value.__cause__, OSError) == (name != 'empty')  # the path's fault, or the content's
  assert reasons == {
    'pipe': 'it is a named pipe, not a file',
    'loop': 'Too many levels of symbolic links',
    'lost': 'No such file or directory',
    'empty': 'the file is empty',
    'zero': 'it is a device, not a file',
    'socket': 'it is a socket, not a file',
    '.': 'it is a folder, not a file',
  }
