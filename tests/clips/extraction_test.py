import os
import shutil
import signal
import time
from collections import Counter

import cv2
import numpy as np
import pytest

from lipfake_jax.clips import extraction
from lipfake_jax.clips.clips import REASONS, Rejection, to_fields
from lipfake_jax.core.clip_spec import ClipSpec
from tests.conftest import make_clip, write_video

SPEC = ClipSpec(frames=20)


@pytest.fixture(scope='module')
def extracted(tmp_path_factory, face_video, blank_video, text_video):
  """Three videos, extracted by worker processes."""
  cache_dir = tmp_path_factory.mktemp('cache')
  paths = [face_video, blank_video, text_video]
  return paths, cache_dir, extraction.extract_videos(paths, SPEC, cache_dir, workers=2)


def test_each_video_gives_a_clip_or_a_reason(extracted):
  paths, _, caches = extracted
  results = [extraction.load_result(cache, path.name) for path, cache in zip(paths, caches, strict=True)]
  [clip] = results[0]
  assert clip.frames.shape == (20, 64, 64, 3)
  assert [r.reason for r in results[1:]] == ['no_face', 'unreadable']
  assert [r.key for r in (clip, *results[1:])] == [path.name for path in paths]


def test_a_finished_video_is_not_extracted_again(extracted):
  paths, cache_dir, caches = extracted
  before = [os.stat(cache).st_mtime_ns for cache in caches]
  assert extraction.extract_videos(paths, SPEC, cache_dir) == caches
  assert [os.stat(cache).st_mtime_ns for cache in caches] == before


def test_what_was_lost_is_extracted_again_to_the_same_bytes(extracted):
  paths, cache_dir, caches = extracted
  content = caches[0].read_bytes()
  caches[0].unlink()
  extraction.extract_videos(paths, SPEC, cache_dir, workers=1)
  assert caches[0].read_bytes() == content


def test_what_killed_workers_left_half_written_is_removed(extracted):
  paths, cache_dir, caches = extracted
  left = [caches[0].with_name(f'{caches[0].name}.123.partial'), cache_dir / 'faces' / 'x' / 'y.bin.123.partial']
  left[1].parent.mkdir(parents=True)
  for path in left:
    path.touch()
  caches[1].unlink()
  extraction.extract_videos(paths, SPEC, cache_dir, workers=1)
  assert not any(path.exists() for path in left)
  assert all(cache.exists() for cache in caches)


def test_the_cache_goes_by_content_and_spec(tmp_path, face_video, blank_video):
  """Files of one name in two folders are two videos; a copy is the same one; another spec is another clip."""
  twin = tmp_path / 'a' / blank_video.name
  copy = tmp_path / 'b' / 'other.mp4'
  for source, target in ((face_video, twin), (blank_video, copy)):
    target.parent.mkdir()
    shutil.copy(source, target)
  (_, blank, _), (_, same, _), (_, other, _) = extraction.plan_jobs([blank_video, copy, twin], SPEC, tmp_path)
  assert blank == same != other
  assert extraction.plan_jobs([blank_video], ClipSpec(frames=21), tmp_path)[0][1] != blank
  assert len(extraction.unfinished(extraction.plan_jobs([blank_video, copy, twin], SPEC, tmp_path))) == 2


def test_what_is_no_file_is_rejected_by_name(tmp_path, blank_video):
  """A link to nowhere, a folder with a video's name; and a video between them."""
  (tmp_path / 'link.mp4').symlink_to(tmp_path / 'nowhere')
  (tmp_path / 'folder.mp4').mkdir()
  paths = [tmp_path / 'link.mp4', blank_video, tmp_path / 'folder.mp4']
  results = [extraction.load_result(c, 'k') for c in extraction.extract_videos(paths, SPEC, tmp_path / 'cache')]
  assert [r.reason for r in results] == ['unreadable', 'no_face', 'unreadable']
  assert 'No such file' in results[0].detail


