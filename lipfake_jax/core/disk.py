"""Room on disks."""

import shutil
from pathlib import Path


def free_bytes(folder: Path) -> int:
  """Free bytes of the disk that a folder lies on, or would lie on once it is made."""
  return shutil.disk_usage(nearest(folder)).free


def nearest(folder: Path) -> Path:
  """The folder, or the nearest one above it that exists."""
  return next(place for place in (folder, *folder.absolute().parents) if place.exists())
