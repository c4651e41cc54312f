"""Clips of many videos: one video a process, every result kept on disk as soon as it is there.

In: paths and a `ClipSpec`. Out: one file a video in a cache, named by the video's content and the spec, that holds its
`Clip` or `Rejection`. A build that was stopped, or made again, extracts no finished video twice.
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
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from lipfake_jax.clips import Clip, ClipSpec, Rejection, extract_clip

# Part of every cache name: raised whenever the same video and spec yield other bytes.
EXTRACTION_VERSION = 1

Job = tuple[Path, Path]  # a video, and the cache file that its result goes to


def extract_clips(paths: Sequence[Path], spec: ClipSpec, cache_dir: Path, workers: int | None = None) -> list[Path]:
  """Extracts one clip a video, in parallel, with a progress bar on stderr.

  Args:
    paths: video files.
    spec: what to extract.
    cache_dir: where results are kept.
    workers: processes; all cores that this process may use by default.

  Returns:
    The cache file of each path, in their order, for `load_result`.

  Raises:
    RuntimeError: the extraction itself failed, which no video should bring about.
  """
  caches = cache_paths(paths, spec, cache_dir)
  jobs = {cache: path for path, cache in zip(paths, caches, strict=True) if not cache.exists()}
  if jobs:
    request = {
      'spec': dataclasses.asdict(spec),
      'jobs': [(str(path), str(cache)) for cache, path in jobs.items()],
      'workers': workers or len(os.sched_getaffinity(0)),
    }
    command = [sys.executable, '-m', 'lipfake_jax.extraction']
    if subprocess.run(command, input=json.dumps(request), text=True, check=False).returncode:
      raise RuntimeError('the extraction stopped; what it had finished is kept, start it again to go on')
  return caches


def cache_paths(paths: Iterable[Path], spec: ClipSpec, cache_dir: Path) -> list[Path]:
  """One file name a video from the SHA-256 of its bytes, below a folder named by the spec."""
  fields = json.dumps([EXTRACTION_VERSION, dataclasses.asdict(spec)], sort_keys=True)
  folder = cache_dir / hashlib.sha256(fields.encode()).hexdigest()[:16]
  with concurrent.futures.ThreadPoolExecutor() as pool:
    return [folder / f'{digest}.npz' for digest in pool.map(_file_hash, paths)]


def save_result(result: Clip | Rejection, cache: Path) -> None:
  """Writes a result under its name in one step, so that a file that exists is complete."""
  fields = {k: v for k, v in vars(result).items() if k != 'key'}  # the name is the video's place, not its content
  cache.parent.mkdir(parents=True, exist_ok=True)
  partial = cache.with_name(f'{cache.name}.{os.getpid()}')
  with open(partial, 'wb') as file:
    np.savez(file, **fields)
  partial.replace(cache)


def load_result(cache: Path, key: str) -> Clip | Rejection:
  """Reads what `save_result` wrote, for the video that is called `key`."""
  with np.load(cache) as stored:
    fields = {name: stored[name] if stored[name].ndim else stored[name].item() for name in stored.files}
  return Rejection(key=key, **fields) if 'reason' in fields else Clip(key=key, **fields)


def _file_hash(path: Path) -> str:
  with open(path, 'rb') as file:
    return hashlib.file_digest(file, 'sha256').hexdigest()


def _extract_one(path: Path, spec: ClipSpec, cache: Path) -> str | None:
  """A worker's task: the reason of the rejection, or None."""
  result = extract_clip(path, spec)
  save_result(result, cache)
  return result.reason if isinstance(result, Rejection) else None


def _extract_all(jobs: Sequence[Job], spec: ClipSpec, workers: int) -> None:
  """Runs the jobs. A video that takes its worker process down with it is tried once more alone, then rejected."""
  rejected: Counter[str] = Counter()
  interval = 0.1 if sys.stderr.isatty() else 30  # seconds between updates; a log file wants few
  with tqdm(total=len(jobs), desc='extracting', unit='video', mininterval=interval) as bar:
    for reason in _run_pool(jobs, spec, workers):
      bar.update()
      if reason:
        rejected[reason] += 1
        bar.set_postfix(rejected)
    for job in [job for job in jobs if not job[1].exists()]:
      if not list(_run_pool([job], spec, 1)):
        save_result(Rejection('unreadable', 'its decoding ended the process', ''), job[1])
      bar.update()


def _run_pool(jobs: Sequence[Job], spec: ClipSpec, workers: int) -> Iterable[str | None]:
  """Yields the outcome of each finished job; ends early if a worker dies."""
  context = get_context('spawn')
  # One thread a worker: OpenCV's own would share the cores with the other workers.
  with concurrent.futures.ProcessPoolExecutor(workers, context, cv2.setNumThreads, (1,)) as pool:
    futures = [pool.submit(_extract_one, path, spec, cache) for path, cache in jobs]
    try:
      for future in concurrent.futures.as_completed(futures):
        yield future.result()
    except BrokenProcessPool:
      return
    finally:
      pool.shutdown(wait=False, cancel_futures=True)


def main() -> None:
  """Works through the request on standard input."""
  request = json.load(sys.stdin)
  jobs = [(Path(video), Path(cache)) for video, cache in request['jobs']]
  _extract_all(jobs, ClipSpec(**request['spec']), request['workers'])


if __name__ == '__main__':
  main()
