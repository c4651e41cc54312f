"""Situations that a user's file may be in, drawn at random, and what must come of each, which follows from its making.

A situation is a container, a codec, an orientation, other streams beside the film, what is wrong with it, a name and a
folder. `write` makes its file from the pictures of a talking face; `expect` says what is to be found.
"""

import csv
import dataclasses
import io
import os
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
from av.stream import Disposition

from lipfake_jax.core.vocabulary import LABELS
from lipfake_jax.data.files import IS_HIDDEN, IS_NO_VIDEO, IS_SPECIAL, VIDEO_SUFFIXES
from lipfake_jax.demo import videos
from tests.clips.container_test import ORIENTATIONS, with_matrix

CLIP = 'clip'
FRAMES, STARTS = 64, 7  # of a film, of which a clip takes 60; and how many different films there are of a face
SHORT = 30

# Suffix: FFmpeg's name of the container, and encoders whose streams it holds.
CONTAINERS = {
  '.mp4': ('mp4', ('libx264', 'libx265', 'mpeg4', 'libsvtav1', 'libvpx-vp9', 'mpeg2video', 'mjpeg')),
  '.mov': ('mov', ('libx264', 'mpeg4', 'prores_ks', 'mjpeg', 'libx265')),
  '.m4v': ('ipod', ('libx264', 'mpeg4')),
  '.3gp': ('3gp', ('libx264', 'mpeg4')),
  '.f4v': ('f4v', ('libx264',)),
  '.mkv': ('matroska', ('libx264', 'libx265', 'libvpx', 'ffv1', 'mpeg4', 'msmpeg4v3')),
  '.webm': ('webm', ('libvpx', 'libvpx-vp9', 'libsvtav1')),
  '.avi': ('avi', ('mpeg4', 'libx264', 'msmpeg4v2', 'mjpeg', 'huffyuv', 'cinepak')),
  '.divx': ('avi', ('mpeg4', 'msmpeg4v3')),
  '.wmv': ('asf', ('wmv2', 'wmv1', 'msmpeg4v3')),
  '.flv': ('flv', ('flv', 'libx264')),
  '.mpg': ('mpeg', ('mpeg1video', 'mpeg2video')),
  '.vob': ('vob', ('mpeg2video',)),
  '.ts': ('mpegts', ('libx264', 'mpeg2video', 'libx265', 'mpeg4')),
  '.mts': ('mpegts', ('libx264',)),
  '.ogv': ('ogg', ('libvpx',)),
  '.nut': ('nut', ('libx264', 'ffv1')),
  '.mxf': ('mxf', ('mpeg2video',)),
  '.264': ('h264', ('libx264',)),
  '.265': ('hevc', ('libx265',)),
  '.m2v': ('mpeg2video', ('mpeg2video',)),
  '.y4m': ('yuv4mpegpipe', ('wrapped_avframe',)),
  '.mjpeg': ('mjpeg', ('mjpeg',)),
  '.ivf': ('ivf', ('libvpx-vp9', 'libvpx')),
}
MATRIX_HOLDERS = ('mp4', 'mov', 'ipod', '3gp', 'f4v')
SEVERAL_STREAMS = ('mp4', 'mov', 'matroska', 'mpegts', 'nut')
PIXELS = {'mjpeg': 'yuvj420p', 'prores_ks': 'yuv422p10le', 'huffyuv': 'yuv422p', 'cinepak': 'rgb24'}
OPTIONS = {
  'libx264': {'preset': 'ultrafast', 'crf': '20'},
  'libx265': {'preset': 'ultrafast', 'crf': '20', 'x265-params': 'log-level=none'},
  'libvpx': {'deadline': 'realtime', 'cpu-used': '8', 'b': '4000000'},
  'libvpx-vp9': {'deadline': 'realtime', 'cpu-used': '8', 'b': '4000000'},
  'libsvtav1': {'preset': '12', 'crf': '25'},
}
GOOD = {'b': '6000000'}  # of encoders that are told a rate: a face that the mesh still sees

