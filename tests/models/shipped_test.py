"""The shipped weights: that they are there, whole, small and read without pickle."""

import hashlib
import json

import numpy as np
import pytest

from lipfake_jax.core.errors import UserError
from lipfake_jax.models import create_model
from lipfake_jax.models.shipped import FOLDER, NAME, load_shipped, save_shipped
from tests.models.model_checks import compiled

META = {'model': {'name': 'effnet_frames', 'arguments': {}}}


def test_what_was_saved_is_loaded(tmp_path):
  """float16 has eleven bits: 1/2048 of a value."""
  variables = {'params': {'a': {'kernel': np.linspace(-2, 2, 7).reshape(7, 1)}, 'b': np.arange(3.0)}}
  save_shipped(variables, META, tmp_path)
  loaded, meta = load_shipped(tmp_path)
  assert meta['model'] == META['model']
  np.testing.assert_allclose(loaded['params']['a']['kernel'], variables['params']['a']['kernel'], rtol=2**-11)
  assert loaded['params']['b'].dtype == np.float32


@pytest.mark.parametrize('place', [30, -30])
def test_a_changed_byte_is_found_out(tmp_path, place):
  save_shipped({'params': {'a': np.arange(100.0)}}, META, tmp_path)
  path = tmp_path / f'{NAME}.npz'
  data = bytearray(path.read_bytes())
  data[place] ^= 1
  path.write_bytes(data)
  with pytest.raises(UserError, match=r'its SHA-256 is .*: install the package anew'):
    load_shipped(tmp_path)


def test_missing_weights_are_told(tmp_path):
  with pytest.raises(UserError, match='the shipped weights are not there'):
    load_shipped(tmp_path)


def test_pickled_arrays_are_refused(tmp_path):
  """Even with the right digest."""
  save_shipped({'params': {'a': np.arange(3.0)}}, META, tmp_path)
  np.savez(tmp_path / f'{NAME}.npz', **{'params/a': np.array([{}])})
  meta = {**META, 'sha256': hashlib.sha256((tmp_path / f'{NAME}.npz').read_bytes()).hexdigest()}
  (tmp_path / f'{NAME}.json').write_text(json.dumps(meta))
  with pytest.raises(ValueError, match='allow_pickle=False'):
    load_shipped(tmp_path)


def test_the_package_brings_weights_that_fit_their_model():
  """At most 12 MB; a gray clip has a finite score."""
  variables, meta = load_shipped()
  assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 12e6
  model = create_model(meta['model']['name'], meta['model']['arguments'])
  clips = np.full((1, 2, meta['clip']['size'], meta['clip']['size'], 3), 0.5, np.float32)
  logits = compiled(lambda variables, clips: model.apply(variables, clips, False))(variables, clips)
  assert np.isfinite(logits).all()
  assert 0 <= meta['limits']['fake'] <= 1
  assert 0 <= meta['limits']['real'] <= 1
  assert meta['sha256'] in (FOLDER / f'{NAME}.json').read_text()
