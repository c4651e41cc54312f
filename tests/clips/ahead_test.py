"""Work that is done ahead in a thread gives what it would have given."""

import threading

import pytest

from lipfake_jax.clips.ahead import run_ahead


@pytest.mark.parametrize('count', [0, 1, 3, 20])
def test_the_same_items_in_the_same_order(count):
  assert list(run_ahead(range(10), count)) == list(range(10))


@pytest.mark.parametrize('count', [0, 2])
def test_an_error_comes_where_it_would_have_come(count):
  def items():
    yield from range(3)
    raise ValueError('the fourth')

  found = []
  with pytest.raises(ValueError, match='the fourth'):
    found.extend(run_ahead(items(), count))
  assert found == [0, 1, 2]


def test_no_more_is_made_than_was_allowed_and_none_by_the_thread_that_asks():
  """Of those that 2 may be ahead, 4 are made once the first is there: two came at once and made room for two more."""
  made = []

  def items():
    for number in range(100):
      made.append(threading.current_thread())
      yield number

  source = run_ahead(items(), 2)
  assert next(source) == 0
  source.close()
  assert len(made) == 4
  assert threading.current_thread() not in made
