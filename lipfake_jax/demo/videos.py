"""The built-in dataset `demo_lips`: video files of photographed people made to talk, half of them with faked mouths.

In: two public-domain portraits that installed packages ship (`demo_face`), so that nothing is downloaded. Out: H.264
and MPEG-4 files and `videos.csv`, which lists them. Next stage: the same road that any video takes, from `decode` on.

Reals and fakes share every source of chance (who, what is said, head, light, noise, codec, length); a fake is what the
real video would have been with its mouth replaced, before encoding.
"""

import concurrent.futures
import csv
import dataclasses
import functools
import io
import json
import multiprocessing
import os
import sys
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import cv2
import numpy as np
from av.codec.context import Flags

from lipfake_jax.core.errors import UserError
from lipfake_jax.demo import face, fakes, voice

REAL = 'original'
COLUMNS = ('path', 'label', 'identity', 'method', 'split', 'photograph')

_RENDERER = 2  # raise it when the same spec renders something else
# Streams of random numbers.
_PERSON, _SPEECH, _HEAD, _LIGHT, _NOISE, _CODEC, _FAKE, _LENGTH, _VOICE, _OTHER_SPEECH, _MISHEARD = range(11)
_MIN_FRAMES, _LENGTH_SWING = 66, 4  # the shortest video; how far a length may be from its mean

_Codec = Literal['libx264', 'mpeg4']
# Beside a codec of pictures; in AVI not all players take AAC.
_SOUND_CODECS: dict[str, Literal['aac', 'pcm_s16le']] = {'libx264': 'aac', 'mpeg4': 'pcm_s16le'}


@dataclasses.dataclass(frozen=True)
class DemoSpec:
  """What to render.

  Attributes:
    identities: people made from the first photograph, at least 3: 2/3 for training, 1/6 each for validation and test.
    test_only_identities: people made from the second photograph, all for test.
    videos_per_identity: videos of each, even: half real, half fake, the fakes by each of `demo_fakes.METHODS` in turn.
    seconds: mean length of a video, at least 2.8; lengths vary by 4 frames either way.
    size: side of the videos in pixels, even, 192 to 512.
    seed: not negative; another seed makes other people say other things.
    null: leave the fakes' mouths as they are. A detector must then be at chance.
  """

  identities: int = 18
  test_only_identities: int = 3
  videos_per_identity: int = 12
  seconds: float = 2.84
  size: int = 256
  seed: int = 0
  null: bool = False


@dataclasses.dataclass(frozen=True)
class DemoVideo:
  """A row of `videos.csv`, and the numbers that decide what is in the video."""

  path: str
  label: str
  identity: str
  method: str
  split: str
  photograph: str
  person: int
  number: int


def render_demo_videos(root: Path, spec: DemoSpec, workers: int | None = None, progress: bool = True) -> Path:
  """Renders the videos of a spec that the folder does not hold yet.

  Args:
    root: folder for `videos/<split>/<identity>/<number>_<method>.<mp4 or avi>`, `spec.json` and, written last,
      `videos.csv`: a folder that has it is complete.
    spec: what to render. The files depend on it alone.
    workers: processes; by default one a core that this process may use, and with 1 all is done in this process.
    progress: count the videos on standard error.

  Returns:
    The path of `videos.csv`: COLUMNS, paths relative to `root`, labels `real` and `fake`.

  Raises:
    UserError: a field of the spec or `workers` is out of range, or the folder holds another spec.
  """
  root, table = Path(root), Path(root) / 'videos.csv'
  videos = list_videos(spec)
  if workers is not None and workers < 1:
    raise UserError(f'workers is {workers}; it must be at least 1, or None for one a core.')
  _claim_folder(root, spec)
  if table.exists():
    return table
  missing = [video for video in videos if not (root / video.path).exists()]
  _render_all(root, spec, missing, workers or len(os.sched_getaffinity(0)), progress)
  _write_text(table, _to_csv(videos))
  return table


