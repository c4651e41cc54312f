"""Processes that take videos one at a time: what a video does to its process costs no other one anything.

In: jobs and what is to be done with each. Out: each job with its outcome, in the order in which they end. Next stage:
`extraction` keeps the outcomes.
"""

import contextlib
import dataclasses
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import connection, get_context
from typing import Any

import cv2

from lipfake_jax.clips.clips import Rejection
from lipfake_jax.clips.landmarks import FaceModels, open_face_models
from lipfake_jax.core.clip_spec import ClipSpec

LOOK_UP_S = 1.0  # how often time limits, and the parent process, are looked at
TRIES = 2  # of a video whose process ended: the first may have been killed for another's memory

Job = tuple  # (Path, ...): a video, then the files that its worker writes
Run = Callable[[Any, ClipSpec, FaceModels], str | None]  # does a job; a function of a module, since processes import it


@dataclasses.dataclass
class Worker:
  """A process, this side of its pipe, and what it works on until when (seconds, monotonic)."""

  process: Any
  pipe: connection.Connection
  started: bool = False  # it says so, once its models are loaded
  job: Job | None = None
  deadline: float = float('inf')


@contextlib.contextmanager
def hire_workers(count: int) -> Iterator[list[Worker]]:
  """Within the context so many processes start, before it is known what they are to do; `run_workers` takes them."""
  crew = [_hire() for _ in range(count)]
  try:
    yield crew
  finally:
    for worker in crew:
      _dismiss(worker)


def run_workers(
  jobs: Sequence[Job], spec: ClipSpec, run: Run, workers: int, time_limit_s: float, crew: Sequence[Worker] = ()
) -> Iterator[tuple[Any, str | Rejection | None]]:
  """Yields each job with its outcome: what `run` returned, or a passing Rejection where its process ended or was late.

  Ends early where the parent process ends. Raises OSError where a worker did: that is no video's fault. Of the
  `workers` those in `crew` have begun to start.
  """
  waiting, parent = list(reversed(jobs)), os.getppid()
  tries: dict[Job, int] = {}
  crew = [*crew[:workers], *(_hire() for _ in range(workers - len(crew)))]
  try:
    while (waiting or any(worker.job for worker in crew)) and os.getppid() == parent:
      ready = connection.wait([worker.pipe for worker in crew], LOOK_UP_S)
      for position, worker in enumerate(crew):
        outcome = _hear(worker) if worker.pipe in ready else _check_time(worker, time_limit_s)
        job = worker.job
        if job and isinstance(outcome, Rejection):
          _dismiss(worker)
          crew[position] = worker = _hire()
          tries[job] = tries.get(job, 0) + 1
          if outcome.reason == 'unreadable' and tries[job] < TRIES:
            waiting.append(job)
            continue
        if job and outcome is not _PENDING:
          yield job, outcome
          worker.job = None
        if waiting and worker.started and not worker.job:
          worker.job, worker.deadline = waiting.pop(), time.monotonic() + time_limit_s
          worker.pipe.send((worker.job, spec, run))
  finally:
    for worker in crew:
      _dismiss(worker)


_PENDING: Any = object()


def _hear(worker: Worker) -> str | Rejection | None:
  """What a worker has to say: that it started, or the outcome of its job, or nothing ever again."""
  try:
    outcome = worker.pipe.recv()
  except (EOFError, ConnectionResetError) as error:
    if not worker.started:
      raise RuntimeError('a worker process ended before its first video') from error
    worker.process.join()
    return Rejection(
      'unreadable', f'its decoding ended the process ({describe_exit(worker.process.exitcode)})', '', passing=True
    )
  if isinstance(outcome, OSError):
    raise outcome
  if worker.started:
    return outcome
  worker.started = True
  return _PENDING


def describe_exit(code: int) -> str:
  """How a process ended, by its exit code."""
  return signal.Signals(-code).name if -code in signal.valid_signals() else f'exit code {code}'


def _check_time(worker: Worker, time_limit_s: float) -> Rejection:
  late = worker.job and time.monotonic() >= worker.deadline
  detail = f'it took more than {time_limit_s:g} s: cut it into shorter pieces'
  return Rejection('timeout', detail, '', passing=True) if late else _PENDING


def _hire() -> Worker:
  return Worker(*start_process(work))


def start_process(target: Callable[..., None], *arguments: Any) -> tuple[Any, connection.Connection]:
  """A process that runs target(pipe, *arguments) and hears no Ctrl-C, and this side of its pipe."""
  context = get_context('spawn')
  ours, theirs = context.Pipe()
  process = context.Process(target=target, args=(theirs, *arguments), daemon=True)
  with _ignore_interrupts():
    process.start()
  theirs.close()
  return process, ours


@contextlib.contextmanager
def _ignore_interrupts() -> Iterator[None]:
  """Processes that start within the context do not hear of Ctrl-C: whoever started them does, and ends them."""
  if threading.current_thread() is not threading.main_thread():  # others may not say what becomes of signals
    yield
    return
  before = signal.signal(signal.SIGINT, signal.SIG_IGN)
  try:
    yield
  finally:
    signal.signal(signal.SIGINT, before)


def _dismiss(worker: Worker) -> None:
  worker.process.kill()
  worker.process.join()
  worker.pipe.close()


def work(pipe: connection.Connection) -> None:
  """A worker process: takes jobs from the pipe until it closes."""
  cv2.setNumThreads(1)  # OpenCV's own threads would share the cores with the other workers
  with open_face_models() as models:
    pipe.send('started')
    while True:
      try:
        job, spec, run = pipe.recv()
      except EOFError:
        return
      try:
        pipe.send(run(job, spec, models))
      except OSError as error:  # a full disk, a cache that can't be written: no video's fault
        pipe.send(error)
