"""What several tests share: small real videos, and a small dataset of made-up clips."""

import dataclasses
from pathlib import Path

import av
import cv2
import matplotlib as mpl
import numpy as np
import pytest
from etils import epath

TINY = {'frames': 6, 'size': 16}  # of the clips in `tiny_data`


def write_video(path: Path, frames, codec: str = 'libx264', fps: int = 25, **options: str) -> Path:
  """Encodes RGB frames as a video file."""
  path.parent.mkdir(parents=True, exist_ok=True)
  with av.open(str(path), 'w') as container:
    stream = container.add_stream(codec, rate=fps, options=options)
    stream.height, stream.width = frames[0].shape[:2]
    stream.pix_fmt = 'yuv420p'
    for rgb in frames:
      container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format='rgb24')))
    container.mux(stream.encode(None))
  return path


@pytest.fixture(scope='session')
def portrait() -> np.ndarray:
  """A photograph of a face whose mouth is 72 pixels wide, RGB uint8 [600, 512, 3]."""
  path = Path(mpl.get_data_path()) / 'sample_data' / 'grace_hopper.jpg'
  return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


@pytest.fixture(scope='session')
def face_video(tmp_path_factory, portrait) -> Path:
  """70 frames of the portrait, swaying by up to 6 pixels."""
  sway = [np.roll(portrait[:400], round(6 * np.sin(0.4 * i)), axis=1) for i in range(70)]
  return write_video(tmp_path_factory.mktemp('videos') / 'face.mp4', sway)


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


@pytest.fixture(scope='session')
def tiny_data(tmp_path_factory) -> str:
  """A data_dir with `tiny_clips/tiny`: train 22, validation 10, test 9 clips; fakes flicker, reals do not."""
  from lipfake_jax.clips import Clip, ClipSpec
  from lipfake_jax.lip_clip_builder import LipClipBuilder, LipClipConfig, VideoRecord, to_example

  spec = ClipSpec(**TINY)

  def example(split: str, number: int):
    rng = np.random.default_rng((len(split), number))
    t, s, fake = spec.frames, spec.size, number % 2
    flicker = fake * 100 * (np.arange(t) % 2)[:, None, None, None]
    pixels = (rng.integers(100, 130, (1, s, s, 3)) + np.zeros((t, 1, 1, 1), int) + flicker).astype(np.uint8)
    key = f'{split}/{number:03}.mp4'
    ramp = np.arange(t, dtype=np.float32)
    clip = Clip(pixels, ramp.astype(np.int32), ramp / 25, ramp, np.zeros((t, 4), np.float32), 25.0, key)
    record = VideoRecord(
      Path(key), key, ('real', 'fake')[fake], split, f'person {number // 2}', ('original', 'flicker')[fake]
    )
    return key, to_example(clip, record)

  class TinyClips(LipClipBuilder):
    pkg_dir_path = epath.Path(__file__).parent  # where TFDS looks for a README: not a package
    BUILDER_CONFIGS = [LipClipConfig(name='tiny', spec=spec)]

    def list_videos(self, root):
      return []  # its clips come from no video

    def _split_generators(self, dl_manager):
      rejection = {'key': 'test/lost.mp4', 'label': 'real', 'split': 'test', 'reason': 'no_face', 'detail': 'none'}
      self.info.metadata.update(spec=dataclasses.asdict(spec), rejections=[rejection])
      sizes = {'train': 22, 'validation': 10, 'test': 9}
      return {split: self._generate_examples(split, size) for split, size in sizes.items()}

    def _generate_examples(self, split, size):
      for number in range(size):
        yield example(split, number)

  data_dir = str(tmp_path_factory.mktemp('data'))
  TinyClips(data_dir=data_dir, config='tiny').download_and_prepare()
  return data_dir
