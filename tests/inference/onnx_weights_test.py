"""ONNX files as weights: what is refused."""

import jax
import numpy as np
import pytest

from lipfake_jax.core.errors import UserError
from lipfake_jax.inference.detect import open_weights


def test_a_missing_file_is_told(tmp_path):
  with pytest.raises(UserError, match=r'lips\.onnx: no such file; make one: lipfake export'):
    open_weights(str(tmp_path / 'lips.onnx'))


def test_a_damaged_file_is_told(tmp_path):
  path = tmp_path / 'lips.onnx'
  path.write_bytes(b'these are words')
  with pytest.raises(UserError, match=r'lips\.onnx: ONNX Runtime cannot read it'):
    open_weights(str(path))


def test_a_file_that_does_not_tell_of_its_clips_is_refused(tmp_path):
  import onnx

  from lipfake_jax.inference.export_formats import to_onnx

  data = to_onnx(lambda x: x.sum(1), jax.ShapeDtypeStruct((2, 3), np.float32), (3,), {'model': {'name': 'a'}})
  model = onnx.load_from_string(data)
  del model.metadata_props[:]
  path = tmp_path / 'other.onnx'
  onnx.save(model, path)
  with pytest.raises(UserError, match='it does not tell what its clips are'):
    open_weights(str(path))
