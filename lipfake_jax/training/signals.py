"""How a run learns that it is to end early: SIGTERM, as clusters send it, or Ctrl-C."""

import contextlib
import itertools
import signal
from collections.abc import Callable, Iterator

import jax
from jax.experimental import multihost_utils

from lipfake_jax.core.errors import Interrupted

FindSignal = Callable[[int], Interrupted | None]
SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextlib.contextmanager
def watch() -> Iterator[FindSignal]:
  """While it is open, a signal ends nothing by itself; a second one ends the process at once.

  The function it yields takes the number of the step that was just done. Once a signal has come, it returns the
  exception to raise when all is saved: after the same step in all processes, which have to ask equally often.
  """
  if jax.process_count() > 1:
    yield _together()
    return
  caught: list[int] = []

  def note(number: int, frame: object) -> None:
    del frame
    caught.append(number)
    restore()

  def restore() -> None:
    for number, handler in before.items():
      signal.signal(number, handler)

  def find_signal(step: int) -> Interrupted | None:
    return _interrupted(caught[0], step) if caught else None

  before = {number: signal.signal(number, note) for number in SIGNALS}
  try:
    yield find_signal
  finally:
    restore()


def _together() -> FindSignal:
  """JAX's own handler notices SIGTERM in any process, and names a number at which all of them stop.

  It is one more than the highest that any of them has asked about, which numbers of steps can jump over: several steps
  may go by between two questions. So the questions are counted.
  """
  numbers = itertools.count(1)

  def find_signal(step: int) -> Interrupted | None:
    reached = multihost_utils.reached_preemption_sync_point(next(numbers))
    return _interrupted(signal.SIGTERM, step) if reached else None

  return find_signal


def _interrupted(number: int, step: int) -> Interrupted:
  name = signal.Signals(number).name
  return Interrupted(f'{name}: saved after step {step}; the same command goes on from there', 128 + number)