LAYOUTS = ('alone', 'alone', 'cover before', 'cover behind', 'thumbnail beside', 'sound before', 'aside before')
STATES = ('whole',) * 12 + (
  'short', 'blank', 'cut in the head', 'text', 'empty', 'pointer', 'song', 'pipe', 'noise', 'interlaced', 'late',
  'oblong',
)  # fmt: skip
NAMES = (
  'plain', 'two words', '23:50', 'pipe:0', 'concat:x', 'a, b', '$a$_$b', 'Ba$$in', '100%d', '[1]', '*', 'café',
  'cafe\u0301', '日本', '🙂', 'line\nbreak', '\x1b[31mred', '-dash', '--video=x', "it's", '"quoted"', 'a&b<c>',
  'n' * 200, '%s', os.fsdecode(b'caf\xe9'), 'dots.in.it', 'trailing ', ' leading', 'http:__x', '~', '#1', 'a=b', 'a;b',
  'back\\slash',
)  # fmt: skip
FOLDERS = ('',) * 8 + (
  'a/b/c', 'with space', '$', 'a,b', 'ü', '.Trash-0/files', '@eaDir', '__MACOSX', '.hidden',
)  # fmt: skip
SPELLINGS = ('own', 'own', 'own', 'upper', 'mp4', 'none')  # of the suffix
# How lists are written: what separates cells, the encoding, and how lines end.
LISTS = {
  'commas': (',', 'utf-8', '\n'),
  'a spreadsheet': (',', 'utf-8-sig', '\r\n'),
  'a spreadsheet of other countries': (';', 'utf-8-sig', '\r\n'),
  'tabs': ('\t', 'utf-16', '\r\n'),
  'bars': ('|', 'utf-8', '\n'),
}


@dataclasses.dataclass(frozen=True)
class Situation:
  """Where a file is, relative to a root, and what it is made of."""

  number: int
  suffix: str
  codec: str
  orientation: str
  layout: str
  state: str
  name: str
  folder: str
  spelling: str
  label: str

  @property
  def container(self) -> str:
    return CONTAINERS[self.suffix][0]

  @property
  def path(self) -> str:
    """Below the root, in a folder of its label, and numbered, so that no two are in one place."""
    suffix = {'own': self.suffix, 'upper': self.suffix.upper(), 'mp4': '.mp4', 'none': ''}[self.spelling]
    return os.path.join(self.label, f'{self.number:03}', self.folder, self.name + suffix)


def draw(count: int, seed: int) -> list[Situation]:
  """Situations at random. The first ones go through all containers with all their codecs, the next through all
  orientations, states and names, so that each is there once."""
  rng = np.random.default_rng(seed)
  pairs = [(suffix, codec) for suffix, (_, codecs) in CONTAINERS.items() for codec in codecs]
  return [_draw_one(i, pairs, rng) for i in range(count)]


def _draw_one(number: int, pairs: list, rng: np.random.Generator) -> Situation:
  turn = number - len(pairs)
  suffix, codec = pairs[number] if turn < 0 else pairs[rng.integers(len(pairs))]
  orientation, layout, state = 'as it is', 'alone', 'whole'
  if turn >= 0:
    choices = (list(ORIENTATIONS), LAYOUTS, STATES)
    orientation, layout, state = (names[rng.integers(len(names))] for names in choices)
    state = STATES[turn] if turn < len(STATES) else state
  container = CONTAINERS[suffix][0]
  if state in ('interlaced', 'late'):
    suffix, container, codec = '.ts', 'mpegts', 'mpeg2video' if state == 'interlaced' else 'libx264'
  elif state in ('cut in the head', 'oblong', 'song'):
    suffix, container, codec = '.mp4', 'mp4', 'libx264'
  if state != 'whole':
    orientation, layout = 'as it is', 'alone'
  if container not in MATRIX_HOLDERS or orientation == 'nothing at all':
    orientation = 'as it is'
  if container not in SEVERAL_STREAMS:
    layout = 'alone'
  if container in ('mov', 'mpegts', 'nut') and layout.startswith('cover'):
    layout = 'thumbnail beside'  # they can't mark a picture
  return Situation(
    number, suffix, codec, orientation, layout, state,
    name=NAMES[number % len(NAMES)],
    folder=FOLDERS[rng.integers(len(FOLDERS))],
    spelling=SPELLINGS[rng.integers(len(SPELLINGS))],
    label=LABELS[0 if state == 'empty' else rng.integers(2)],  # one content has one label
  )  # fmt: skip