def test_another_rule_finds_no_face_twice(tmp_path, monkeypatch, face_video, models):
  """Faces depend on `landmark_stride` alone: with other crops and rules they are read, not looked for."""

  def run(spec, with_models=models):
    [job] = extraction.plan_jobs([face_video], spec, tmp_path)
    extraction.run_job(job, spec, with_models)
    [clip] = extraction.load_result(job[1], 'v')
    return clip

  fresh = run(SPEC)
  blind = None  # no model at hand: whoever looks fails
  crops = run(ClipSpec(frames=20, region='face', rule='uniform', size=32), blind)
  assert crops.frames.shape == (20, 32, 32, 3)
  again = run(ClipSpec(frames=20, threshold=1.25), blind)  # chooses as SPEC does
  np.testing.assert_array_equal(again.frames, fresh.frames)
  np.testing.assert_array_equal(again.activity, fresh.activity)
  with pytest.raises(AttributeError):
    run(ClipSpec(frames=20, landmark_stride=5), blind)


@pytest.mark.parametrize(
  'result',
  [
    Rejection('no_face', 'no face in any of its 7 frames', 'key'),
    [make_clip(np.zeros((2, 8, 8, 3), np.uint8), 'key')],
    [make_clip(np.zeros((2, 8, 8, 3), np.uint8), 'key'), make_clip(np.ones((2, 8, 8, 3), np.uint8), 'key#2', track=4)],
  ],
)
def test_results_survive_the_disk(tmp_path, result):
  extraction.save_result(result, tmp_path / 'sub' / 'r.npz')
  read = extraction.load_result(tmp_path / 'sub' / 'r.npz', 'key')
  assert type(read) is type(result)
  pairs = zip(result, read, strict=True) if isinstance(result, list) else [(result, read)]
  for one, other in pairs:
    stored = to_fields(other)
    for name, value in to_fields(one).items():
      np.testing.assert_array_equal(stored.pop(name), value)
    assert (other.key, stored) == (one.key, {})
  assert os.listdir(tmp_path / 'sub') == ['r.npz']  # no partial file is left


def run_all(jobs, time_limit_s=60.0, workers=1):
  extraction.run_jobs(jobs, SPEC, workers, time_limit_s)
  return [extraction.load_result(clips, 'k') for _, clips, _ in jobs]


@pytest.fixture
def three_jobs(tmp_path, face_video, blank_video):
  """A video that does harm, between two others."""
  marked = tmp_path / 'harm.mp4'
  shutil.copy(face_video, marked)
  videos = [blank_video, marked, face_video]
  return [(video, tmp_path / f'{i}.npz', tmp_path / f'{i}.bin') for i, video in enumerate(videos)]


@pytest.mark.parametrize('workers', [1, 2])
def test_a_video_that_ends_its_process_costs_only_itself(monkeypatch, three_jobs, workers):
  """Its worker dies, as in a decoder's crash."""
  monkeypatch.setattr(extraction, '_work', _work_and_die)
  blank, harm, face = run_all(three_jobs, workers=workers)
  assert (harm.reason, harm.detail) == ('unreadable', 'its decoding ended the process')
  assert blank.reason == 'no_face'
  assert face[0].frames.shape == (20, 64, 64, 3)


@pytest.mark.slow
def test_a_video_that_hangs_is_given_up(monkeypatch, three_jobs):
  """In C code, where no signal handler of Python's gets through: its process is killed."""
  monkeypatch.setattr(extraction, '_work', _work_and_hang)
  blank, harm, face = run_all(three_jobs, time_limit_s=6.0)
  assert (harm.reason, harm.detail) == ('timeout', 'it took more than 6 s: cut it into shorter pieces')
  assert blank.reason == 'no_face'
  assert len(face) == 1


def test_a_process_that_cannot_start_blames_no_video(monkeypatch, three_jobs):
  monkeypatch.setattr(extraction, '_work', _die_at_once)
  with pytest.raises(RuntimeError, match='ended before its first video'):
    run_all(three_jobs)
  assert not any(clips.exists() for _, clips, _ in three_jobs)


def test_a_cache_that_cannot_be_written_blames_no_video(tmp_path, face_video):
  """A file lies where its folder should be."""
  (tmp_path / 'occupied').touch()
  job = (face_video, tmp_path / 'occupied' / 'c.npz', tmp_path / 'f.bin')
  with pytest.raises(OSError, match='occupied'):
    extraction.run_jobs([job], SPEC, workers=1, show_progress=False)


