"""The probe of the lips: what it looks at, that it is a line, and whole runs with it."""

import jax
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from lipfake_jax.core.errors import Interrupted
from lipfake_jax.data import pseudo_batches
from lipfake_jax.data.dataset import DataChoice, open_split
from lipfake_jax.experiments.experiment import train_and_evaluate
from lipfake_jax.inference.checkpoints import restore_best
from lipfake_jax.models import create_model
from lipfake_jax.models.effnet_probe import LIMIT, cut_lips, draw_regions, pool
from lipfake_jax.training import closed_form
from lipfake_jax.training.optimizer import create_optimizer
from lipfake_jax.training.state import create_train_state
from tests.models.model_checks import SMALL_PROBE, Small, count_parameters
from tests.training.loop_test import rows, tiny_config

MODEL = create_model('effnet_probe', {'penalty': 0.1})


@pytest.fixture(scope='module')
def probe():
  return Small('effnet_probe', SMALL_PROBE, (6, 32, 32, 3))


def test_sizes():
  model = create_model('effnet_probe', {})
  assert count_parameters(model, model.input_shape) == model.n_params


def test_every_second_frame_is_scored_with_the_one_before(probe):
  """Of six frames the second, fourth and sixth; none but the third and the fourth reach the second score."""
  scores = probe.forward(probe.variables, probe.clips)
  assert scores.shape == (2, 3)
  for number in range(6):
    changed = probe.clips.copy()
    changed[:, number] = changed[:, number] ** 2
    moved = np.abs(probe.forward(probe.variables, changed) - scores).max(axis=0) > 1e-6
    assert moved.tolist() == [number // 2 == position for position in range(3)]


def test_one_frame_is_one_that_nothing_moved_before(probe):
  one = probe.forward(probe.variables, probe.clips[:, :1])
  twice = probe.forward(probe.variables, probe.clips[:, :1].repeat(2, axis=1))
  np.testing.assert_allclose(one, twice, atol=1e-5)


def test_only_the_lips_are_looked_at(probe):
  """Of 32 pixels a side those from 6 to 26, and from 3 to 22."""
  changed = np.zeros_like(probe.clips)
  changed[:, :, 3:22, 6:26] = probe.clips[:, :, 3:22, 6:26]
  scores, same = (probe.forward(probe.variables, clips) for clips in (probe.clips, changed))
  np.testing.assert_allclose(scores, same, atol=1e-5)
  changed[:, :, 3] = 0
  assert np.abs(probe.forward(probe.variables, changed) - scores).max() > 1e-5


def test_low_precision(probe):
  probe.check_low_precision(0.1)


def test_lips_are_stretched_to_a_square():
  """A ramp stays one: of 20 columns of 0, ..., 19 in 40, each second pair has a mean a column further."""
  frames = np.broadcast_to(np.arange(40, dtype=np.float32)[:, None], (1, 40, 40, 3))
  lips = np.asarray(cut_lips(frames, (0.25, 0.0, 0.75, 1.0), 40))
  assert lips.shape == (1, 40, 40, 3)
  np.testing.assert_allclose(np.diff(lips[0, 10, 4:36:2, 0]), 1, atol=0.02)
  assert lips[0, 10, 18:22, 0].mean() == pytest.approx(19.5, abs=0.02)


def test_regions_are_where_mouth_jaw_and_nose_are():
  """In the whole crop of 10x10 cells; the mouth's ellipse is 6 cells wide and 4.4 high about (5, 4)."""
  regions = draw_regions((0, 0, 1, 1), 10)
  np.testing.assert_allclose(regions.sum(0), 1, rtol=1e-5)
  mouth, jaw, nose = regions.reshape(10, 10, 3).transpose(2, 0, 1)
  assert mouth[4, 5] == mouth.max()
  assert mouth[:1].sum() == mouth[7:].sum() == mouth[:, :2].sum() == 0
  assert jaw[4, 5] == 0
  assert jaw[8, 5] == jaw.max()
  assert nose[:2].min() == nose.max()
  assert nose[2:].max() == 0


def test_features_are_means_by_region_and_changes():
  """Two cells and one channel, 1 and 5 after 0 and 8; the first is the mouth, both are the jaw, the second the nose."""
  now, before = np.array([[1.0], [5.0]]), np.array([[0.0], [8.0]])
  regions = np.array([[1, 0.5, 0], [0, 0.5, 1]])
  mean, by_region, change, in_mouth = pool(now, before, regions)
  np.testing.assert_allclose(mean, [3])
  np.testing.assert_allclose(by_region, [1 - 3, 0, 5 - 3])
  np.testing.assert_allclose(change, [2])
  np.testing.assert_allclose(in_mouth, [1 - 2])


def draw_features(count=200):
  rng = np.random.default_rng(0)
  labels = np.arange(count) % 2
  features = rng.normal(0, 1, (count, 5)) * [1, 10, 100, 1, 1] + [3, 0, 0, 0, 0]
  features[:, 0] += 0.7 * labels
  features[0, 1] = 1e4  # LIMIT holds it
  return features.astype(np.float32), labels.astype(np.int32)


@pytest.mark.parametrize('balanced', [False, True])
def test_the_line_is_scikit_learns(balanced):
  """Mean cross-entropy and .1 / 2 times the squared length of the kernel, on features without unit."""
  features, labels = draw_features()
  labels[:40] = 0
  found = MODEL.fit(features, labels, balanced)
  scaled = np.clip(StandardScaler().fit_transform(features), -LIMIT, LIMIT)
  theirs = LogisticRegression(C=10 / 200, class_weight='balanced' if balanced else None, tol=1e-8).fit(scaled, labels)
  ours = MODEL.apply({'params': found}, features, method='judge')
  np.testing.assert_allclose(ours, theirs.decision_function(scaled), atol=2e-3)


def test_what_tells_nothing_gets_no_weight():
  features, labels = draw_features()
  kernel = np.abs(MODEL.fit(features, labels, False)['logit']['kernel'])
  assert kernel[0] > 3 * kernel[1:].max()


def probe_config(**changes):
  config = tiny_config(**{'train.epochs': 1, **changes})
  config.model.name = 'effnet_probe'
  config.model.effnet_probe.update(SMALL_PROBE)
  return config


def test_it_is_fitted_unless_it_begins_with_a_runs_weights():
  model = create_model('effnet_probe', SMALL_PROBE)
  assert [
    closed_form.fits_at_once(probe_config(init_from=source), model) for source in ('', 'imagenet', 'shipped', 'runs/a')
  ] == [True, True, False, False]


def test_it_sees_pseudo_fakes_and_what_they_were_made_from(tiny_data, monkeypatch):
  """Of clips of 16 pixels made 64, whose first frame is scored; half are real. Without pseudo-fakes, of all frames."""
  read = pseudo_batches.read_clip
  monkeypatch.setattr(pseudo_batches, 'read_clip', lambda *of: read(*of).repeat(4, axis=1).repeat(4, axis=2))
  split = open_split(DataChoice('tiny_clips', 'tiny'), 'train', tiny_data)
  model = create_model('effnet_probe', SMALL_PROBE)
  state = create_train_state(model, (2, 32, 32, 3), create_optimizer(0.0), 1e-3, 'float32', 0, ())
  changes = {'pseudo.share': 0.5, 'pseudo.size': 32, 'pseudo.rounds': 2}
  features, labels = closed_form.see_frames(probe_config(**changes), state, split, lambda step: None)
  assert len(features) == len(labels) == len(split) * 2 // 4 * 4
  assert labels.mean() == 0.5
  features, labels = closed_form.see_frames(probe_config(), state, split, lambda step: None)
  assert len(features) == len(labels) == 3 * len(split)
  np.testing.assert_array_equal(labels, split.labels.repeat(3))


def test_a_signal_ends_it_while_it_looks(tiny_data):
  split = open_split(DataChoice('tiny_clips', 'tiny'), 'train', tiny_data)
  model = create_model('effnet_probe', SMALL_PROBE)
  state = create_train_state(model, (2, 16, 16, 3), create_optimizer(0.0), 1e-3, 'float32', 0, ())
  signal = Interrupted('SIGTERM: saved after step 0', 143)
  with pytest.raises(Interrupted, match='effnet_probe is fitted at once; the command begins anew') as raised:
    closed_form.fit_epoch(probe_config(), model, state, split, lambda step: signal)
  assert raised.value.code == 143


@pytest.mark.slow
def test_a_run_is_fitted_and_can_be_gone_on_from_by_steps(tmp_path, tiny_data, quick_evaluation):
  """By steps the line alone moves."""
  train_and_evaluate(probe_config(), tmp_path / 'a', tiny_data)
  [row] = rows(tmp_path / 'a')
  assert row['train_loss'] < 0.6
  freeze = 'lite0_0+lite0_1+scaling'
  changes = {'init_from': str(tmp_path / 'a'), 'train.freeze': freeze}
  train_and_evaluate(probe_config(**changes), tmp_path / 'b', tiny_data)
  before, after = (restore_best(tmp_path / name)[0]['params'] for name in 'ab')
  same = jax.tree.map(np.array_equal, before, after)
  assert all(jax.tree.leaves({name: same[name] for name in freeze.split('+')}))
  assert not same['logit']['kernel']
