"""What the memory settings do, in processes of their own, since they hold for all of a process."""

import subprocess
import sys

import pytest

CODE = """
import resource, sys
from lipfake_jax.inference.host_memory import keep_freed_memory
if sys.argv[1] == 'kept' and not keep_freed_memory():
  sys.exit('another C library')
faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
  clips = [bytes(737280) for _ in range(4)]
before = faults()
for _ in range(100):
  clips = [bytes(737280) for _ in range(4)]
  clips.clear()
print(faults() - before)
"""


def page_faults(how: str) -> int:
  done = subprocess.run([sys.executable, '-c', CODE, how], capture_output=True, text=True, check=False)
  if 'another C library' in done.stderr:
    pytest.skip('the C library is not glibc')
  return int(done.stdout)


def test_memory_that_was_freed_is_used_again():
  """400 clips of 180 pages each: asked for again page by page, or not at all."""
  assert page_faults('kept') < 1000
  assert page_faults('usual') > 10 * page_faults('kept')
