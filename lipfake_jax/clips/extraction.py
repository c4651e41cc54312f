"""Clips of many videos: one video a process, every result kept on disk as soon as it is there.

In: paths and a `ClipSpec`. Out: one file a video in a cache, named by the video's content and the spec, that holds its
`Clip`s or `Rejection`. A build that was stopped, or made again, extracts no finished video twice, and a changed spec
finds no face twice.
Next stage: `lip_clip_builder` writes them as a dataset.

Run as a module it does the work for its parent process, with the jobs as JSON on standard input. That keeps
whatever the parent has loaded (TensorFlow, say) out of every worker.
"""

import concurrent.futures
import dataclasses
import hashlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from multiprocessing import connection, get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from lipfake_jax.clips.clips import Clip, Rejection, extract_clips, to_clip, to_fields
from lipfake_jax.clips.landmarks import FaceModels, open_face_models
from lipfake_jax.clips.whole_file import remove_abandoned, write_whole
from lipfake_jax.core.clip_spec import ClipSpec

# Parts of the cache's names: raised whenever the same video and spec yield other bytes.
EXTRACTION_VERSION = 6
FACES_VERSION = 3

TIME_LIMIT_S = 1800.0  # for one video: more than an hour of 1080p takes; what needs longer hangs

LOOK_UP_S = 1.0  # how often time limits, and the parent process, are looked at

Job = tuple[Path, Path, Path]  # a video, the file for its clips, and the file for the faces found in it


def extract_videos(
  paths: Sequence[Path],
  spec: ClipSpec,
  cache_dir: Path,
  workers: int | None = None,
  time_limit_s: float = TIME_LIMIT_S,
) -> list[Path]:
  """Extracts the clips of videos, in parallel, with a progress bar on stderr.

  Args:
    paths: video files.
    spec: what to extract.
    cache_dir: where results are kept.
    workers: processes; all cores that this process may use by default.
    time_limit_s: seconds that one video may take; then it is rejected as 'timeout'.

  Returns:
    The cache file of each path, in their order, for `load_result`.

  Raises:
    RuntimeError: the extraction itself failed, which no video should bring about.
  """
  jobs = plan_jobs(paths, spec, cache_dir)
  missing = unfinished(jobs)
  if missing:
    request = {
      'spec': dataclasses.asdict(spec),
      'jobs': [[str(path) for path in job] for job in missing],
      'workers': workers or len(os.sched_getaffinity(0)),
      'time_limit_s': time_limit_s,
    }
    command = [sys.executable, '-m', 'lipfake_jax.clips.extraction']
    done = subprocess.run(command, input=json.dumps(request), text=True, check=False)
    remove_abandoned(cache_dir)
    if done.returncode:
      raise RuntimeError('the extraction stopped; what it had finished is kept, start it again to go on')
  return [clips for _, clips, _ in jobs]


def plan_jobs(paths: Iterable[Path], spec: ClipSpec, cache_dir: Path) -> list[Job]:
  """One job a video. Files are named by the SHA-256 of its bytes, below folders named by what their content depends on.

  Clips depend on the whole spec, faces on `landmark_stride` and on what was done to the frames.
  """
  clips = cache_dir / 'clips' / _digest(EXTRACTION_VERSION, FACES_VERSION, spec.fields())
  changed = [spec.perturbation] if spec.perturbation else []
  faces = cache_dir / 'faces' / _digest(FACES_VERSION, spec.landmark_stride, *changed)
  paths = list(paths)
  with concurrent.futures.ThreadPoolExecutor() as pool:
    hashes = pool.map(_file_hash, paths)
    return [(path, clips / f'{name}.npz', faces / f'{name}.bin') for path, name in zip(paths, hashes, strict=True)]


def unfinished(jobs: Iterable[Job]) -> list[Job]:
  """The jobs without a result, each content once."""
  return list({job[1]: job for job in jobs if not job[1].exists()}.values())


def run_jobs(
  jobs: Sequence[Job], spec: ClipSpec, workers: int, time_limit_s: float = TIME_LIMIT_S, show_progress: bool = True
) -> None:
  """Runs jobs in processes of their own; a video that ends its process, or takes too long, is rejected."""
  rejected: Counter[str] = Counter()
  interval = 0.1 if sys.stderr.isatty() else 30  # seconds between updates; a log file wants few
  options: dict[str, Any] = {'mininterval': interval, 'disable': not show_progress}
  with tqdm(total=len(jobs), desc='extracting', unit='video', **options) as bar:
    for job, outcome in _run_workers(jobs, spec, min(workers, len(jobs)), time_limit_s):
      if isinstance(outcome, Rejection):  # its worker is gone and could not write it
        save_result(outcome, job[1])
        outcome = outcome.reason
      if outcome:
        rejected[outcome] += 1
        bar.set_postfix(rejected, refresh=False)
      bar.update()


def run_job(job: Job, spec: ClipSpec, models: FaceModels) -> str | None:
  """Extracts one video and keeps the result: the reason of its rejection, or None."""
  video, clips, faces = job
  result = extract_clips(video, spec, models, faces_cache=faces)
  save_result(result, clips)
  return result.reason if isinstance(result, Rejection) else None


