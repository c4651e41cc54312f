"""The model of moving lips: its differences by hand, its mask, and whole runs with it."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lipfake_jax.experiments.experiment import train_and_evaluate
from lipfake_jax.inference import predict
from lipfake_jax.models import create_model
from lipfake_jax.models.lip_kinematics import SCALES, find_motion
from lipfake_jax.report.results import evaluate_workdir
from tests.training.loop_test import tiny_config

LIPS = np.random.default_rng(0).normal(0, 0.1, (8, 12, 64, 2)).astype(np.float32)


@pytest.fixture(scope='module')
def small():
  """A small model, its first weights, and the logits of weights and lips."""
  model = create_model('lip_kinematics', {'units': 8})
  return model, jax.jit(model.init)(jax.random.key(0), LIPS), jax.jit(model.apply)


def test_motion_is_that_of_a_hand_made_trajectory():
  """x = t^3 / 100, y = -t / 10 at t = 0 to 5, whose differences from frame to frame are written out here."""
  t = np.arange(6)
  lips = np.stack([t**3 / 100, -t / 10], axis=-1)[None, :, None].astype(np.float32)  # one landmark
  place, velocity, acceleration, jerk = np.moveaxis(
    np.asarray(find_motion(lips, np.ones((1, 6), bool)))[0, :, :, 0] * np.array(SCALES)[:, None], 1, 0
  )
  # The mean of 0, 1, 8, 27, 64, 125 is 37.5.
  np.testing.assert_allclose(place[:, 0], np.array([-37.5, -36.5, -29.5, -10.5, 26.5, 87.5]) / 100, atol=1e-6)
  np.testing.assert_allclose(place[:, 1], [0.25, 0.15, 0.05, -0.05, -0.15, -0.25], atol=1e-6)
  np.testing.assert_allclose(velocity[:, 0], np.array([0, 1, 7, 19, 37, 61]) / 100, atol=1e-6)
  np.testing.assert_allclose(velocity[:, 1], [0, -0.1, -0.1, -0.1, -0.1, -0.1], atol=1e-6)
  np.testing.assert_allclose(acceleration[:, 0], np.array([0, 0, 6, 12, 18, 24]) / 100, atol=1e-6)
  np.testing.assert_allclose(jerk[:, 0], np.array([0, 0, 0, 6, 6, 6]) / 100, atol=1e-6)
  for steady in (acceleration[2:, 1], jerk[3:, 1]):
    np.testing.assert_allclose(steady, 0, atol=1e-6)


@pytest.mark.parametrize('frames', [1, 2, 3])
def test_clips_too_short_for_a_difference_have_none(frames):
  motion = np.asarray(find_motion(LIPS[:, :frames], np.ones((8, frames), bool)))
  assert motion.shape == (8, frames, 4, 64, 2)
  assert (motion[:, :, frames:] == 0).all()


def test_frames_that_fill_up_the_end_do_not_count(small):
  _, params, apply = small
  lengths = np.array([9, 2, 12, 1, 3, 12, 11, 7])
  mask = np.arange(12) < lengths[:, None]
  filled = [np.where(mask[..., None, None], LIPS, filler).astype(np.float32) for filler in (0, 5, -300)]
  logits = [np.asarray(apply(params, lips, mask=mask)) for lips in filled]
  np.testing.assert_array_equal(logits[0], logits[1])
  np.testing.assert_array_equal(logits[0], logits[2])
  for row, length in enumerate(lengths[:2]):
    alone = apply(params, LIPS[row : row + 1, :length])
    np.testing.assert_allclose(alone[0], logits[0][row], atol=1e-5)
  np.testing.assert_allclose(apply(params, LIPS), apply(params, LIPS, mask=np.ones((8, 12), bool)), atol=1e-6)


def test_where_a_mouth_is_does_not_matter(small):
  _, params, apply = small
  np.testing.assert_allclose(apply(params, LIPS + np.float32(0.25)), apply(params, LIPS), atol=1e-3)


def test_parameter_count():
  shapes = jax.eval_shape(create_model('lip_kinematics', {}).init, jax.random.key(0), jnp.zeros((1, 60, 64, 2)))
  assert sum(np.prod(leaf.shape) for leaf in jax.tree.leaves(shapes)) == 90_817


def test_low_precision_keeps_float32_parameters_and_logits(small):
  _, params, apply = small
  model = create_model('lip_kinematics', {'units': 8}, jnp.bfloat16)
  shapes = jax.eval_shape(model.init, jax.random.key(0), LIPS)
  assert {leaf.dtype for leaf in jax.tree.leaves(shapes)} == {jnp.dtype(jnp.float32)}
  logits = jax.jit(model.apply)(params, LIPS)
  assert logits.dtype == jnp.float32
  np.testing.assert_allclose(logits, apply(params, LIPS), atol=0.05)


@pytest.fixture(scope='module')
def trained(tmp_path_factory, tiny_data):
  """A run on lips that open in every other frame, or never; its clips lie on the device."""
  workdir = tmp_path_factory.mktemp('lips')
  config = tiny_config(**{'train.epochs': 6, 'data.cache': 'device', 'eval.threshold': 'balanced_accuracy'})
  config.model.name = 'lip_kinematics'
  config.model.lip_kinematics.units = 16
  train_and_evaluate(config, workdir, tiny_data)
  return workdir


@pytest.mark.slow
def test_a_run_learns_from_lips(trained, tiny_data):
  figures = json.loads((trained / 'eval' / 'tiny_clips-test' / 'metrics.json').read_text())
  assert figures['auc'] > 0.9
  evaluate_workdir(trained, ['tiny_clips:validation'], tiny_data, 4)
  figures = json.loads((trained / 'eval' / 'tiny_clips-validation' / 'metrics.json').read_text())
  assert figures['balanced_accuracy'] > 0.8


@pytest.mark.slow
def test_predict_looks_at_the_lips(trained, face_video):
  [face] = predict.predict_videos(trained, [str(face_video)], batch_size=2)
  assert 0 < face['p_fake'] < 1
