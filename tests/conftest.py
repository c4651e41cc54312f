"""What several tests share: small real videos, and a small dataset of made-up clips."""

import atexit
import collections
import dataclasses
import functools
import os
import shutil
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import matplotlib as mpl
import numpy as np
import pytest
import skimage.data
from etils import epath

from lipfake_jax.clips.clips import Clip, Rejection
from lipfake_jax.clips.landmarks import open_face_models
from lipfake_jax.clips.motion_statistics import N_FEATURES
from lipfake_jax.clips.regions import LIP_POINTS
from lipfake_jax.clips.video import Frame
from lipfake_jax.core.clip_spec import ClipSpec

# What one test compiled, the others and their subprocesses need not: without it they take three times as long.
COMPILED = tempfile.mkdtemp()
atexit.register(shutil.rmtree, COMPILED, ignore_errors=True)
os.environ.update({'JAX_COMPILATION_CACHE_DIR': COMPILED, 'JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS': '0'})
# Most models of tests take longer to compile than to run.
os.environ['XLA_FLAGS'] = f'{os.environ.get("XLA_FLAGS", "")} --xla_backend_optimization_level=0'

TINY: dict[str, Any] = {'frames': 6, 'size': 16}  # of the clips in `tiny_data`


def write_video(
  path: Path, frames, codec='libx264', fps=25, pix_fmt='yuv420p', times=None, size=None, **options: str
) -> Path:
  """Encodes RGB or RGBA frames as a video file.

  times: seconds, for frames that do not come evenly; size: height and width, for an iterator of frames.
  """
  path.parent.mkdir(parents=True, exist_ok=True)
  aspect = options.pop('aspect', None)
  with av.open(str(path), 'w') as container:
    stream = container.add_stream(codec, rate=fps, options=options)
    stream.height, stream.width = size or frames[0].shape[:2]
    stream.pix_fmt = pix_fmt
    if aspect:
      stream.codec_context.sample_aspect_ratio = Fraction(aspect)
    if times is not None:
      stream.codec_context.time_base = stream.time_base = Fraction(1, 1000)
    for number, image in enumerate(frames):
      frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format='rgba' if image.shape[2] == 4 else 'rgb24')
      if times is not None:
        frame.pts, frame.time_base = round(times[number] * 1000), Fraction(1, 1000)
      container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
  return path


def copy_video(source: Path, target: Path, boxes: int) -> Path:
  """Copies an MP4 and adds so many empty boxes: the same video in other bytes, hence another content."""
  target.parent.mkdir(parents=True, exist_ok=True)
  target.write_bytes(source.read_bytes() + b'\0\0\0\x08free' * boxes)
  return target


def to_frame(rgb: np.ndarray, index: int = 0, fps: float = 25.0) -> Frame:
  """A frame that holds an RGB image, colour at full size: conversion to and fro costs a level or two."""
  yuv = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2YUV)  # BT.601, full range
  y, u, v = (np.ascontiguousarray(yuv[..., i]) for i in range(3))
  grey = 128.0  # no colour; the weights are those of OpenCV's YUV
  matrix = [[1, 0, 1.14, -1.14 * grey], [1, -0.395, -0.581, (0.395 + 0.581) * grey], [1, 2.032, 0, -2.032 * grey]]
  return Frame(index, index / fps, (y, u, v), np.array(matrix, np.float32))


@pytest.fixture
def quick_evaluation(monkeypatch):
  """Evaluations draw one plot and few samples, which spares two seconds each, for tests of other things."""
  from lipfake_jax.evaluation import measure, shortcut
  from lipfake_jax.report import page, plots
  from lipfake_jax.scoring.intervals import bootstrap

  monkeypatch.setattr(page, 'draw_plots', lambda scores, metrics: {'confusion': plots.plot_confusion(metrics)})
  for module in (measure, shortcut):
    monkeypatch.setattr(module, 'bootstrap', functools.partial(bootstrap, rounds=50))


@pytest.fixture(scope='session')
def models():
  """Face detector and mesh."""
  with open_face_models() as opened:
    yield opened


@pytest.fixture(scope='session')
def portrait() -> np.ndarray:
  """A photograph of a face whose mouth is 72 pixels wide, RGB uint8 [600, 512, 3]."""
  path = Path(mpl.get_data_path()) / 'sample_data' / 'grace_hopper.jpg'
  return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


@pytest.fixture(scope='session')
def second_portrait() -> np.ndarray:
  """A photograph of another face, RGB uint8 [512, 512, 3]; its mouth is 44 pixels wide."""
  return skimage.data.astronaut()


@pytest.fixture(scope='session')
def face_video(tmp_path_factory, portrait) -> Path:
  """70 frames of the portrait, swaying by up to 6 pixels."""
  sway = [np.roll(portrait[:400], round(6 * np.sin(0.4 * i)), axis=1) for i in range(70)]
  return write_video(tmp_path_factory.mktemp('videos') / 'face.mp4', sway, threads='2')  # x264's bits depend on it


@pytest.fixture(scope='session')
def blank_video(tmp_path_factory) -> Path:
  """70 gray frames."""
  return write_video(tmp_path_factory.mktemp('videos') / 'blank.mp4', [np.full((96, 128, 3), 128, np.uint8)] * 70)


