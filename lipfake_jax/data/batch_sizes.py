"""How many clips are scored at once: a few sizes, since each is compiled."""


def size_batches(count: int, limit: int, unit: int = 1) -> list[int]:
  """Sizes of the batches for `count` clips: as many of `limit` as they fill, and one for the rest.

  That one is `unit` times a power of two, so that a few sizes are compiled, and at most twice what there is.

  Args:
    count: clips.
    limit: the largest size, a multiple of `unit`.
    unit: what every size is a multiple of, such as the number of devices.
  """
  full, rest = divmod(count, limit)
  size = unit
  while size < rest:
    size *= 2
  return [limit] * full + [min(size, limit)] * bool(rest)
