"""Builds that end by their disk or by Ctrl-C say what to do."""

import errno
import os

import pytest

from lipfake_jax.core.errors import Interrupted, UserError
from lipfake_jax.data import room


def test_a_dataset_that_does_not_fit_is_told_before_it_is_written(tmp_path, monkeypatch):
  cache = tmp_path / 'clips.npz'
  cache.write_bytes(bytes(5 << 20))
  monkeypatch.setattr(room, 'free_bytes', lambda folder: 6 << 20)
  room.check_room(tmp_path, [cache, tmp_path / 'a rejection that was not kept.npz'])
  with pytest.raises(UserError, match=r'6 MiB are free on its disk, and the dataset takes 11 MiB\. Make room'):
    room.check_room(tmp_path, [cache, cache])


@pytest.mark.parametrize(
  ('error', 'kind', 'message'),
  [
    (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), UserError, r'its disk is full: \d+ MiB are free\. Make room'),
    (RuntimeError('write() failed: No space left on device'), UserError, 'its disk is full'),
    (PermissionError(errno.EACCES, 'Permission denied', '/d/x'), UserError, '/d/x: Permission denied: choose another'),
    (KeyboardInterrupt(), Interrupted, 'interrupted: what was extracted is kept, and the same command goes on'),
    (ValueError('a fault of ours'), ValueError, 'a fault of ours'),
  ],
)
def test_what_ends_a_build_is_said_with_the_remedy(tmp_path, error, kind, message):
  with pytest.raises(kind, match=message), room.explain_stops(tmp_path):
    raise error
