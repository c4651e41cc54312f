"""Miniatures of the datasets: their exact folders, names and lists, with rendered videos, to try a builder by.

Each builder's `dummy_data.py` says what its miniature holds. The faces are those of the demo. Next stage:
`lipfake dummy`, which writes one.
"""

import concurrent.futures
import importlib
import os
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from lipfake_jax.core.errors import UserError
from lipfake_jax.data.listing import BUILDERS
from lipfake_jax.demo import fakes
from lipfake_jax.demo import videos as demo_videos
from lipfake_jax.demo.face import PHOTOGRAPHS

SECONDS = 2.84  # of each video
SHORTEST = 1.0  # seconds that a video may have
SIZE = 192  # side in pixels
XM2VTS_SIZE = (720, 576)  # width and height


class DummyVideo(NamedTuple):
  """One video of a miniature: where it lies, what it shows, and whether its frames are interlaced, 720x576."""

  path: str
  label: str
  person: int
  interlaced: bool = False


class DummyData(NamedTuple):
  """A miniature: its videos, and its lists and tables by path."""

  videos: list[DummyVideo]
  texts: dict[str, str]


def load_dummy(dataset: str) -> DummyData:
  """What the miniature of a dataset holds. Raises UserError where there is none."""
  known = sorted(path.parent.name for path in BUILDERS.glob('*/dummy_data.py'))
  if dataset not in known:
    raise UserError(f'dataset {dataset!r}: there are miniatures of {", ".join(known)}')
  return importlib.import_module(f'data_builders.{dataset}.dummy_data').DUMMY


def make_dummy(data: DummyData, root: Path, seconds: float = SECONDS, empty: bool = False) -> Path:
  """Writes a miniature below a folder; with `empty`, files of no bytes under the names of the videos.

  Raises:
    UserError: the videos would be too short.
  """
  if seconds < SHORTEST:
    raise UserError(f'seconds={seconds}: videos are of at least {SHORTEST}')
  for path, text in data.texts.items():
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)
  for video in data.videos:
    (root / video.path).parent.mkdir(parents=True, exist_ok=True)
  if empty:
    for video in data.videos:
      (root / video.path).touch()
    return root
  context, count = get_context('spawn'), len(data.videos)
  with concurrent.futures.ProcessPoolExecutor(len(os.sched_getaffinity(0)), context, cv2.setNumThreads, (1,)) as pool:
    list(pool.map(_write_video, [root] * count, data.videos, range(count), [seconds] * count))
  return root


def _write_video(root: Path, video: DummyVideo, number: int, seconds: float) -> None:
  methods = {'real': demo_videos.REAL, 'fake': fakes.METHODS[number % len(fakes.METHODS)]}
  photograph = tuple(PHOTOGRAPHS)[video.person % 2]
  drawn = demo_videos.DemoVideo(
    video.path, video.label, '', methods[video.label], '', photograph, person=video.person, number=number
  )
  frames = demo_videos.render_frames(demo_videos.DemoSpec(size=SIZE, seconds=seconds), drawn)
  if video.interlaced:
    frames = _interlace(np.stack([_to_television(frame) for frame in frames]))
    demo_videos.encode_video(root / video.path, frames, 'mpeg4', {'flags': '+ildct+ilme', 'qmin': '2', 'qmax': '4'})
  else:
    demo_videos.encode_video(root / video.path, frames, 'libx264', {'crf': '23', 'preset': 'superfast'})


def _to_television(frame: np.ndarray) -> np.ndarray:
  """A square frame in the middle of a gray one of 720x576."""
  width, height = XM2VTS_SIZE
  screen = np.full((height, width, 3), 128, np.uint8)
  left = (width - height) // 2
  screen[:, left : left + height] = cv2.resize(frame, (height, height), interpolation=cv2.INTER_CUBIC)
  return screen


def _interlace(frames: np.ndarray) -> np.ndarray:
  """Even rows from each frame, odd rows from the next."""
  woven = frames[:-1].copy()
  woven[:, 1::2] = frames[1:, 1::2]
  return woven
