"""Clips of many videos: one video a process, every result kept on disk as soon as it is there.

In: paths and a `ClipSpec`. Out: one file a video in a cache, named by the video's content and the spec, that holds its
`Clip`s or `Rejection`. A build that was stopped, or made again, extracts no finished video twice, and a changed spec
finds no face twice.
Next stage: `lip_clip_builder` writes them as a dataset.

Run as a module it does the work for its parent process, with the jobs as JSON on standard input, and a line of JSON on
standard output for each that is done. That keeps whatever the parent has loaded (TensorFlow, say) out of every worker.
"""

import concurrent.futures
import contextlib
import dataclasses
import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from lipfake_jax.clips.clips import Rejection, extract_clips
from lipfake_jax.clips.features import features_of
from lipfake_jax.clips.landmarks import FaceModels
from lipfake_jax.clips.results import save_result
from lipfake_jax.clips.whole_file import remove_abandoned
from lipfake_jax.clips.workers import run_workers
from lipfake_jax.core.clip_spec import ClipSpec
from lipfake_jax.core.disk import free_bytes
from lipfake_jax.core.errors import Interrupted, UserError

# Parts of the cache's names: raised whenever the same video and spec yield other bytes.
EXTRACTION_VERSION = 6
FACES_VERSION = 3

TIME_LIMIT_S = 1800.0  # for one video: more than an hour of 1080p takes; what needs longer hangs

Job = tuple[Path, Path, Path]  # a video, the file for its clips, and the file for the faces found in it


def extract_videos(
  paths: Sequence[Path],
  spec: ClipSpec,
  cache_dir: Path,
  workers: int | None = None,
  time_limit_s: float = TIME_LIMIT_S,
) -> list[Path]:
  """`stream_videos`, to its end: the cache file of each path, in their order, for `load_result`."""
  groups = stream_videos(paths, spec, cache_dir, len(paths), workers, time_limit_s)
  return [cache for group in groups for cache in group]


def stream_videos(
  paths: Sequence[Path],
  spec: ClipSpec,
  cache_dir: Path,
  group_size: int,
  workers: int | None = None,
  time_limit_s: float = TIME_LIMIT_S,
) -> Iterator[list[Path]]:
  """Extracts the clips of videos, in parallel, with a progress bar on stderr.

  Args:
    paths: video files.
    spec: what to extract.
    cache_dir: where results are kept.
    group_size: how many are given out at once, at most.
    workers: processes; all cores that this process may use by default.
    time_limit_s: seconds that one video may take; then it is rejected as 'timeout'.

  Yields:
    The cache files of the next paths, in their order, as many as are there when the first of them is.

  Raises:
    UserError: the cache can't be written, or its disk is full.
    Interrupted: by Ctrl-C; what is finished is kept.
    RuntimeError: the extraction itself failed, which no video should bring about.
  """
  jobs = plan_jobs(paths, spec, cache_dir)
  missing = unfinished(jobs)
  left = {clips for _, clips, _ in missing}
  request = {
    'spec': dataclasses.asdict(spec),
    'cache_dir': str(cache_dir),
    'jobs': [[str(path) for path in job] for job in missing],
    'workers': workers or len(os.sched_getaffinity(0)),
    'time_limit_s': time_limit_s,
  }
  if missing:
    remove_abandoned(cache_dir)
  done = _work_elsewhere(request) if missing else iter(())
  ready: list[Path] = []
  try:
    for _, clips, _ in jobs:
      if ready and (len(ready) == group_size or (clips in left and not clips.exists())):
        yield ready
        ready = []
      while clips in left:
        left.discard(next(done))
      ready.append(clips)
    list(done)  # it ends by itself, and says so if not well
  except KeyboardInterrupt as stop:
    raise interrupted(len(jobs) - len(left), len(jobs)) from stop
  if ready:
    yield ready


def interrupted(done: int, count: int) -> Interrupted:
  """What is said where Ctrl-C ends the extraction of `count` videos."""
  return Interrupted(
    f'interrupted: {done} of {count} videos are extracted and kept; the same command goes on from there',
    128 + signal.SIGINT,
  )


def plan_jobs(paths: Iterable[Path], spec: ClipSpec, cache_dir: Path) -> list[Job]:
  """One job a video. Files are named by the SHA-256 of its bytes, below folders named by what their content depends on.

  Clips depend on the whole spec, faces on `landmark_stride` and on what was done to the frames.
  """
  clips = cache_dir / 'clips' / digest_spec(spec)
  changed = [spec.perturbation] if spec.perturbation else []
  faces = cache_dir / 'faces' / _digest(FACES_VERSION, spec.landmark_stride, *changed)
  paths = list(paths)
  with concurrent.futures.ThreadPoolExecutor() as pool:
    names = list(pool.map(_name, paths))
  return [(path, clips / f'{name}.npz', faces / f'{name}.bin') for path, name in zip(paths, names, strict=True)]


def unfinished(jobs: Iterable[Job]) -> list[Job]:
  """The jobs without a result, each content once."""
  return list({job[1]: job for job in jobs if not job[1].exists()}.values())