def list_videos(spec: DemoSpec) -> list[DemoVideo]:
  """The videos of a spec, in the order of `videos.csv`.

  Raises:
    UserError: a field is out of range.
  """
  _check(spec)
  held_out = max(spec.identities // 6, 1)
  splits = ['train'] * (spec.identities - 2 * held_out) + ['validation'] * held_out + ['test'] * held_out
  first, second = face.PHOTOGRAPHS
  people = [(first, split) for split in splits] + [(second, 'test')] * spec.test_only_identities
  return [
    _describe(spec, photograph, split, person, number)
    for person, (photograph, split) in enumerate(people)
    for number in range(spec.videos_per_identity)
  ]


def render_frames(spec: DemoSpec, video: DemoVideo) -> np.ndarray:
  """Draws a video, before its encoding.

  Args:
    spec: gives the seed and the size, and whether fakes are left as they are.
    video: one of `list_videos(spec)`.

  Returns:
    RGB uint8 [frames, size, size, 3].
  """
  mouths, poses = motion(spec, video)
  photograph = face.PHOTOGRAPHS[video.photograph]
  person = _make_person(spec, video.photograph, video.person)
  moments = zip(mouths, poses, strict=True)
  frames = np.stack([face.draw_frame(person, photograph, *moment, spec.size) for moment in moments])
  _shoot(frames, _rng(spec, video.person, _LIGHT, video.number), _rng(spec, video.person, _NOISE, video.number))
  if video.method == REAL or spec.null:
    return frames
  return fakes.fake_mouth(frames, poses, video.method, _rng(spec, video.person, _FAKE, video.number))


@functools.lru_cache(maxsize=2)
def _make_person(spec: DemoSpec, photograph: str, person: int) -> np.ndarray:
  return face.make_person(photograph, _rng(spec, person, _PERSON))


def motion(spec: DemoSpec, video: DemoVideo) -> tuple[np.ndarray, np.ndarray]:
  """How the mouth and the head of a video move: float32 [frames, 4] each, see `demo_face.speak` and `move_head`."""
  n_frames = round(spec.seconds * face.FPS)
  n_frames += int(_rng(spec, video.person, _LENGTH, video.number).integers(-_LENGTH_SWING, _LENGTH_SWING + 1))
  mouths = face.speak(n_frames, _speaking_style(spec, video), _rng(spec, video.person, _SPEECH, video.number))
  return mouths, face.move_head(n_frames, spec.size, _rng(spec, video.person, _HEAD, video.number))


def render_sound(spec: DemoSpec, video: DemoVideo) -> np.ndarray | None:
  """What is heard in a video, int16 [frames * voice.RATE / face.FPS]; None where it has no sound, see `voice`."""
  style = functools.partial(_rng, spec, video.person, _VOICE)
  chance = functools.partial(_rng, spec, video.person, _VOICE, video.number)
  mouths, _ = motion(spec, video)
  true = voice.speak(mouths, style(), chance())
  if video.method == REAL or spec.null:
    return true
  said = face.speak(len(mouths), _speaking_style(spec, video), _rng(spec, video.person, _OTHER_SPEECH, video.number))
  other = voice.speak(said, style(), chance())
  return voice.mishear(true, other, video.method, _rng(spec, video.person, _MISHEARD, video.number))


def _speaking_style(spec: DemoSpec, video: DemoVideo) -> np.ndarray:
  return _rng(spec, video.person, _SPEECH).uniform((0.85, 0.8, 0.8), (1.15, 1.1, 1.1))


def _shoot(frames: np.ndarray, light: np.random.Generator, sensor: np.random.Generator) -> None:
  """Gives uint8 RGB [frames, size, size, 3] slowly changing light, a camera's blur and noise, in place."""
  size, margin = frames.shape[1], 64
  tint, swing = light.uniform(0.92, 1.05, 3), light.uniform(0.01, 0.05)
  frequency, phase = light.uniform(0.05, 0.3), light.uniform(0, 2 * np.pi)
  blur, strength = sensor.uniform(0.3, 0.8), sensor.uniform(1.5, 3.5)
  tile = np.round(strength * sensor.standard_normal((size + margin, size + margin, 3), np.float32)).astype(np.int16)
  for i, (x, y) in enumerate(sensor.integers(0, margin, (len(frames), 2))):
    gain = tint * (1 + swing * np.sin(2 * np.pi * frequency * i / face.FPS + phase))
    table = np.clip(np.arange(256)[:, None] * gain + 0.5, 0, 255).astype(np.uint8)[None]
    lit = cv2.GaussianBlur(cv2.LUT(frames[i], table), (5, 5), blur)
    frames[i] = cv2.add(lit, np.ascontiguousarray(tile[y : y + size, x : x + size]), dtype=cv2.CV_8U)


def _describe(spec: DemoSpec, photograph: str, split: str, person: int, number: int) -> DemoVideo:
  method = fakes.METHODS[(number // 2 + person) % len(fakes.METHODS)] if number % 2 else REAL
  identity = f'{photograph}_{person:02}'
  suffix = 'avi' if _draw_codec(spec, person, number)[0] == 'mpeg4' else 'mp4'
  path = f'videos/{split}/{identity}/{number:02}_{method}.{suffix}'
  label = 'real' if method == REAL else 'fake'
  return DemoVideo(path, label, identity, method, split, photograph, person, number)


def _draw_codec(spec: DemoSpec, person: int, number: int) -> tuple[_Codec, dict[str, str]]:
  """A codec and its options. Neither knows the label."""
  rng = _rng(spec, person, _CODEC, number)
  crf, quantiser = str(rng.integers(18, 29)), str(rng.integers(2, 7))
  if rng.random() < 0.25:
    return 'mpeg4', {'qmin': quantiser, 'qmax': quantiser}
  return 'libx264', {'crf': crf, 'preset': 'superfast'}


def _rng(spec: DemoSpec, person: int, stream: int, number: int | None = None) -> np.random.Generator:
  """A stream of random numbers of a person, or of one of their videos."""
  return np.random.default_rng((spec.seed, person, 0 if number is None else number + 1, stream))


def encode_video(
  path: Path, frames: np.ndarray, codec: _Codec, options: dict[str, str], sound: np.ndarray | None = None
) -> None:
  """Writes RGB uint8 [frames, height, width, 3] as a video: all of it, or no file of that name.

  With a sound, int16 [N] at voice.RATE, if there is one.
  """
  path.parent.mkdir(parents=True, exist_ok=True)
  partial = path.with_name(f'.{os.getpid()}_{path.name}')
  # Bit-exact: no version or time of writing in the file.
  flags = options.get('flags', '') + '+bitexact'
  with av.open(str(partial), 'w', options={'fflags': '+bitexact'}) as container:
    stream = container.add_stream(codec, rate=face.FPS, options={**options, 'threads': '1', 'flags': flags})
    stream.height, stream.width, stream.pix_fmt = frames.shape[1], frames.shape[2], 'yuv420p'
    track = None if sound is None else container.add_stream(_SOUND_CODECS[codec], rate=voice.RATE, layout='mono')
    for frame in frames:
      container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format='rgb24')))
    container.mux(stream.encode())
    if track is not None and sound is not None:
      _encode_sound(container, track, sound)
  os.replace(partial, path)