def save_result(result: list[Clip] | Rejection, cache: Path) -> None:
  """Writes a result; a file that exists is complete."""
  found: Sequence[Clip | Rejection] = [result] if isinstance(result, Rejection) else result
  fields = {f'{i}.{k}': v for i, item in enumerate(found) for k, v in to_fields(item).items()}
  with write_whole(cache) as file:
    np.savez(file, **fields)


def load_result(cache: Path, key: str) -> list[Clip] | Rejection:
  """Reads what `save_result` wrote, for the video that is called `key`; further clips of it are `key#2`, `key#3`."""
  items: dict[int, dict[str, Any]] = {}
  with np.load(cache) as stored:
    for name in stored.files:
      number, field = name.split('.', 1)
      items.setdefault(int(number), {})[field] = stored[name] if stored[name].ndim else stored[name].item()
  if 'reason' in items[0]:
    return Rejection(key=key, **items[0])
  return [to_clip(fields, key if i == 0 else f'{key}#{i + 1}') for i, fields in sorted(items.items())]


def _digest(*parts: Any) -> str:
  return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _file_hash(path: Path) -> str:
  """SHA-256 of a file's bytes; where it can't be opened, of what is wrong, so that its rejection has a name too."""
  try:
    with open(path, 'rb') as file:
      return hashlib.file_digest(file, 'sha256').hexdigest()
  except OSError as error:
    return hashlib.sha256(str(error).encode()).hexdigest()


@dataclasses.dataclass
class _Worker:
  """A process, this side of its pipe, and what it works on until when (seconds, monotonic)."""

  process: Any
  pipe: connection.Connection
  started: bool = False  # it says so, once its models are loaded
  job: Job | None = None
  deadline: float = float('inf')


def _run_workers(
  jobs: Sequence[Job], spec: ClipSpec, workers: int, time_limit_s: float
) -> Iterator[tuple[Job, str | Rejection | None]]:
  """Yields each job with its outcome, in the order in which they end; ends early if the parent process does."""
  waiting, parent = list(reversed(jobs)), os.getppid()
  crew = [_hire(spec) for _ in range(workers)]
  try:
    while (waiting or any(worker.job for worker in crew)) and os.getppid() == parent:
      ready = connection.wait([worker.pipe for worker in crew], LOOK_UP_S)
      for position, worker in enumerate(crew):
        outcome = _hear(worker) if worker.pipe in ready else _check_time(worker, time_limit_s)
        if worker.job and outcome is not _PENDING:
          yield worker.job, outcome
          worker.job = None
        if isinstance(outcome, Rejection):
          _dismiss(worker)
          crew[position] = worker = _hire(spec)
        if waiting and worker.started and not worker.job:
          worker.job, worker.deadline = waiting.pop(), time.monotonic() + time_limit_s
          worker.pipe.send(worker.job)
  finally:
    for worker in crew:
      _dismiss(worker)


_PENDING: Any = object()


def _hear(worker: _Worker) -> str | Rejection | None:
  """What a worker has to say: that it started, or the outcome of its job, or nothing ever again."""
  try:
    outcome = worker.pipe.recv()
  except (EOFError, ConnectionResetError) as error:
    if not worker.started:
      raise RuntimeError('a worker process ended before its first video') from error
    return Rejection('unreadable', 'its decoding ended the process', '')
  if isinstance(outcome, OSError):
    raise outcome
  if worker.started:
    return outcome
  worker.started = True
  return _PENDING


def _check_time(worker: _Worker, time_limit_s: float) -> Rejection:
  late = worker.job and time.monotonic() >= worker.deadline
  return (
    Rejection('timeout', f'it took more than {time_limit_s:g} s: cut it into shorter pieces', '') if late else _PENDING
  )


def _hire(spec: ClipSpec) -> _Worker:
  context = get_context('spawn')
  ours, theirs = context.Pipe()
  process = context.Process(target=_work, args=(theirs, spec), daemon=True)
  process.start()
  theirs.close()
  return _Worker(process, ours)


def _dismiss(worker: _Worker) -> None:
  worker.process.kill()
  worker.process.join()
  worker.pipe.close()


def _work(pipe: connection.Connection, spec: ClipSpec) -> None:
  """A worker process: takes jobs from the pipe until it closes."""
  cv2.setNumThreads(1)  # OpenCV's own threads would share the cores with the other workers
  with open_face_models() as models:
    pipe.send('started')
    while True:
      try:
        job = pipe.recv()
      except EOFError:
        return
      try:
        pipe.send(run_job(job, spec, models))
      except OSError as error:  # a full disk, a cache that can't be written: no video's fault
        pipe.send(error)


def main() -> None:
  """Works through the request on standard input."""
  request = json.load(sys.stdin)
  jobs = [(Path(video), Path(clips), Path(faces)) for video, clips, faces in request['jobs']]
  run_jobs(jobs, ClipSpec(**request['spec']), request['workers'], request['time_limit_s'])


if __name__ == '__main__':
  main()
