"""Augmentation, losses, schedule and precision: the small parts of a training step."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from lipfake_jax import losses, optimizer
from lipfake_jax.augment import Augmentation, augment_clips
from lipfake_jax.errors import UserError
from lipfake_jax.optimizer import Plateau, update_plateau
from lipfake_jax.precision import resolve_precision
from lipfake_jax.train import class_weights

CLIPS = np.random.default_rng(0).uniform(0.2, 0.8, (8, 5, 6, 6, 3)).astype(np.float32)


def augment(flip=0.0, brightness=0.0, seed=0, first=0, clips=CLIPS):
  return np.asarray(augment_clips(jnp.asarray(clips), jax.random.key(seed), first, Augmentation(flip, brightness)))


def test_brightness_is_one_draw_a_clip():
  change = augment(brightness=0.1) - CLIPS
  per_clip = change.reshape(8, -1)
  np.testing.assert_allclose(per_clip, np.repeat(per_clip[:, :1], per_clip.shape[1], 1), atol=1e-6)
  assert len(np.unique(per_clip[:, 0].round(5))) == 8
  assert np.abs(per_clip).max() <= 0.1


def test_a_flip_mirrors_all_frames_of_a_clip_or_none():
  flipped = augment(flip=0.5)
  kinds = [
    'same' if (a == b).all() else 'mirrored' if (a == b[:, :, ::-1]).all() else 'torn'
    for a, b in zip(flipped, CLIPS, strict=True)
  ]
  assert set(kinds) == {'same', 'mirrored'}


def test_every_step_draws_anew():
  assert not np.allclose(augment(brightness=0.1, seed=0), augment(brightness=0.1, seed=1))


def test_a_clips_draw_does_not_depend_on_how_many_devices_share_the_batch():
  whole = augment(0.5, 0.1)
  halves = [augment(0.5, 0.1, first=start, clips=CLIPS[start : start + 4]) for start in (0, 4)]
  np.testing.assert_array_equal(whole, np.concatenate(halves))


def test_values_stay_in_range():
  bright = augment(brightness=0.9)
  assert bright.min() >= 0
  assert bright.max() <= 1


def test_cross_entropy_by_hand():
  logits, labels = jnp.array([0.0, np.log(3.0)]), jnp.array([1, 0])
  # p = 1/2 for a fake: log 2. p = 3/4 for a real: log 4.
  assert losses.cross_entropy(logits, labels, jnp.ones(2)) == pytest.approx(np.log(8) / 2)
  assert losses.cross_entropy(logits, labels, jnp.array([2.0, 0.0])) == pytest.approx(np.log(2))


def test_l2_is_the_sum_of_squares_of_the_named_kernels():
  params = {'a': {'kernel': jnp.array([1.0, 2.0]), 'bias': jnp.array([9.0])}, 'b': {'kernel': jnp.array([3.0])}}
  assert losses.l2_penalty(params, (('a', 'kernel'),)) == 5
  assert losses.l2_penalty(params, (('a', 'kernel'), ('b', 'kernel'))) == 14


def test_adamw_with_a_rate_that_can_be_set():
  """One step by hand: Adam's first update is the gradient's sign; decay is rate * weight_decay * parameter."""
  tx, params = optimizer.create_optimizer(0.1, 0.01), jnp.array([2.0])
  state = optimizer.set_learning_rate(tx.init(params), 0.5)
  updates, _ = tx.update(jnp.array([3.0]), state, params)
  assert optax.apply_updates(params, updates)[0] == pytest.approx(2 - 0.5 * (1 + 0.01 * 2), rel=1e-5)


def run_plateau(validation_losses):
  state, rates = Plateau(1.0), []
  for loss in validation_losses:
    state = update_plateau(state, loss, patience=3, factor=0.5, floor=0.2)
    rates.append(state.learning_rate)
  return state, rates


def test_the_rate_halves_after_three_epochs_without_a_better_loss():
  state, rates = run_plateau([1.0, 0.9, 0.95, 0.9, 0.9, 0.8])
  assert rates == [1, 1, 1, 1, 0.5, 0.5]
  assert (state.best, state.stale) == (0.8, 0)


def test_the_rate_has_a_floor_and_early_stopping_counts_on():
  state, rates = run_plateau([1.0] + [1.1] * 9)
  assert rates == [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.2]
  assert state.stale == 9


def test_a_hairs_breadth_counts_for_the_best_weights_but_not_for_the_rate():
  """As in Keras: ReduceLROnPlateau wants 1e-4, EarlyStopping any gain."""
  state, rates = run_plateau([1.0, 0.99999, 0.99998, 0.99997])
  assert rates[-1] == 0.5
  assert state.stale == 0


def test_class_weights_make_both_classes_weigh_the_same():
  weights = class_weights(np.array([0, 1, 1, 1]))
  np.testing.assert_allclose(weights, [2, 2 / 3])


def test_precision_of_a_cpu_is_float32():
  assert resolve_precision('auto') == 'float32'
  assert resolve_precision('bfloat16') == 'bfloat16'
  with pytest.raises(UserError, match='choose auto, float32, bfloat16, float16'):
    resolve_precision('int8')


class FakeGpu:
  platform = 'gpu'

  def __init__(self, capability):
    self.compute_capability = capability


@pytest.mark.parametrize(('capability', 'expected'), [('7.5', 'float16'), ('8.0', 'bfloat16'), ('9.0', 'bfloat16')])
def test_precision_of_a_gpu_goes_by_its_generation(monkeypatch, capability, expected):
  monkeypatch.setattr(jax, 'local_devices', lambda: [FakeGpu(capability)])
  assert resolve_precision('auto') == expected
