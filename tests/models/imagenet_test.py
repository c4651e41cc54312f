"""Reading PyTorch's old format: tensors, and nothing that a pickle could otherwise do."""

import collections
import io
import os
import pickle

import numpy as np
import pytest

from lipfake_jax.models import imagenet


class Storage:
  """Pickles as PyTorch's storages do."""

  def __init__(self, key: str, count: int):
    self.saved = ('storage', FloatStorage, key, 'cpu', count, None)


class FloatStorage:
  __module__ = 'torch'


class Tensor:
  def __init__(self, storage, offset, shape, stride):
    self.parts = (storage, offset, shape, stride, False, collections.OrderedDict())

  def __reduce__(self):
    return _rebuild_tensor_v2, self.parts


def _rebuild_tensor_v2(*parts):
  raise AssertionError('not to be called')


_rebuild_tensor_v2.__module__ = 'torch._utils'


class Writer(pickle._Pickler):
  """Names functions and classes without looking for them."""

  def persistent_id(self, thing):
    return thing.saved if isinstance(thing, Storage) else None

  def save_global(self, thing, name=None):
    self.write(pickle.GLOBAL + f'{thing.__module__}\n{thing.__name__}\n'.encode())
    self.memoize(thing)

  dispatch = {**pickle._Pickler.dispatch, type: save_global, type(_rebuild_tensor_v2): save_global}


def write_file(path, named, values):
  with open(path, 'wb') as file:
    for part in (0x1950A86A20F9469CFC6C, 1001, {'little_endian': True}):
      file.write(pickle.dumps(part, protocol=2))
    Writer(file, protocol=2).dump(named)
    file.write(pickle.dumps([*values], protocol=2))
    for stored in values.values():
      file.write(len(stored).to_bytes(8, 'little') + stored.tobytes())
  return path


def test_tensors_are_read_with_their_strides(tmp_path):
  """One is laid out by columns; two share a storage."""
  first, second = Storage('a', 6), Storage('b', 3)
  named = collections.OrderedDict(
    whole=Tensor(first, 0, (3, 2), (1, 3)), part=Tensor(first, 4, (2,), (1,)), other=Tensor(second, 0, (3,), (1,))
  )
  path = write_file(tmp_path / 'w.pth', named, {'a': np.arange(6, dtype='f4'), 'b': np.array((7, 8, 9), 'f4')})
  read = imagenet.read_tensors(path)
  np.testing.assert_array_equal(read['whole'], [[0, 3], [1, 4], [2, 5]])
  np.testing.assert_array_equal(read['part'], [4, 5])
  np.testing.assert_array_equal(read['other'], [7, 8, 9])


def test_a_pickle_that_would_do_more_is_refused():
  with pytest.raises(pickle.UnpicklingError, match=r'posix.system is no tensor'):
    imagenet._Tensors(io.BytesIO(pickle.dumps(os.system))).load()


def test_another_file_is_refused(tmp_path, monkeypatch):
  package = tmp_path / 'some_weights'
  (package / 'models').mkdir(parents=True)
  (package / '__init__.py').touch()
  (package / imagenet.FILE).write_bytes(b'other weights')
  monkeypatch.syspath_prepend(tmp_path)
  monkeypatch.setattr(imagenet, 'PACKAGE', 'some_weights')
  with pytest.raises(imagenet.UserError, match=r'its SHA-256 is .*: install that one anew'):
    imagenet.find_weights()
