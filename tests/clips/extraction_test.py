import errno
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter

import cv2
import numpy as np
import pytest

from lipfake_jax.clips import extraction, results, workers
from lipfake_jax.clips.clips import Rejection, to_fields
from lipfake_jax.clips.whole_file import remove_abandoned, write_whole
from lipfake_jax.core.clip_spec import ClipSpec
from lipfake_jax.core.errors import UserError
from lipfake_jax.core.vocabulary import REASONS
from tests.conftest import copy_video, make_clip, write_video

SPEC = ClipSpec(frames=20)
RUN_JOB = extraction.run_job


@pytest.fixture(scope='module')
def extracted(tmp_path_factory, face_video, blank_video, text_video):
  """Three videos, extracted by worker processes."""
  cache_dir = tmp_path_factory.mktemp('cache')
  paths = [face_video, blank_video, text_video]
  return paths, cache_dir, extraction.extract_videos(paths, SPEC, cache_dir, workers=2)


def test_each_video_gives_a_clip_or_a_reason(extracted):
  paths, _, caches = extracted
  found = [results.load_result(cache, path.name) for path, cache in zip(paths, caches, strict=True)]
  [clip] = found[0]
  assert clip.frames.shape == (20, 64, 64, 3)
  assert [r.reason for r in found[1:]] == ['no_face', 'unreadable']
  assert [r.key for r in (clip, *found[1:])] == [path.name for path in paths]


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


def extract(paths, cache_dir):
  return [results.load_result(cache, 'k') for cache in extraction.extract_videos(paths, SPEC, cache_dir)]


def test_what_is_no_file_is_rejected_by_name(tmp_path, blank_video):
  """A link to nowhere, a folder with a video's name; and a video between them."""
  (tmp_path / 'link.mp4').symlink_to(tmp_path / 'nowhere')
  (tmp_path / 'folder.mp4').mkdir()
  link, blank, folder = extract([tmp_path / 'link.mp4', blank_video, tmp_path / 'folder.mp4'], tmp_path / 'cache')
  assert [r.reason for r in (link, blank, folder)] == ['unreadable', 'no_face', 'unreadable']
  assert 'No such file' in link.detail
  assert [r.passing for r in (link, blank, folder)] == [True, False, True]


def test_a_failure_of_the_path_is_tried_again_and_one_of_the_content_is_not(tmp_path, blank_video, text_video):
  """The link comes to lead to a video; the text stays text."""
  link = tmp_path / 'link.mp4'
  link.symlink_to(tmp_path / 'later.mp4')
  first = extract([link, text_video], tmp_path / 'cache')
  kept = {path: path.stat().st_mtime_ns for path in (tmp_path / 'cache').rglob('*.npz')}
  assert [r.reason for r in first] == ['unreadable', 'unreadable']
  assert len(kept) == 1
  shutil.copy(blank_video, tmp_path / 'later.mp4')
  assert [r.reason for r in extract([link, text_video], tmp_path / 'cache')] == ['no_face', 'unreadable']
  assert {path: path.stat().st_mtime_ns for path in kept} == kept


def test_a_file_that_changes_while_it_is_read_is_kept_under_no_name(tmp_path, blank_video, face_video, monkeypatch):
  """Between its digest and its end another video takes its place, as where a copy is still under way."""
  growing = tmp_path / 'v.mp4'
  shutil.copy(face_video, growing)
  [job] = extraction.plan_jobs([growing], SPEC, tmp_path / 'cache')

  def replace_and_read(video, *arguments, **options):
    shutil.copy(blank_video, growing)
    return Rejection('no_face', 'none', '')

  monkeypatch.setattr(extraction, 'extract_clips', replace_and_read)
  assert extraction.run_job(job, SPEC, None) == 'unreadable'
  assert not job[1].exists()
  assert results.load_result(job[1], 'k').detail == 'the file changed while it was read'


def test_another_rule_finds_no_face_twice(tmp_path, monkeypatch, face_video, models):
  """Faces depend on `landmark_stride` alone: with other crops and rules they are read, not looked for."""

  def run(spec, with_models=models):
    [job] = extraction.plan_jobs([face_video], spec, tmp_path)
    extraction.run_job(job, spec, with_models)
    [clip] = results.load_result(job[1], 'v')
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
  results.save_result(result, tmp_path / 'sub' / 'r.npz')
  read = results.load_result(tmp_path / 'sub' / 'r.npz', 'key')
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
  return [results.load_result(clips, 'k') for _, clips, _ in jobs]


@pytest.fixture
def three_jobs(tmp_path, face_video, blank_video):
  """A video that does harm, between two others."""
  marked = copy_video(face_video, tmp_path / 'harm.mp4', boxes=1)
  return extraction.plan_jobs([blank_video, marked, face_video], SPEC, tmp_path / 'cache')


@pytest.mark.parametrize('workers', [1, 2])
def test_a_video_that_ends_its_process_costs_only_itself(monkeypatch, three_jobs, workers):
  """Its worker dies each time, as in a decoder's crash; the result is for this run alone."""
  monkeypatch.setattr(extraction, 'run_job', _run_or_die)
  blank, harm, face = run_all(three_jobs, workers=workers)
  assert (harm.reason, harm.detail) == ('unreadable', 'its decoding ended the process (SIGSEGV)')
  assert harm.passing
  assert extraction.unfinished(three_jobs) == [three_jobs[1]]
  assert blank.reason == 'no_face'
  assert face[0].frames.shape == (20, 64, 64, 3)