@pytest.fixture(scope='session')
def text_video(tmp_path_factory) -> Path:
  """A text file under a video's name."""
  path = tmp_path_factory.mktemp('videos') / 'text.mp4'
  path.write_text('these are words, not frames\n' * 50)
  return path


def make_clip(frames: np.ndarray, key: str, **fields) -> Clip:
  """A clip of given pixels, uint8 [T, S, S, 3]; what is not named is plausible, and motion is left out."""
  lips = np.zeros((len(frames), len(LIP_POINTS), 2), np.float32)
  features = {'clip': frames, 'lips': lips} | {name: fields.pop(name) for name in ('lips', 'motion') if name in fields}
  ramp = np.arange(len(frames), dtype=np.float32)
  known = {
    'indices': ramp.astype(np.int32), 'times': ramp / 25, 'gaps': np.minimum(ramp, 1) / 25, 'activity': ramp,
    'boxes': np.zeros((len(frames), 4), np.float32), 'angles': 0 * ramp,
    'track': 0, 'face_share': 1.0, 'mouth_width': 50.0, 'sharpness': 100.0, 'mean_activity': 0.5, 'duration': 3.0,
    'fps': 25.0, 'codec': 'h264', 'width': 640, 'height': 480,
    'rate': 25.0, 'hidden_share': 0.0, 'left_out': np.zeros((0, 2), str),
  }  # fmt: skip
  return Clip(features, key=key, **{**known, **fields})


def tiny_lips(key: str) -> np.ndarray:
  """Lips of a video of `tiny_data`, float32 [T, K, 2]: a mouth of its own, which a fake opens in every other frame."""
  number, t = int(key[-7:-4]), TINY['frames']
  mouth = np.random.default_rng(number).uniform(-0.5, 0.5, (len(LIP_POINTS), 2))
  flicker = (number % 2) * (np.arange(t) % 2)[:, None, None] * (0, 0.1)
  return (mouth + flicker).astype(np.float32)


def tiny_motion(key: str) -> np.ndarray:
  """Motion of a video of `tiny_data`, float32 [F]: noise, in which the first 17 of a fake are larger."""
  number = int(key[-7:-4])
  noise = np.random.default_rng((len(key), number)).uniform(0, 0.1, N_FEATURES)
  noise[:17] += 0.05 * (number % 2)
  return noise.astype(np.float32)


@pytest.fixture(scope='session')
def tiny_data(tmp_path_factory) -> str:
  """A data_dir with `tiny_clips/tiny`: train 22, validation 10, test 9 clips; fakes flicker, reals do not.

  `tiny_clips/tiny_motion` has their motion, too.
  """
  from lipfake_jax.clips import results
  from lipfake_jax.core.vocabulary import VideoRecord
  from lipfake_jax.data.builder import LipClipBuilder, LipClipConfig
  from lipfake_jax.data.listing import Listing

  spec = ClipSpec(**TINY)
  cache = tmp_path_factory.mktemp('cache')

  def video(part: str, number: int) -> VideoRecord:
    key, fake = f'{part}/{number:03}.mp4', number % 2
    return VideoRecord(
      path=cache / f'{part} {number}.npz',
      key=key,
      label=('real', 'fake')[fake],
      identity=f'{part} person {number // 2}',
      method=('original', 'flicker')[fake],
      official=part,
      folder=('reals', 'fakes')[fake],
    )

  def clip(record: VideoRecord, motion: bool) -> Clip:
    number = int(record.key[-7:-4])
    rng = np.random.default_rng((len(record.official), number))
    t, s = spec.frames, spec.size
    flicker = (number % 2) * 100 * (np.arange(t) % 2)[:, None, None, None]
    pixels = (rng.integers(100, 130, (1, s, s, 3)) + np.zeros((t, 1, 1, 1), int) + flicker).astype(np.uint8)
    fields = {'motion': tiny_motion(record.key)} if motion else {}
    return make_clip(pixels, record.key, lips=tiny_lips(record.key), **fields)

  class TinyClips(LipClipBuilder):
    pkg_dir_path = epath.Path(__file__).parent  # where TFDS looks for a README: not a package
    BUILDER_CONFIGS = [
      LipClipConfig(name='tiny', spec=spec),
      LipClipConfig(name='tiny_motion', spec=dataclasses.replace(spec, motion=True)),
    ]
    OTHER_CONFIGS = []
    MANUAL_DOWNLOAD_INSTRUCTIONS = 'none'
    OWN_SPLIT = True

    def source_dir(self, dl_manager):
      return cache

    def list_videos(self, root):
      sizes = {'train': 22, 'validation': 10, 'test': 10}
      return Listing([video(part, number) for part, size in sizes.items() for number in range(size)])

    def _extract(self, paths):  # its clips come from no video
      for record in self.list_videos(cache).videos:
        lost = record.key == 'test/009.mp4'
        result = Rejection('no_face', 'none', '') if lost else [clip(record, self.builder_config.spec.motion)]
        results.save_result(result, record.path)
      return paths

  data_dir = str(tmp_path_factory.mktemp('data'))
  for config in TinyClips.BUILDER_CONFIGS:
    TinyClips(data_dir=data_dir, config=config.name).download_and_prepare()
  return data_dir


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
  """Files with the most slow tests come first: a worker that takes one of them last keeps the other waiting."""
  slow = collections.Counter(item.path for item in items if item.get_closest_marker('slow'))
  items.sort(key=lambda item: -slow[item.path])  # stable, so that files stay whole and in order
