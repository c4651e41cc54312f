"""Towers, opened, and how they are given clips."""

from pathlib import Path

import numpy as np
import pytest

from lipfake_jax.core.errors import UserError
from lipfake_jax.inference import checkpoints, towers
from lipfake_jax.inference.towers import embed_clips, name_sound, open_towers
from tests.inference.tower_cases import open_fake, speaking_clip


def test_any_number_of_clips_is_embedded_in_a_few_sizes():
  """13 as 8 and 5, filled up to 8; the filling is left out, and so is what is no embedding."""
  sizes = []

  def apply(looks, sounds):
    sizes.append(len(looks))
    return {'look': looks * 2, 'sound': sounds + 1, 'scale': 14.0}

  looks, sounds = np.arange(13.0)[:, None], np.arange(13.0)[:, None]
  found = towers._embed(apply, looks, sounds)
  assert sizes == [8, 8]
  assert set(found) == {'look', 'sound'}
  np.testing.assert_array_equal(found['look'], looks * 2)
  np.testing.assert_array_equal(found['sound'], sounds + 1)


def test_clips_give_the_features_that_the_model_names():
  found = embed_clips(open_fake('clip', 'people'), [speaking_clip(0, level=7), speaking_clip(1, level=9)])
  assert found['look'].ravel().tolist() == [7, 9]
  assert name_sound(speaking_clip(0, state='silent')) == 'silent'


@pytest.mark.parametrize(('held', 'wanted'), [('cnn_lstm', ''), ('av_sync', 'poi')])
def test_a_run_of_another_model_is_refused(held, wanted, monkeypatch):
  monkeypatch.setattr(checkpoints, 'restore_best', lambda workdir: ({}, {'model': {'name': held, 'arguments': {}}}))
  with pytest.raises(UserError, match=f'runs/a holds a {held}: {wanted or "av_sync or poi"} is needed, see configs/'):
    open_towers(Path('runs/a'), wanted)