def _encode_sound(container: av.container.OutputContainer, track: av.AudioStream, sound: np.ndarray) -> None:
  track.codec_context.flags |= Flags.bitexact
  frame = av.AudioFrame.from_ndarray(sound[None], format='s16', layout='mono')
  frame.sample_rate, frame.pts, frame.time_base = voice.RATE, 0, Fraction(1, voice.RATE)
  container.mux(track.encode(frame))
  container.mux(track.encode())


def _render_one(root: Path, spec: DemoSpec, video: DemoVideo) -> None:
  codec = _draw_codec(spec, video.person, video.number)
  encode_video(root / video.path, render_frames(spec, video), *codec, render_sound(spec, video))


def _render_all(root: Path, spec: DemoSpec, videos: list[DemoVideo], workers: int, progress: bool) -> None:
  render = functools.partial(_render_one, root, spec)
  if workers == 1 or len(videos) < 2:
    _count(map(render, videos), len(videos), progress)
    return
  context = multiprocessing.get_context('spawn')
  with concurrent.futures.ProcessPoolExecutor(min(workers, len(videos)), context, cv2.setNumThreads, (1,)) as pool:
    _count(pool.map(render, videos), len(videos), progress)


def _count(done: Iterable[None], total: int, progress: bool) -> None:
  """Waits for all, and says on standard error how many are done."""
  for n, _ in enumerate(done, 1):
    if progress:
      print(f'\rdemo videos: {n} of {total}', end='\n' if n == total else '', file=sys.stderr, flush=True)


def _claim_folder(root: Path, spec: DemoSpec) -> None:
  """Notes the spec in a folder, or checks that it is the one noted there."""
  path = root / 'spec.json'
  text = json.dumps({'renderer': _RENDERER, **dataclasses.asdict(spec)}, indent=2) + '\n'
  if not path.exists():
    root.mkdir(parents=True, exist_ok=True)
    _write_text(path, text)
  elif path.read_text() != text:
    raise UserError(f'{root} holds demo videos of another spec: choose another folder, or delete this one.')


def _write_text(path: Path, text: str) -> None:
  partial = path.with_name(f'.{os.getpid()}_{path.name}')
  partial.write_text(text)
  os.replace(partial, path)


def _to_csv(videos: list[DemoVideo]) -> str:
  lines = io.StringIO()
  writer = csv.writer(lines, lineterminator='\n')
  writer.writerow(COLUMNS)
  writer.writerows([getattr(video, column) for column in COLUMNS] for video in videos)
  return lines.getvalue()


def _check(spec: DemoSpec) -> None:
  """Raises UserError unless a spec can be rendered."""
  shortest = (_MIN_FRAMES + _LENGTH_SWING) / face.FPS
  limits = (
    ('identities', spec.identities >= 3, 'at least 3, one a split'),
    ('test_only_identities', spec.test_only_identities >= 0, 'at least 0'),
    ('videos_per_identity', spec.videos_per_identity >= 2 and not spec.videos_per_identity % 2, 'even, at least 2'),
    ('seconds', shortest <= spec.seconds <= 60, f'from {shortest} to 60'),
    ('size', 192 <= spec.size <= 512 and not spec.size % 2, 'even, from 192 to 512'),
    ('seed', spec.seed >= 0, 'at least 0'),
  )
  for name, holds, limit in limits:
    if not holds:
      raise UserError(f'DemoSpec.{name} is {getattr(spec, name)}; set it to a number that is {limit}.')


def main() -> None:
  """Renders what standard input asks for: a process of its own for a builder, free of TensorFlow."""
  request = json.load(sys.stdin)
  print(render_demo_videos(Path(request['folder']), DemoSpec(**request['spec'])))


if __name__ == '__main__':
  main()
