"""A process that holds the weights and looks at one video at a time, and this side of it.

In: the folder of a video. Out: what was found in short, and in that folder the files of `report.detect_files`. Next
stage: `office` tells the page.

It can be ended at any moment with all that it started, since whoever deletes a video does not want it looked at any
longer. Another one begins then.
"""

import contextlib
import dataclasses
import functools
import os
import resource
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable
from multiprocessing import connection, get_context
from pathlib import Path
from typing import Any

from lipfake_jax.core.errors import UserError
from lipfake_jax.web.limits import SPOOL_BYTES
from lipfake_jax.web.progress import write_progress

VIDEO, FINDING = 'video', 'finding'  # in the folder of a video: itself, and what was found, without suffixes
SCRATCH = 'scratch'  # beside those folders

Look = Callable[[Path, str], 'Outcome']


@dataclasses.dataclass(frozen=True)
class Outcome:
  """What came of a video.

  Attributes:
    verdict: one of those of `lipfake detect`; None where the look itself failed.
    title: the verdict in words, or what failed.
    details: sentences on it.
  """

  verdict: str | None
  title: str
  details: tuple[str, ...] = ()


ENDED = Outcome(None, 'It could not be looked at', ('The process that looked at it ended before it was done.',))


def open_detector(weights: str, look_s: float) -> Look:
  """What looks at the video in a folder. Loads JAX and the weights, so only the process that looks calls it.

  Raises:
    UserError: the weights are missing or damaged.
  """
  from lipfake_jax.clips.windows import MOST
  from lipfake_jax.inference.compilation import keep_compiled
  from lipfake_jax.inference.detect import detect_videos, open_weights
  from lipfake_jax.report.detect_files import replace_file, write_document
  from lipfake_jax.report.detect_page import draw_window, render_finding
  from lipfake_jax.report.detect_words import ANSWERS, explain_verdict

  keep_compiled()
  run = open_weights(weights)

  def look(folder: Path, name: str) -> Outcome:
    progress = functools.partial(write_progress, folder)
    [finding] = detect_videos(run, [folder / VIDEO], draw_window, MOST, progress=progress, time_limit_s=look_s)
    document = {**finding.document, 'video': {**finding.document['video'], 'path': name}}
    write_document(folder / f'{FINDING}.json', document)
    replace_file(folder / f'{FINDING}.html', render_finding(document, finding.pictures))
    _, title = ANSWERS[document['verdict']]
    return Outcome(document['verdict'], title, (next(explain_verdict(document)), *_sentences(document['warnings'])))

  return look


class Detector:
  """A process that looks at videos; `look` may wait in any thread, `end` comes from any other.

  Args:
    opening: gives the process its `Look`; see `open_detector`.
    folder: of all videos, whose SCRATCH takes what is written meanwhile.
  """

  def __init__(self, opening: Callable[[], Look], folder: Path):
    self._opening, self._folder = opening, folder
    self._lock, self._closed = threading.Lock(), False
    self._process: Any = None
    try:
      self._start()
    except BaseException:  # Ctrl-C, too: the process would be waited for
      self.close()
      raise

  def look(self, folder: Path, name: str) -> Outcome:
    """Looks at the video in a folder; ENDED where the process did, by `end` or for another reason."""
    try:
      if not self._process.is_alive():
        self._start()
      self._pipe.send((folder, name))
      return self._pipe.recv()
    except (EOFError, OSError):
      self.end()  # what it started may still run
      return ENDED

  def end(self) -> None:
    """Ends the process, and what it started, at once; the next video has another one."""
    with self._lock:
      if self._process:
        _kill(self._process)
    shutil.rmtree(self._folder / SCRATCH, ignore_errors=True)

  def close(self) -> None:
    """Ends it for good."""
    self._closed = True
    self.end()

  def _start(self) -> None:
    context = get_context('spawn')
    with self._lock:
      if self._closed:
        raise EOFError
      self._pipe, theirs = context.Pipe()
      process = context.Process(target=_serve, args=(theirs, self._opening, self._folder))
      process.start()
      self._process = process
      theirs.close()
    fault = self._pipe.recv()
    if fault:
      raise UserError(fault)


def _kill(process: Any) -> None:
  """Ends a process and its group, which it is the leader of once it runs."""
  with contextlib.suppress(ProcessLookupError):
    os.killpg(process.pid, signal.SIGKILL)
  process.kill()
  process.join()


def _serve(pipe: connection.Connection, opening: Callable[[], Look], folder: Path) -> None:
  """The process: says that it is ready, or why it is not, and takes folders until whoever started it is gone."""
  os.setsid()
  resource.setrlimit(resource.RLIMIT_FSIZE, (SPOOL_BYTES, SPOOL_BYTES))  # also for the processes that decode
  scratch = folder / SCRATCH
  scratch.mkdir(exist_ok=True)
  os.environ['TMPDIR'] = tempfile.tempdir = str(scratch)
  try:
    look = opening()
  except UserError as error:
    pipe.send(str(error))
    return
  parent = os.getppid()
  pipe.send('')
  try:
    while True:
      pipe.send(_try(look, *pipe.recv()))
  except (EOFError, BrokenPipeError):
    return
  finally:
    if _is_gone(parent):  # it was killed, and could not remove what was uploaded
      shutil.rmtree(folder, ignore_errors=True)


def _is_gone(parent: int) -> bool:
  """Whether the process that was our parent has ended; its pipes end a little before it does."""
  for _ in range(20):
    if os.getppid() != parent:
      return True
    time.sleep(0.1)
  return False


def _try(look: Look, folder: Path, name: str) -> Outcome:
  try:
    return look(folder, name)
  except OSError as error:  # no room, or a file over the limit: another video may do
    return Outcome(None, 'It could not be looked at', (f'{error.strerror or error}.',))


def _sentences(notes: list[str]) -> list[str]:
  return [f'{note[0].upper()}{note[1:]}.' for note in notes]