def run_jobs(
  jobs: Sequence[Job],
  spec: ClipSpec,
  workers: int,
  time_limit_s: float = TIME_LIMIT_S,
  show_progress: bool = True,
  tell: Callable[[Job], None] = lambda job: None,
) -> None:
  """Runs jobs in processes of their own; a video that ends its process, or takes too long, is rejected.

  `tell` is called with each job whose result is there.
  """
  rejected: Counter[str] = Counter()
  interval = 0.1 if sys.stderr.isatty() else 30  # seconds between updates; a log file wants few
  options: dict[str, Any] = {'mininterval': interval, 'disable': not show_progress}
  crew = min(workers, len(jobs))
  with tqdm(total=len(jobs), desc='extracting', unit='video', **options) as bar:
    for job, outcome in run_workers(jobs, spec, run_job, crew, time_limit_s):
      if isinstance(outcome, Rejection):  # its worker is gone and could not write it
        save_result(outcome, job[1])
        outcome = outcome.reason
      if outcome:
        rejected[outcome] += 1
        bar.set_postfix(rejected, refresh=False)
      bar.update()
      tell(job)


def run_job(job: Job, spec: ClipSpec, models: FaceModels) -> str | None:
  """Extracts one video and keeps the result: the reason of its rejection, or None.

  The name of its files is the digest of its bytes. Where that is no longer so, what was read may be a mixture, which
  is kept for neither.
  """
  video, clips, faces = job
  result = extract_clips(video, spec, models, faces_cache=faces)
  if _name(video) != clips.stem:
    faces.unlink(missing_ok=True)
    result = Rejection('unreadable', 'the file changed while it was read', '', passing=True)
  save_result(result, clips)
  return result.reason if isinstance(result, Rejection) else None


def digest_spec(spec: ClipSpec) -> str:
  """By what clips are known that the same code makes under the same spec."""
  return _digest(EXTRACTION_VERSION, FACES_VERSION, spec.fields())


def digest_file(path: Path) -> str:
  """SHA-256 of a file's bytes. Raises OSError."""
  with open(path, 'rb') as file:
    return hashlib.file_digest(file, 'sha256').hexdigest()


def clip_bytes(spec: ClipSpec) -> int:
  """Room that the clips of one video take at most, about."""
  return spec.clips * sum(feature.count_bytes(spec) for feature in features_of(spec))


def _digest(*parts: Any) -> str:
  return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _name(path: Path) -> str:
  """The digest of a file; of one that can't be read that of its path, under which no result will be kept."""
  try:
    if path.is_file():  # a pipe would be waited for
      return digest_file(path)
  except OSError:
    pass
  return hashlib.sha256(b'no file: ' + os.fsencode(path)).hexdigest()


def _work_elsewhere(request: dict[str, Any]) -> Iterator[Path]:
  """Runs this module in a process of its own and yields the file of each result that is there."""
  with _block_interrupts():  # until it ignores them by itself: this process hears of Ctrl-C, and ends it
    process = subprocess.Popen(
      [sys.executable, '-m', 'lipfake_jax.clips.extraction'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
  try:
    with contextlib.suppress(BrokenPipeError):  # it is gone already, and its exit code says so below
      process.stdin.write(json.dumps(request))  # type: ignore[union-attr]  # a pipe, as the next one
      process.stdin.close()  # type: ignore[union-attr]
    for line in process.stdout:  # type: ignore[union-attr]
      message = json.loads(line)
      if 'stopped' in message:
        raise UserError(message['stopped'])
      yield Path(message['done'])
    if process.wait():
      raise RuntimeError('the extraction stopped; what it had finished is kept, start it again to go on')
  finally:
    process.terminate()
    process.wait()


@contextlib.contextmanager
def _block_interrupts() -> Iterator[None]:
  before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
  try:
    yield
  finally:
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _explain(error: OSError, cache_dir: Path, room: int) -> str:
  """What is wrong with the machine, for the user; `room`: bytes that the results still to come take."""
  if error.errno != errno.ENOSPC:
    return f'{error.filename or cache_dir}: {error.strerror or error}; what was finished is kept'
  place = min(cache_dir, Path(tempfile.gettempdir()), key=free_bytes)
  return (
    f'{place}: its disk is full: {free_bytes(place) >> 20} MiB are free, and about {(room >> 20) + 1} MiB are'
    ' needed for the videos that are left: make room; what was finished is kept, and the same command goes on'
  )


def main() -> None:
  """Works through the request on standard input."""
  signal.signal(signal.SIGINT, signal.SIG_IGN)  # the workers inherit it
  signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that no worker is left behind
  parent = os.fdopen(os.dup(1), 'w')
  os.dup2(2, 1)  # what a library prints is none of our lines
  request = json.load(sys.stdin)
  jobs = [(Path(video), Path(clips), Path(faces)) for video, clips, faces in request['jobs']]
  spec, done = ClipSpec(**request['spec']), []

  def tell(job: Job) -> None:
    done.append(job)
    print(json.dumps({'done': str(job[1])}), file=parent, flush=True)

  try:
    run_jobs(jobs, spec, request['workers'], request['time_limit_s'], tell=tell)
  except BrokenPipeError:  # nobody listens any more
    sys.exit(1)
  except OSError as error:
    room = (len(jobs) - len(done)) * clip_bytes(spec)
    print(json.dumps({'stopped': _explain(error, Path(request['cache_dir']), room)}), file=parent, flush=True)
  finally:
    remove_abandoned(Path(request['cache_dir']))


if __name__ == '__main__':
  main()
