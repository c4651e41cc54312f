import os
import signal

import jax
import pytest

from lipfake_jax.training import signals


@pytest.mark.parametrize(('number', 'code'), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_is_told_when_asked_and_a_second_one_is_not_held_back(number, code):
  before = signal.getsignal(number)
  with signals.watch() as find_signal:
    assert find_signal(6) is None
    assert signal.getsignal(number) != before
    os.kill(os.getpid(), number)
    told = find_signal(7)
    assert told.code == code
    assert str(told) == f'{number.name}: saved after step 7; the same command goes on from there'
    assert signal.getsignal(number) == before
  assert signal.getsignal(number) == before


def test_several_processes_count_their_questions(monkeypatch):
  """JAX names the number after the highest that any has asked about: 4 here, though the steps go from 6 to 8."""
  asked = []

  def reached(number):
    asked.append(number)
    return number == 4

  monkeypatch.setattr(jax, 'process_count', lambda: 2)
  monkeypatch.setattr(signals.multihost_utils, 'reached_preemption_sync_point', reached)
  with signals.watch() as find_signal:
    answers = [find_signal(step) for step in (2, 4, 6, 8)]
  assert asked == [1, 2, 3, 4]
  assert answers[:3] == [None, None, None]
  assert str(answers[3]).startswith('SIGTERM: saved after step 8')


def test_signals_are_as_before_when_the_run_fails():
  before = signal.getsignal(signal.SIGTERM)
  with pytest.raises(ZeroDivisionError), signals.watch():
    _ = 1 / 0
  assert signal.getsignal(signal.SIGTERM) == before
