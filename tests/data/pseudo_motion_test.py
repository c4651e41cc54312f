"""Fakes of how lips move: what each kind does to a motion that is known."""

import dataclasses

import numpy as np
import pytest

from lipfake_jax.core.errors import UserError
from lipfake_jax.data.dataset import DataChoice, open_split
from lipfake_jax.data.pseudo_batches import PseudoFakes, mixed_batches
from lipfake_jax.data.pseudo_fakes import KINDS as PIXEL_KINDS
from lipfake_jax.data.pseudo_motion import HELD, KINDS, disturb, make_pseudo_motion

T, K = 24, 5
SHAPE = np.random.default_rng(1).normal(0, 1, (K, 2))


def draw_lips(amplitude=0.1, seed=0):
  """Smooth, and never twice the same: two waves of unequal periods on each landmark."""
  rng = np.random.default_rng(seed)
  phases = rng.uniform(0, 6, (2, K, 2))
  times = np.arange(T)[:, None, None]
  waves = np.sin(times / 2.7 + phases[0]) + np.sin(times / 4.1 + phases[1])
  return (SHAPE * (1 + seed) + amplitude * waves).astype(np.float32)


LIPS, OTHER = draw_lips(), draw_lips(seed=1)


def make(kind, seed):
  return make_pseudo_motion(LIPS, OTHER, kind, np.random.default_rng(seed))


def speeds(lips):
  return np.abs(np.diff(lips, axis=0)).mean((1, 2))


def test_kinds_are_some_of_those_of_pixels():
  assert set(KINDS) < set(PIXEL_KINDS)


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('seed', range(5))
def test_a_fake_moves_otherwise_and_is_a_function_of_its_seed(kind, seed):
  fake = make(kind, seed)
  assert (fake.shape, fake.dtype) == (LIPS.shape, np.float32)
  assert np.abs(fake - LIPS).max() > 0.01
  np.testing.assert_array_equal(fake, make(kind, seed))


@pytest.mark.parametrize('seed', range(5))
def test_a_moment_is_spliced_in(seed):
  fake = make('moment', seed)
  same = (fake == LIPS).all((1, 2))
  cut = int(np.argmin(same))
  assert T // 4 <= cut < T - T // 4
  assert same[:cut].all()
  assert all((frame == LIPS).all((1, 2)).any() for frame in fake[cut:])


@pytest.mark.parametrize('seed', range(5))
def test_frozen_lips_stand_still_for_a_quarter_of_the_time(seed):
  assert T // 4 - 1 <= (speeds(make('frozen', seed)) == 0).sum() <= T // 2


def test_another_pace_is_faster_or_slower():
  ratios = [speeds(make('speed', seed)).mean() / speeds(LIPS).mean() for seed in range(12)]
  assert min(ratios) < 0.7
  assert max(ratios) > 1.2


@pytest.mark.parametrize('seed', range(5))
def test_reenactment_keeps_the_mean_and_changes_the_size_of_the_motion(seed):
  fake = make('reenactment', seed)
  np.testing.assert_allclose(fake.mean(0), LIPS.mean(0), atol=1e-5)
  factor = (fake - fake.mean(0)) / (LIPS - LIPS.mean(0))
  assert np.ptp(factor) < 0.01
  assert not 0.75 < factor.mean() < 1.35


def test_resynthesis_trembles_is_smooth_or_of_a_lower_rate():
  jerks = [np.abs(np.diff(make('resynthesis', seed), 2, axis=0)).mean() for seed in range(20)]
  still = [(speeds(make('resynthesis', seed)) == 0).mean() for seed in range(20)]
  usual = np.abs(np.diff(LIPS, 2, axis=0)).mean()
  assert min(jerks) < 0.9 * usual
  assert max(jerks) > 1.2 * usual
  assert max(still) >= 1 - 1 / min(HELD) - 0.05


def test_identity_is_anothers_motion_on_this_ones_mouth():
  fake = make('identity', 0)
  np.testing.assert_allclose(fake.mean(0), LIPS.mean(0), atol=1e-5)
  np.testing.assert_allclose(fake - fake.mean(0), OTHER - OTHER.mean(0), atol=1e-5)


def test_real_and_fake_are_disturbed_alike():
  """At strength 0 not at all; the noise is the same in both, and small."""
  assert np.abs(disturb(LIPS, 0.0, np.random.default_rng(0)) - LIPS).max() < 1e-6
  still = np.broadcast_to(SHAPE, LIPS.shape).astype(np.float32)
  noise = [disturb(still, 1.0, np.random.default_rng(seed)) - still for seed in (0, 0, 1)]
  np.testing.assert_array_equal(noise[0], noise[1])
  assert (noise[0] != noise[2]).any()
  assert 0 < noise[0].std() < 0.01


def test_batches_of_lips_have_pairs_and_no_patches(tiny_data):
  split = open_split(DataChoice('tiny_clips', 'tiny'), 'train', tiny_data, 'lips')
  settings = PseudoFakes(share=0.5, strength=0.0, kinds={'identity': 1.0, 'blend': 9.0})
  batch = next(mixed_batches(split, 8, 0, 0, settings))
  assert set(batch) == {'clip', 'label', 'position'}
  assert batch['clip'].shape == (8, *split.clip_shape)
  assert batch['label'].tolist() == [1, 1, 0, 1, 0, 1, 0, 0]
  np.testing.assert_array_equal(batch['position'][[2, 4]], batch['position'][[3, 5]])
  assert (batch['clip'][[2, 4]] != batch['clip'][[3, 5]]).any(axis=(1, 2, 3)).all()


def test_what_no_fake_is_made_of_is_told(tiny_data):
  split = open_split(DataChoice('tiny_clips', 'tiny'), 'train', tiny_data, 'lips')
  with pytest.raises(UserError, match=r"pseudo\.kinds: none of blend is made of the feature 'lips'"):
    next(mixed_batches(split, 8, 0, 0, PseudoFakes(share=0.5, kinds={'blend': 1.0})))
  split = dataclasses.replace(split, feature='motion')
  with pytest.raises(UserError, match="is made of the feature 'motion'"):
    next(mixed_batches(split, 8, 0, 0, PseudoFakes(share=0.5)))
