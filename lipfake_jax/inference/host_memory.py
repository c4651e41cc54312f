"""The host's memory: how the C library keeps it, set once in a process that trains or reads clips, and what is free."""

import ctypes
import re
from pathlib import Path

# Numbers of glibc's mallopt (malloc.h), and what they are set to.
TRIM_THRESHOLD, TOP_PAD, MMAP_MAX, ARENA_MAX = -1, -2, -4, -8
SETTINGS = {MMAP_MAX: 0, TRIM_THRESHOLD: 2**31 - 1, TOP_PAD: 64 << 20, ARENA_MAX: 1}


def keep_freed_memory() -> bool:
  """Has glibc keep what is freed, up to 2 GiB, for the next step or clip, and share it between threads.

  By default the memory of every training step on a CPU, and of every clip, is returned to the system and asked for
  again, page by page: a step took a tenth longer, and reading a clip five times as long. To be called before threads
  start. Returns False where the C library is another one: then nothing is changed.
  """
  try:
    mallopt = ctypes.CDLL('libc.so.6').mallopt
  except (OSError, AttributeError):
    return False
  return all([mallopt(option, value) for option, value in SETTINGS.items()])


def free_memory() -> int:
  """Bytes that can be had without swapping, as Linux estimates them."""
  kibibytes = re.search(r'^MemAvailable:\s+(\d+) kB', Path('/proc/meminfo').read_text(), re.MULTILINE)
  return int(kibibytes.group(1)) * 1024 if kibibytes else 0
