"""How the C library gives memory back, set once in a process that reads clips."""

import ctypes

# Numbers of glibc's mallopt (malloc.h), and what they are set to.
TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD, ARENA_MAX = -1, -2, -3, -8
SETTINGS = {MMAP_THRESHOLD: 32 << 20, TRIM_THRESHOLD: 1 << 30, TOP_PAD: 64 << 20, ARENA_MAX: 1}


def keep_freed_memory() -> bool:
  """Has glibc keep what is freed, up to 1 GiB, for the next clip, and share it between threads.

  By default every clip's memory is returned to the system and asked for again, page by page, which takes five times as
  long as reading the clip. To be called before threads start. Returns False where the C library is another one: then
  nothing is changed.
  """
  try:
    mallopt = ctypes.CDLL('libc.so.6').mallopt
  except (OSError, AttributeError):
    return False
  return all([mallopt(option, value) for option, value in SETTINGS.items()])
