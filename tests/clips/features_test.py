"""A new input of models is one file: here one is added, and found in clips, in the cache and in a dataset."""

import sys
from pathlib import Path

import numpy as np
import pytest
from etils import epath

from lipfake_jax.clips import extraction, features
from lipfake_jax.clips.results import load_result
from lipfake_jax.clips.spectrum import SILENCE
from lipfake_jax.clips.video import read_frames
from lipfake_jax.core.clip_spec import ClipSpec
from lipfake_jax.core.errors import UserError
from lipfake_jax.core.vocabulary import SOUNDS, VideoRecord
from lipfake_jax.data.batches import read_clip
from lipfake_jax.data.builder import LipClipBuilder, LipClipConfig
from lipfake_jax.data.dataset import DataChoice, open_split
from lipfake_jax.data.listing import Listing
from tests.clips.talk import burst, write_talk

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
SOUND = ClipSpec(frames=25, size=16, rule='contiguous', sound=True)


@pytest.fixture
def brightness(tmp_path, monkeypatch):
  """Adds a feature of its own file: the mean brightness of each frame."""
  (tmp_path / 'toy_brightness.py').write_text(BRIGHTNESS)
  monkeypatch.setattr(features, '__path__', [*features.__path__, str(tmp_path)])
  monkeypatch.setitem(features.FEATURES, 'brightness', features._find_features()['brightness'])
  yield
  del sys.modules['lipfake_jax.clips.features.toy_brightness']


def store(name: str, spec: ClipSpec, video: Path, job: extraction.Job, folder: Path):
  """A dataset of one video whose clips are there, `videos/NAME`."""

  class Videos(LipClipBuilder, skip_registration=True):
    pkg_dir_path = epath.Path(__file__).parent
    BUILDER_CONFIGS = [LipClipConfig(name=name, spec=spec)]
    MANUAL_DOWNLOAD_INSTRUCTIONS = 'none'

    def source_dir(self, dl_manager):
      return folder

    def list_videos(self, root):
      return Listing([VideoRecord(video, 'v', 'real')])

    def _extract(self, paths):
      return [job[1]]

  Videos(data_dir=folder, config=name).download_and_prepare()


def test_a_file_is_all_that_a_feature_takes(tmp_path, brightness, face_video, models):
  [job] = extraction.plan_jobs([face_video], SPEC, tmp_path / 'cache')
  extraction.run_job(job, SPEC, models)
  [clip] = load_result(job[1], 'v')
  luma = [frame.luma.mean() for frame in read_frames(face_video)]
  expected = [luma[i] for i in (0, 10, 20, 30, 39, 49, 59, 69)]  # evenly of 70
  assert clip.features['brightness'].tolist() == expected

  store('toy', SPEC, face_video, job, tmp_path)
  split = open_split(DataChoice('videos', 'toy'), 'all', str(tmp_path), 'brightness')
  assert split.clip_shape == (8,)
  assert read_clip(split, 0).tolist() == expected


def test_a_dataset_without_a_feature_names_configs_that_have_it(tiny_data, brightness):
  with pytest.raises(UserError, match=r'without .brightness., .* choose --config.data.builder_config=flow_lips'):
    open_split(DataChoice('tiny_clips', 'tiny'), 'test', tiny_data, 'brightness')


def test_the_sound_of_a_frame_is_what_is_heard_while_it_is_shown(tmp_path, portrait, models):
  """25 frames in a row, and a tone of 50 ms from 0.6 s on, which is when the 16th is shown: rows 60 to 65."""
  sway = [np.roll(portrait[:400], round(6 * np.sin(0.8 * i)), axis=1) for i in range(25)]
  video = write_talk(tmp_path / 'talk.avi', sway, [(0.0, burst(0.6, 0.4 + 0.25))], 'pcm_s16le')
  [job] = extraction.plan_jobs([video], SOUND, tmp_path / 'cache')
  extraction.run_job(job, SOUND, models)
  store('sound', SOUND, video, job, tmp_path)
  split = open_split(DataChoice('videos', 'sound'), 'all', str(tmp_path), 'sound')
  rows = read_clip(split, 0).reshape(-1, 64)
  heard = np.flatnonzero(rows.max(axis=1) > 0)
  assert (heard[0], heard[-1]) == (60, 65)
  assert (rows[:58] == SILENCE).all()
  state = open_split(DataChoice('videos', 'sound'), 'all', str(tmp_path), 'sound_state')
  assert SOUNDS[read_clip(state, 0)[0]] == 'heard'


def test_without_sound_specs_are_called_what_they_were():
  """Caches and built datasets go by these."""
  assert 'sound' not in ClipSpec().fields()
  assert 'sound' not in f'{ClipSpec()}'
  assert ClipSpec(sound=True).fields()['sound']


def test_features_are_stored_under_these_names():
  """Of a clip of 60 frames; what is stored must not change."""
  described = {name: (f.dtype, f.shape(ClipSpec())) for name, f in features.FEATURES.items()}
  assert described == {
    'clip': (np.uint8, (60, 64, 64, 3)),
    'lips': (np.float32, (60, 64, 2)),
    'motion': (np.float32, (68,)),
    'sound': (np.float32, (60, 4, 64)),
    'sound_state': (np.uint8, (1,)),
  }
  assert [f.name for f in features.features_of(ClipSpec())] == ['lips', 'clip']
  assert [f.name for f in features.features_of(ClipSpec(motion=True))] == ['motion', 'lips', 'clip']
  assert [f.name for f in features.features_of(ClipSpec(sound=True))] == ['lips', 'clip', 'sound', 'sound_state']
  assert features.FEATURES['lips'].count_bytes(ClipSpec()) == 60 * 64 * 2 * 4