def render_films() -> dict[str, np.ndarray]:
  """A real and a fake of the demo's second person, by label: RGB uint8 [70, 256, 256, 3]."""
  spec = videos.DemoSpec()
  listed = [video for video in videos.list_videos(spec) if video.photograph == 'astronaut']
  chosen = {label: next(video for video in listed if video.label == label) for label in LABELS}
  return {label: videos.render_frames(spec, video)[: FRAMES + STARTS - 1] for label, video in chosen.items()}


def write_list(drawn: Sequence[Situation], root: Path, kind: str) -> list[Situation]:
  """Writes `list.csv`, which names the path and the label of each file, in one of LISTS.

  Returns:
    Those that it names: no pipes, and no names that a list can't hold, which is text without blanks around its cells.
  """
  delimiter, encoding, line_end = LISTS[kind]
  listed = [s for s in drawn if s.state != 'pipe' and s.path == s.path.strip() and _is_text(s.path)]
  with open(root / 'list.csv', 'w', encoding=encoding, newline='') as file:
    writer = csv.writer(file, delimiter=delimiter, lineterminator=line_end)
    writer.writerow(('path', 'label'))
    writer.writerows((situation.path, situation.label) for situation in listed)
  return listed


def expect_listed(situation: Situation) -> str:
  """CLIP or the reason of a rejection: what a list names is tried, wherever it lies and whatever it holds."""
  shown = expect(dataclasses.replace(situation, folder=''))
  return 'unreadable' if shown == IS_NO_VIDEO else shown


def expect(situation: Situation) -> str:
  """CLIP, the reason of a rejection, or the reason for which it is left out."""
  if any(part.startswith('.') or part in ('@eaDir', '__MACOSX') for part in situation.folder.split('/')):
    return IS_HIDDEN
  if situation.state == 'pipe':
    return IS_SPECIAL
  suffix = os.path.splitext(situation.path)[1].lower()
  if situation.state in ('cut in the head', 'text', 'empty', 'pointer', 'song', 'noise'):
    return 'unreadable' if suffix in VIDEO_SUFFIXES else IS_NO_VIDEO
  return {'short': 'too_short', 'blank': 'no_face'}.get(situation.state, CLIP)


def write(situation: Situation, root: Path, films: dict[str, np.ndarray]) -> Path:
  """Makes the file of a situation; `films`: RGB uint8 [T, H, W, 3] of a real and of a fake."""
  path = root / situation.path
  path.parent.mkdir(parents=True, exist_ok=True)
  if situation.state == 'pipe':
    os.mkfifo(path)
    return path
  start = situation.number % STARTS
  path.write_bytes(_content(situation, films[situation.label][start : start + FRAMES], path.parent))
  return path