def _work_and_die(pipe, spec):
  _with_harm(lambda: os._exit(139))
  extraction._work(pipe, spec)


def _work_and_hang(pipe, spec):
  _with_harm(_sleep_deaf)
  extraction._work(pipe, spec)


def _sleep_deaf():
  signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
  time.sleep(3600)


def _die_at_once(pipe, spec):
  os._exit(1)


def _with_harm(harm):
  """In this process, the marked video does harm."""
  run_job = extraction.run_job

  def run(job, spec, models):
    if job[0].name == 'harm.mp4':
      harm()
    return run_job(job, spec, models)

  extraction.run_job = run


def corrupt(data: bytes, rng: np.random.Generator) -> bytes:
  """One kind of damage: flipped bits, a piece cut out, the end cut off, a splice, or a header of noise."""
  damaged, size = bytearray(data), len(data)
  start, kind = int(rng.integers(size)), rng.integers(6)
  if kind == 0:
    for place in rng.integers(size, size=rng.integers(1, 200)):
      damaged[place] ^= 1 << int(rng.integers(8))
  elif kind == 1:
    del damaged[start : start + int(rng.integers(1, size // 4))]
  elif kind == 2:
    del damaged[start:]
  elif kind == 3:
    other = int(rng.integers(size))
    length = int(rng.integers(1, size // 4))
    damaged[start : start + length] = damaged[other : other + length]
  elif kind == 4:
    header = int(rng.integers(4, 1500))
    damaged[: min(header, size)] = rng.bytes(min(header, size))
  else:
    # Lengths, counts and sizes live in the first and last kilobyte.
    for place in [*rng.integers(min(1000, size), size=4), *(size - 1 - rng.integers(min(1000, size), size=4))]:
      damaged[place : place + 4] = rng.bytes(4)
  return bytes(damaged)


N_CORRUPTIONS = 500


@pytest.mark.slow
def test_no_damage_ends_in_anything_but_a_clip_or_a_reason(tmp_path, portrait):
  """Seeded corruptions of six kinds of file, each a face for a second, through the real worker processes."""
  small = cv2.resize(portrait[60:380, 80:400], (160, 160), interpolation=cv2.INTER_AREA)
  frames = [np.roll(small, i % 4, axis=1) for i in range(24)]
  kinds = [
    ('a.mp4', 'libx264'), ('b.avi', 'mpeg4'), ('c.webm', 'libvpx-vp9'), ('d.mpg', 'mpeg1video'), ('e.mkv', 'libx264'),
    ('f.mov', 'mjpeg'),
  ]  # fmt: skip
  formats = {'f.mov': 'yuvj420p'}
  sources = [
    write_video(tmp_path / name, frames, codec=codec, g='8', pix_fmt=formats.get(name, 'yuv420p'))
    for name, codec in kinds
  ]
  rng, paths = np.random.default_rng(0), []
  for number in range(N_CORRUPTIONS):
    source = sources[number % len(sources)]
    paths.append(tmp_path / 'damaged' / f'{number:03}{source.suffix}')
    paths[-1].parent.mkdir(exist_ok=True)
    paths[-1].write_bytes(corrupt(source.read_bytes(), rng))
  caches = extraction.extract_videos(paths, ClipSpec(frames=12), tmp_path / 'cache', time_limit_s=60.0)
  results = [extraction.load_result(cache, path.name) for cache, path in zip(caches, paths, strict=True)]
  reasons = Counter(r.reason if isinstance(r, Rejection) else 'clip' for r in results)
  assert sum(reasons.values()) == N_CORRUPTIONS
  assert set(reasons) <= {'clip', *REASONS}
  assert 'timeout' not in reasons
  # The damage is real, and not total.
  assert reasons['clip'] > 100
  assert reasons['unreadable'] > 50
  ended = [r.key for r in results if isinstance(r, Rejection) and 'ended the process' in r.detail]
  assert not ended
