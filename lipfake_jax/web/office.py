"""The videos of all visitors: which wait, which one is being looked at, what was found, and when each is deleted.

In: uploads. Out: what the page shows of each. Everything lies below one folder that nobody else may enter and no
address leads to, under random names.
"""

import asyncio
import contextlib
import dataclasses
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from starlette.exceptions import HTTPException

from lipfake_jax.core.errors import UserError
from lipfake_jax.web.detector import FINDING, VIDEO, Detector, Outcome
from lipfake_jax.web.limits import Limits
from lipfake_jax.web.progress import read_progress

WAITING, LOOKING, DONE = 'waiting', 'looking', 'done'
SWEEP_S = 10.0  # between two looks for what has been kept long enough
LATE = Outcome(None, 'It was deleted before its turn', ('Too many videos came before it: send it again.',))


@dataclasses.dataclass(frozen=True)
class Job:
  """A video that is here.

  Attributes:
    id: its random name.
    visitor: whose it is.
    name: what they call it, as it may be shown.
    folder: where it lies.
    since: when it came into its state; seconds, monotonic.
    state: WAITING, LOOKING or DONE.
    outcome: of one that is done.
  """

  id: str
  visitor: str
  name: str
  folder: Path
  since: float
  state: str = WAITING
  outcome: Outcome | None = None


class Office:
  """Takes videos, has them looked at one after another, and forgets them."""

  def __init__(self, folder: Path, detector: Detector, limits: Limits):
    self._folder, self._detector, self._limits = folder, detector, limits
    self._jobs: dict[str, Job] = {}  # in the order in which they came
    self._arriving = 0
    self._came = asyncio.Event()

  @contextlib.asynccontextmanager
  async def open(self) -> AsyncIterator[None]:
    """Within the context videos are looked at, and deleted in time."""
    tasks = [asyncio.create_task(self._work()), asyncio.create_task(self._sweep())]
    try:
      yield
    finally:
      for task in tasks:
        task.cancel()
      self._detector.close()
      await asyncio.gather(*tasks, return_exceptions=True)

  async def add(self, visitor: str, name: str, receive: Callable[[Path], Awaitable[None]]) -> Job:
    """Puts a video into the queue, once `receive` has written it to the path that it is given.

    Raises:
      HTTPException: the queue is full.
    """
    if self._arriving + len(self._in(WAITING)) >= self._limits.queue:
      raise HTTPException(503, f'{self._limits.queue} videos are waiting already: try again in some minutes')
    number = secrets.token_hex(16)
    folder = self._folder / number
    folder.mkdir(mode=0o700)
    self._arriving += 1
    try:
      await receive(folder / VIDEO)
    except BaseException:
      shutil.rmtree(folder, ignore_errors=True)
      raise
    finally:
      self._arriving -= 1
    job = self._jobs[number] = Job(number, visitor, name, folder, time.monotonic())
    self._came.set()
    return job

  def find(self, visitor: str, number: str) -> Job:
    """A video of a visitor by its random name.

    Raises:
      HTTPException: they have none of that name.
    """
    job = self._jobs.get(number)
    if job is None or job.visitor != visitor:
      raise HTTPException(404, 'there is no such video, or it was deleted')
    return job

  def read_finding(self, job: Job, suffix: str) -> bytes:
    """What was found in a video, as 'html' or 'json'.

    Raises:
      HTTPException: nothing was found in it yet.
    """
    try:
      return (job.folder / f'{FINDING}.{suffix}').read_bytes()
    except FileNotFoundError as error:
      raise HTTPException(404, 'there is no finding of this video') from error

  def delete(self, job: Job) -> None:
    """Forgets a video, whatever its state; one that is being looked at is left at once."""
    del self._jobs[job.id]
    if job.state == LOOKING:
      self._detector.end()
    shutil.rmtree(job.folder, ignore_errors=True)

  def describe(self, visitor: str) -> list[dict]:
    """What a visitor may see of their videos, in the order in which they came."""
    return [self._describe(job) for job in self._jobs.values() if job.visitor == visitor]

  def expire(self, now: float) -> None:
    """Deletes what has been kept for long enough, and what has waited for too long."""
    for job in [job for job in self._jobs.values() if now - job.since > self._limits.keep_s]:
      if job.state == DONE:
        self.delete(job)
      elif job.state == WAITING:
        (job.folder / VIDEO).unlink(missing_ok=True)
        self._put(job, state=DONE, outcome=LATE)

  def _describe(self, job: Job) -> dict:
    before = [*self._in(LOOKING), *self._in(WAITING)].index(job) if job.state == WAITING else None
    done, left_s = (job.state == LOOKING and read_progress(job.folder)) or (None, None)
    return {
      'id': job.id,
      'name': job.name,
      'state': job.state,
      'before': before,
      'share': done,
      'left_s': left_s,
      'outcome': job.outcome and dataclasses.asdict(job.outcome),
    }

  def _in(self, state: str) -> list[Job]:
    return [job for job in self._jobs.values() if job.state == state]

  def _put(self, job: Job, **changes) -> Job:
    self._jobs[job.id] = dataclasses.replace(job, since=time.monotonic(), **changes)
    return self._jobs[job.id]

  async def _work(self) -> None:
    """Has one video after another looked at; of each, only what was found is kept."""
    while True:
      await self._came.wait()
      self._came.clear()
      while waiting := self._in(WAITING):
        job = self._put(waiting[0], state=LOOKING)
        outcome = await self._look(job)
        if job.id in self._jobs:
          (job.folder / VIDEO).unlink(missing_ok=True)
          self._put(job, state=DONE, outcome=outcome)
        else:
          shutil.rmtree(job.folder, ignore_errors=True)  # what was written between its deletion and the end

  async def _look(self, job: Job) -> Outcome:
    try:
      return await asyncio.to_thread(self._detector.look, job.folder, job.name)
    except UserError as error:  # the weights are gone
      return Outcome(None, 'It could not be looked at', (f'{error}.',))

  async def _sweep(self) -> None:
    while True:
      await asyncio.sleep(SWEEP_S)
      self.expire(time.monotonic())