def _content(situation: Situation, film: np.ndarray, folder: Path) -> bytes:
  state = situation.state
  if state in ('text', 'empty', 'noise'):
    noise = np.random.default_rng(situation.number).bytes(50_000)
    return {'text': f'these are words, {situation.number}\n'.encode() * 500, 'empty': b'', 'noise': noise}[state]
  if state == 'pointer':
    whole = _encode(dataclasses.replace(situation, suffix='.mp4', codec='libx264', state='whole'), film)
    (folder / '.neighbour.mp4').write_bytes(whole)
    return f"ffconcat version 1.0\n# {situation.number}\nfile '.neighbour.mp4'\n".encode()
  if state == 'short':
    film = film[:SHORT]
  if state == 'blank':
    film = np.full_like(film, situation.number % 256)
  data = _encode(situation, film)
  return data[: len(data) // 2] if state == 'cut in the head' else data  # what says where its frames are is at its end


def _encode(situation: Situation, film: np.ndarray) -> bytes:
  matrix, shown = ORIENTATIONS[situation.orientation]
  if situation.orientation != 'a tilt of ten degrees':
    film = _store(film, shown)
  if situation.state == 'oblong':
    film = film[:, :, ::2]
  file = io.BytesIO()
  with av.open(file, 'w', format=situation.container) as container:
    _write_streams(container, situation, film)
  return with_matrix(file.getvalue(), matrix) if matrix != (1, 0, 0, 1) else file.getvalue()


def _store(film: np.ndarray, shown: str) -> np.ndarray:
  """The pictures as they must be stored to be seen upright: each of the four quarters where the matrix fetches it."""
  for turns in range(4):
    for mirrored in (False, True):
      quarters = np.array(list(shown.replace('/', ''))).reshape(2, 2)
      quarters = np.rot90(quarters[:, ::-1] if mirrored else quarters, turns)
      if ''.join(quarters.ravel()) == 'ABCD':
        film = film[:, :, ::-1] if mirrored else film
        return np.rot90(film, turns, axes=(1, 2))
  raise ValueError(shown)


def _write_streams(container, situation: Situation, film: np.ndarray) -> None:
  beside = []
  if situation.layout in ('cover before', 'thumbnail beside'):
    beside.append(_add(container, 'mjpeg', film[:1].repeat(2, 1).repeat(2, 2), Disposition.attached_pic))
  if situation.layout == 'aside before':
    codec = 'mpeg2video' if situation.container == 'mpegts' else 'mpeg4'
    beside.append(_add(container, codec, np.full((20, 64, 64, 3), 99, np.uint8), Disposition.hearing_impaired))
  sound = None
  if situation.layout == 'sound before' or situation.state == 'song':
    codec = 'mp2' if situation.container in ('mpegts', 'nut') else 'aac'
    sound = container.add_stream(codec, rate=44100, layout='mono')
  if situation.state != 'song':
    beside.append(_add(container, situation.codec, film, Disposition.default, situation.state))
  if situation.layout == 'cover behind' or situation.state == 'song':
    beside.append(_add(container, 'mjpeg', film[:1], Disposition.attached_pic))
  if sound:
    _mux_silence(container, sound)
  for stream, pictures, start in beside:
    for i, picture in enumerate(pictures):
      frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture))
      if start:
        frame.pts, frame.time_base = start * 25 + i, 1 / stream.codec_context.framerate
      if stream.codec_context.name == 'wrapped_avframe':
        frame = frame.reformat(format='yuv420p')
      container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _add(container, codec: str, pictures: np.ndarray, marks: Disposition, state: str = 'whole') -> tuple:
  """A video stream, its pictures, and the second at which it begins."""
  options = dict(OPTIONS.get(codec, GOOD))
  if state == 'interlaced':
    options |= {'flags': '+ildct+ilme', 'top': '1'}
  stream = container.add_stream(codec, rate=25, options=options)
  stream.height, stream.width = pictures.shape[1:3]
  stream.pix_fmt = PIXELS.get(codec, 'yuv420p')
  if state == 'oblong':
    stream.codec_context.sample_aspect_ratio = 2
  stream.disposition = marks
  return stream, pictures, 3600 if state == 'late' else 0


def _mux_silence(container, stream) -> None:
  for i in range(20):
    frame = av.AudioFrame.from_ndarray(np.zeros((1, 1152), np.int16), format='s16', layout='mono')
    frame.sample_rate, frame.pts = 44100, 1152 * i
    container.mux(stream.encode(frame))
  container.mux(stream.encode(None))


def _is_text(name: str) -> bool:
  return name == os.fsencode(name).decode(errors='ignore')
