"""Towers learn what belongs together, and a run that was stopped ends as one that was not."""

import contextlib
import json

import jax
import numpy as np
import pytest

from configs import av_sync
from lipfake_jax.core.errors import Interrupted
from lipfake_jax.data import pairs as pairs_module
from lipfake_jax.data.pairs import open_pairs
from lipfake_jax.evaluation.sync import measure_own, measure_sync
from lipfake_jax.inference import checkpoints
from lipfake_jax.inference.towers import open_towers
from lipfake_jax.training import contrastive
from tests.data.pair_cases import make_split

PARTS = {'train': 25, 'validation': 13}


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
  def open_split(choice, part, data_dir, feature):
    return make_split(feature, part, PARTS[part])

  monkeypatch.setattr(pairs_module, 'open_split', open_split)


def small_config(epochs: int):
  config = av_sync.get_config()
  config.model.av_sync.update({'window': 5, 'sound_filters': (4, 4, 4), 'units': 16, 'width': 16})
  config.train.update({'batch_size': 12, 'epochs': epochs, 'learning_rate': 5e-3, 'warmup_epochs': 0.5})
  return config


@pytest.mark.slow
def test_the_sound_of_each_moment_is_found(tmp_path):
  """Of new clips: their own sound, not another's, and by how much it is late."""
  config = small_config(epochs=20)
  contrastive.train_towers(config, tmp_path, None)
  rows = [json.loads(line) for line in (tmp_path / 'metrics.jsonl').read_text().splitlines()]
  assert rows[-1]['validation_loss'] < 0.5 * rows[0]['validation_loss']
  towers = open_towers(tmp_path, 'av_sync')
  reals = open_pairs(None, 'validation', None, towers.model.inputs)
  found = {row['kind']: row for row in measure_sync(towers, reals, None)}
  assert found["another's sound"]['auc'] > 0.95
  assert found['200 ms late']['found'] == found['200 ms early']['found'] == 1
  assert found['200 ms late']['offset_ms'] == 200
  assert len(measure_own(towers, reals)) == 6  # videos with sound


@pytest.mark.slow
def test_a_run_that_was_stopped_ends_as_one_that_was_not(tmp_path, monkeypatch):
  config = small_config(epochs=2)
  contrastive.train_towers(config, tmp_path / 'whole', None)

  @contextlib.contextmanager
  def watch():
    yield lambda step: Interrupted('stopped', 130)

  with monkeypatch.context() as patched:
    patched.setattr(contrastive.signals, 'watch', watch)
    with pytest.raises(Interrupted):
      contrastive.train_towers(config, tmp_path / 'parts', None)
  contrastive.train_towers(config, tmp_path / 'parts', None)
  whole, parts = (checkpoints.restore_best(tmp_path / name) for name in ('whole', 'parts'))
  jax.tree.map(np.testing.assert_array_equal, whole[0], parts[0])
  assert whole[1]['digests'] == parts[1]['digests']
  lines = [len((tmp_path / name / 'metrics.jsonl').read_text().splitlines()) for name in ('whole', 'parts')]
  assert lines == [2, 2]
