"""A new input of models is one file: here one is added, and found in clips, in the cache and in a dataset."""

import sys

import numpy as np
import pytest
from etils import epath

from lipfake_jax.clips import extraction, features
from lipfake_jax.clips.results import load_result
from lipfake_jax.clips.video import read_frames
from lipfake_jax.core.clip_spec import ClipSpec
from lipfake_jax.core.errors import UserError
from lipfake_jax.core.vocabulary import VideoRecord
from lipfake_jax.data.batches import read_clip
from lipfake_jax.data.builder import LipClipBuilder, LipClipConfig
from lipfake_jax.data.dataset import DataChoice, open_split
from lipfake_jax.data.listing import Listing

BRIGHTNESS = """
import numpy as np
from lipfake_jax.clips.feature import Feature

FEATURE = Feature(
  name='brightness',
  dtype=np.float64,
  shape=lambda spec: (spec.frames,),
  keep=lambda face, spec: face.frame.luma.mean(),
  measure=lambda chosen, spec: chosen.read(chosen.positions),
)
"""
SPEC = ClipSpec(frames=8, size=16, rule='uniform')


@pytest.fixture
def brightness(tmp_path, monkeypatch):
  """Adds a feature of its own file: the mean brightness of each frame."""
  (tmp_path / 'toy_brightness.py').write_text(BRIGHTNESS)
  monkeypatch.setattr(features, '__path__', [*features.__path__, str(tmp_path)])
  monkeypatch.setitem(features.FEATURES, 'brightness', features._find_features()['brightness'])
  yield
  del sys.modules['lipfake_jax.clips.features.toy_brightness']


def test_a_file_is_all_that_a_feature_takes(tmp_path, brightness, face_video, models):
  [job] = extraction.plan_jobs([face_video], SPEC, tmp_path / 'cache')
  extraction.run_job(job, SPEC, models)
  [clip] = load_result(job[1], 'v')
  luma = [frame.luma.mean() for frame in read_frames(face_video)]
  expected = [luma[i] for i in (0, 10, 20, 30, 39, 49, 59, 69)]  # evenly of 70
  assert clip.features['brightness'].tolist() == expected

  class Videos(LipClipBuilder):
    pkg_dir_path = epath.Path(__file__).parent
    BUILDER_CONFIGS = [LipClipConfig(name='toy', spec=SPEC)]
    MANUAL_DOWNLOAD_INSTRUCTIONS = 'none'

    def source_dir(self, dl_manager):
      return tmp_path

    def list_videos(self, root):
      return Listing([VideoRecord(face_video, 'v', 'real')])

    def _extract(self, paths):
      return [job[1]]

  Videos(data_dir=tmp_path, config='toy').download_and_prepare()
  split = open_split(DataChoice('videos', 'toy'), 'all', str(tmp_path), 'brightness')
  assert split.clip_shape == (8,)
  assert read_clip(split, 0).tolist() == expected


def test_a_dataset_without_a_feature_names_configs_that_have_it(tiny_data, brightness):
  with pytest.raises(UserError, match=r'without .brightness., .* choose --config.data.builder_config=flow_lips'):
    open_split(DataChoice('tiny_clips', 'tiny'), 'test', tiny_data, 'brightness')


def test_features_are_stored_under_these_names():
  """Of a clip of 60 frames; what is stored must not change."""
  described = {name: (f.dtype, f.shape(ClipSpec())) for name, f in features.FEATURES.items()}
  assert described == {
    'clip': (np.uint8, (60, 64, 64, 3)),
    'lips': (np.float32, (60, 64, 2)),
    'motion': (np.float32, (68,)),
  }
  assert [f.name for f in features.features_of(ClipSpec())] == ['lips', 'clip']
  assert [f.name for f in features.features_of(ClipSpec(motion=True))] == ['motion', 'lips', 'clip']
  assert features.FEATURES['lips'].count_bytes(ClipSpec()) == 60 * 64 * 2 * 4
