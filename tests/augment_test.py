import jax
import jax.numpy as jnp
import numpy as np

from lipfake_jax.augment import Augmentation, augment_clips

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
