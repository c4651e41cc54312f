import os
import signal

import pytest

from lipfake_jax.training import signals


@pytest.mark.parametrize(('number', 'code'), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_is_told_when_asked_and_a_second_one_is_not_held_back(number, code):
  before = signal.getsignal(number)
  with signals.watch() as ask:
    assert ask(6) is None
    assert signal.getsignal(number) != before
    os.kill(os.getpid(), number)
    told = ask(7)
    assert told.code == code
    assert str(told) == f'{number.name}: saved after step 7; the same command goes on from there'
    assert signal.getsignal(number) == before
  assert signal.getsignal(number) == before


def test_signals_are_as_before_when_the_run_fails():
  before = signal.getsignal(signal.SIGTERM)
  with pytest.raises(ZeroDivisionError), signals.watch():
    _ = 1 / 0
  assert signal.getsignal(signal.SIGTERM) == before