def test_a_worker_that_was_killed_once_is_replaced(monkeypatch, three_jobs):
  """As by a system that runs out of memory: the second try gives the clip."""
  monkeypatch.setattr(extraction, 'run_job', _run_or_die_once)
  assert len(run_all(three_jobs)[1]) == 1
  assert extraction.unfinished(three_jobs) == []


@pytest.mark.slow
def test_a_video_that_hangs_is_given_up(monkeypatch, three_jobs):
  """In C code, where no signal handler of Python's gets through: its process is killed, and holds nothing."""
  monkeypatch.setattr(extraction, 'run_job', _run_or_hang)
  blank, harm, face = run_all(three_jobs, time_limit_s=6.0)
  assert (harm.reason, harm.detail) == ('timeout', 'it took more than 6 s: cut it into shorter pieces')
  assert extraction.unfinished(three_jobs) == [three_jobs[1]]
  assert blank.reason == 'no_face'
  assert len(face) == 1
  folder = three_jobs[1][1].parent
  remove_abandoned(folder)  # as an extraction does at its end
  assert {path.suffix for path in folder.iterdir()} == {'.npz', '.failed'}


def test_a_process_that_cannot_start_blames_no_video(monkeypatch, three_jobs):
  monkeypatch.setattr(workers, 'work', _die_at_once)
  with pytest.raises(RuntimeError, match='ended before its first video'):
    run_all(three_jobs)
  assert not any(clips.exists() for _, clips, _ in three_jobs)


@pytest.mark.parametrize('sabotage', ['file', 'full'])
def test_a_cache_that_cannot_be_written_blames_no_video(tmp_path, face_video, sabotage, monkeypatch):
  """A file lies where its folder should be, or the disk is full: the run ends, and says what to do."""
  if sabotage == 'file':
    (tmp_path / 'cache').touch()
    with pytest.raises(UserError, match=r'cache/.*: Not a directory; what was finished is kept'):
      extraction.extract_videos([face_video], SPEC, tmp_path / 'cache')
  else:
    text = extraction._explain(OSError(errno.ENOSPC, 'No space left on device'), tmp_path / 'cache', 300 << 20)
    assert re.search(r'its disk is full: \d+ MiB are free, and about 301 MiB are needed', text)
  assert not list(tmp_path.rglob('*.npz'))


@pytest.mark.slow
def test_ctrl_c_ends_in_one_line_and_keeps_what_is_done(tmp_path, face_video):
  """It reaches the whole process group, as from a terminal, once the first of many videos is finished."""
  for number in range(40):
    copy_video(face_video, tmp_path / f'{number}.mp4', boxes=number)
  program = (
    'import sys; from pathlib import Path; from lipfake_jax.clips import extraction\n'
    'from lipfake_jax.core.errors import exit_codes; from lipfake_jax.core.clip_spec import ClipSpec\n'
    f'with exit_codes(): extraction.extract_videos(sorted(Path("{tmp_path}").glob("*.mp4")), ClipSpec(), '
    f'Path("{tmp_path}") / "cache", workers=2)'
  )
  process = subprocess.Popen([sys.executable, '-c', program], stderr=subprocess.PIPE, text=True, start_new_session=True)
  deadline = time.monotonic() + 120
  while not list(tmp_path.rglob('*.npz')) and time.monotonic() < deadline:
    time.sleep(0.05)
  os.killpg(process.pid, signal.SIGINT)
  errors = process.communicate(timeout=60)[1]
  assert process.returncode == 130
  assert re.search(r'interrupted: \d+ of 40 videos are extracted and kept; the same command goes on', errors)
  assert 'Traceback' not in errors
  left = [path.name for path in (tmp_path / 'cache').rglob('*.*') if path.suffix not in ('.npz', '.bin')]
  assert left == []


def _run_or_die(job, spec, models):
  if job[0].name == 'harm.mp4':
    os.kill(os.getpid(), signal.SIGSEGV)
  return RUN_JOB(job, spec, models)


def _run_or_die_once(job, spec, models):
  if job[0].name == 'harm.mp4' and not (mark := job[1].with_suffix('.once')).exists():
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.touch()
    os.kill(os.getpid(), signal.SIGKILL)
  return RUN_JOB(job, spec, models)


def _run_or_hang(job, spec, models):
  if job[0].name == 'harm.mp4':
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    with write_whole(job[1]):
      time.sleep(3600)
  return RUN_JOB(job, spec, models)


def _die_at_once(pipe, spec, run):
  os._exit(1)


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
  found = [results.load_result(cache, path.name) for cache, path in zip(caches, paths, strict=True)]
  reasons = Counter(r.reason if isinstance(r, Rejection) else 'clip' for r in found)
  assert sum(reasons.values()) == N_CORRUPTIONS
  assert set(reasons) <= {'clip', *REASONS}
  assert 'timeout' not in reasons
  # The damage is real, and not total.
  assert reasons['clip'] > 100
  assert reasons['unreadable'] > 50
  ended = [r.key for r in found if isinstance(r, Rejection) and 'ended the process' in r.detail]
  assert not ended
