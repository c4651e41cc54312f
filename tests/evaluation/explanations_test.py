"""The tests of maps over a dataset, with a small model that has learned nothing."""

import json
from pathlib import Path

import jax
import numpy as np
import pytest

from lipfake_jax.core.clip_spec import ClipSpec
from lipfake_jax.data.dataset import DataChoice, open_split
from lipfake_jax.evaluation.explanations import Measured, find_faults, measure_maps, points_to_fakes, write_trust
from lipfake_jax.inference.explain import METHODS, read_trust
from lipfake_jax.inference.run import Run, reweigh
from lipfake_jax.models import create_model
from lipfake_jax.scoring.verdict import Decision
from tests.conftest import TINY
from tests.models.model_checks import random_variables
from tests.training.loop_test import TINY_MODEL


def make_run(workdir: Path, name: str, arguments) -> Run:
  arguments = json.loads(json.dumps(arguments))  # as a checkpoint gives them back
  meta = {
    'model': {'name': name, 'arguments': arguments, 'aggregation': 'mean'},
    'clip': ClipSpec(**TINY).fields(),
    'digests': {'weights': 'a' * 64},
  }
  model = create_model(name, arguments)
  shape = (1, TINY['frames'], 64, 2) if model.input == 'lips' else (1, TINY['frames'], TINY['size'], TINY['size'], 3)
  variables = jax.device_get(random_variables(model, np.zeros(shape, np.float32)))
  return reweigh(Run(workdir, np.asarray, meta, Decision()), variables)


@pytest.mark.slow
@pytest.mark.parametrize(
  ('name', 'arguments', 'kinds'),
  [
    ('cnn_lstm', TINY_MODEL, {'cells': {'gain pseudo', 'hit pseudo', 'guess pseudo'}, 'frames': {'gain pseudo'}}),
    ('lip_kinematics', {'units': 4}, {'landmarks': set(), 'frames': set()}),
  ],
)
def test_every_method_has_every_test(tiny_data, tmp_path, name, arguments, kinds):
  """On six videos; each method has figures of each kind of parts that it has maps of, and patches are missing here."""
  run = make_run(tmp_path, name, arguments)
  feature = create_model(name, arguments).input
  split = open_split(DataChoice('tiny_clips', 'tiny'), 'test', tiny_data, feature)
  found = measure_maps(run, split, list(METHODS[feature]), limit=6)
  assert {kind for kind, _ in found} == set(kinds)
  assert not any(method == 'patch logits' for _, method in found)
  for (kind, _), figures in found.items():
    assert kinds[kind] | {'shuffled'} <= set(figures)
    assert figures['shuffled'].n == 6
    curves = [name for name in figures if name.startswith(('deletion', 'insertion'))]
    assert len(curves) == (8 if kind == 'cells' else 4)
  assert json.loads(write_trust(run, split, found).read_text())['videos'] == 6
  assert set(read_trust(run)['maps']) == set(kinds)
  run.meta['digests']['weights'] = 'b' * 64
  assert read_trust(run) is None


@pytest.mark.parametrize(
  ('name', 'interval', 'fails'),
  [
    ('deletion blur random', (0.01, 0.2), False),
    ('deletion blur random', (-0.01, 0.2), True),
    ('insertion  guess', (-0.3, -0.1), True),
    ('gain pseudo', (0.0, 0.2), False),  # another question
    ('shuffled', (-0.2, 0.3), False),
    ('shuffled', (0.2, 0.6), True),
  ],
)
def test_a_map_passes_where_all_of_an_interval_is_on_the_right_side(name, interval, fails):
  assert find_faults({name: Measured(float(np.mean(interval)), interval, 9, 5)}) == ([name] if fails else [])


def test_a_map_points_to_fakes_where_it_hits_more_often_than_chance():
  figures = {name: Measured(0.3, interval, 9, 5) for name, interval in (('gain a', (0.1, 0.5)), ('hit a', (0.0, 0.0)))}
  assert points_to_fakes(figures)
  assert not points_to_fakes({**figures, 'gain b': Measured(0.1, (-0.1, 0.3), 9, 5)})
  assert points_to_fakes({'shuffled': figures['hit a']}) is None
