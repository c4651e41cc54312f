import os
import shutil

import numpy as np
import pytest

from lipfake_jax import extraction
from lipfake_jax.clips import Clip, ClipSpec, Rejection

SPEC = ClipSpec(frames=20)


@pytest.fixture(scope='module')
def extracted(tmp_path_factory, face_video, blank_video, text_video):
  """Three videos, extracted by worker processes."""
  cache_dir = tmp_path_factory.mktemp('cache')
  paths = [face_video, blank_video, text_video]
  return paths, cache_dir, extraction.extract_clips(paths, SPEC, cache_dir, workers=2)


def test_each_video_gives_a_clip_or_a_reason(extracted):
  paths, _, caches = extracted
  results = [extraction.load_result(cache, path.name) for path, cache in zip(paths, caches, strict=True)]
  assert isinstance(results[0], Clip)
  assert results[0].frames.shape == (20, 64, 64, 3)
  assert [r.reason for r in results[1:]] == ['no_face', 'unreadable']
  assert [r.key for r in results] == [path.name for path in paths]


def test_a_finished_video_is_not_extracted_again(extracted):
  paths, cache_dir, caches = extracted
  before = [os.stat(cache).st_mtime_ns for cache in caches]
  assert extraction.extract_clips(paths, SPEC, cache_dir) == caches
  assert [os.stat(cache).st_mtime_ns for cache in caches] == before


def test_what_was_lost_is_extracted_again_to_the_same_bytes(extracted):
  paths, cache_dir, caches = extracted
  content = caches[0].read_bytes()
  caches[0].unlink()
  extraction.extract_clips(paths, SPEC, cache_dir, workers=1)
  assert caches[0].read_bytes() == content


def test_the_cache_goes_by_content_and_spec(tmp_path, face_video, blank_video):
  """Files of one name in two folders are two videos; a copy is the same one; another spec is another clip."""
  twin = tmp_path / 'a' / blank_video.name
  copy = tmp_path / 'b' / 'other.mp4'
  for source, target in ((face_video, twin), (blank_video, copy)):
    target.parent.mkdir()
    shutil.copy(source, target)
  blank, same, other = extraction.cache_paths([blank_video, copy, twin], SPEC, tmp_path)
  assert blank == same != other
  assert extraction.cache_paths([blank_video], ClipSpec(frames=21), tmp_path) != [blank]


@pytest.mark.parametrize(
  'result',
  [
    Rejection('no_face', 'no face in any of its 7 frames', 'key'),
    Clip(
      np.zeros((2, 8, 8, 3), np.uint8), np.array([1, 5], np.int32), np.ones(2, np.float32), np.ones(2, np.float32),
      np.ones((2, 4), np.float32), 29.97, 'key',
    ),
  ],
)  # fmt: skip
def test_results_survive_the_disk(tmp_path, result):
  extraction.save_result(result, tmp_path / 'sub' / 'r.npz')
  read = extraction.load_result(tmp_path / 'sub' / 'r.npz', 'key')
  assert type(read) is type(result)
  for name, value in vars(result).items():
    np.testing.assert_array_equal(getattr(read, name), value)
  assert os.listdir(tmp_path / 'sub') == ['r.npz']  # no partial file is left


def test_a_video_that_ends_its_process_costs_only_itself(tmp_path, monkeypatch, face_video, blank_video):
  """The first video's worker dies, as in a decoder's crash; the other one still gets its result."""
  marked = tmp_path / 'crash.mp4'
  shutil.copy(face_video, marked)
  jobs = [(marked, tmp_path / 'crash.npz'), (blank_video, tmp_path / 'blank.npz')]
  monkeypatch.setattr(extraction, '_extract_one', _die_on_crash)
  extraction._extract_all(jobs, SPEC, workers=1)
  assert extraction.load_result(tmp_path / 'crash.npz', 'k').detail == 'its decoding ended the process'
  assert extraction.load_result(tmp_path / 'blank.npz', 'k').reason == 'no_face'


def _die_on_crash(path, spec, cache):
  if path.name == 'crash.mp4':
    os._exit(139)
  extraction.save_result(Rejection('no_face', '', ''), cache)
