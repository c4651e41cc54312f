import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lipfake_jax.core.errors import UserError
from lipfake_jax.training.augment import EXAMPLES, Augmentation, augment_clip, augment_clips, mirror_lips

CLIPS = np.random.default_rng(0).uniform(0.2, 0.8, (8, 5, 6, 6, 3)).astype(np.float32)


def augment(flip=0.0, brightness=0.0, seed=0, first=0, clips=CLIPS, **fields):
  spec = Augmentation(flip, brightness, **fields)
  return np.asarray(augment_clips(jnp.asarray(clips), jax.random.key(seed), first + np.arange(len(clips)), spec))


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


def test_a_clips_draw_is_that_of_its_place():
  whole = augment(0.5, 0.1, contrast=0.3)
  for place, (ours, clip) in enumerate(zip(whole, CLIPS, strict=True)):
    alone = augment_clip(jnp.asarray(clip), jax.random.fold_in(jax.random.key(0), place), Augmentation(contrast=0.3))
    np.testing.assert_allclose(ours, alone, atol=1e-6)


def test_frames_can_have_draws_of_their_own():
  """As in the paper's released code; CLIPS have five frames."""
  change = augment(brightness=0.1, per_frame=True) - CLIPS
  by_frame = change.reshape(8 * 5, -1)
  np.testing.assert_allclose(by_frame, np.repeat(by_frame[:, :1], by_frame.shape[1], 1), atol=1e-6)
  assert len(np.unique(by_frame[:, 0].round(6))) == 40
  flipped = augment(flip=0.5, per_frame=True)
  same, mirrored = ((flipped == clips).all(axis=(2, 3, 4)) for clips in (CLIPS, CLIPS[:, :, :, ::-1]))
  assert (same ^ mirrored).all()
  assert ((same.sum(1) > 0) & (same.sum(1) < 5)).sum() >= 6  # clips that are torn: 15 of 16 on average


def test_sound_stays_as_it_is():
  """Nobody speaks backwards or mirrored; its shape is told from that of lips, of which there are as many axes."""
  sound = np.random.default_rng(1).normal(size=(3, 5, 4, 64)).astype(np.float32)
  changes = {'drop': 0.5, 'reverse': 0.5, 'noise': 0.1}
  np.testing.assert_array_equal(augment(0.5, 0.1, clips=sound, **changes), sound)


def test_lips_can_have_a_draw_a_frame_too():
  flipped = augment(clips=LIPS, flip=0.5, per_frame=True)
  same, mirrored = ((flipped == lips).all(axis=(2, 3)) for lips in (LIPS, np.asarray(mirror_lips(LIPS))))
  assert (same ^ mirrored).all()
  assert 0 < same[0].sum() < 12


@pytest.mark.parametrize('name', ['drop', 'reverse'])
def test_a_frame_by_itself_has_no_time_to_change(name):
  with pytest.raises(UserError, match=rf'augment.per_frame with .*augment.{name}=0.5.*; set these to 0'):
    Augmentation(per_frame=True, **{name: 0.5})


def test_values_stay_in_range():
  bright = augment(brightness=0.9)
  assert bright.min() >= 0
  assert bright.max() <= 1


@pytest.mark.parametrize('name', EXAMPLES)
def test_each_does_something_and_nothing_at_zero(name):
  assert not np.allclose(augment(**{name: EXAMPLES[name]}), CLIPS, atol=1e-3)
  np.testing.assert_array_equal(augment(**{name: 0.0}), CLIPS)


@pytest.mark.parametrize('name', sorted(set(EXAMPLES) - {'noise', 'drop', 'reverse'}))
def test_all_frames_of_a_clip_are_changed_alike(name):
  """A clip that stands still stands still afterwards."""
  still = np.repeat(CLIPS[:, :1], 5, axis=1)
  changed = augment(clips=still, **{name: EXAMPLES[name]})
  np.testing.assert_allclose(changed, np.repeat(changed[:, :1], 5, axis=1), atol=1e-6)


@pytest.mark.parametrize(('name', 'value'), [('contrast', 0.5), ('saturation', 0.5)])
def test_distances_from_the_middle_change_by_a_factor(name, value):
  """Contrast from the clip's mean, saturation from each pixel's gray."""
  gray = CLIPS @ np.array([0.299, 0.587, 0.114], np.float32)
  middle = CLIPS.mean(axis=(1, 2, 3, 4), keepdims=True) if name == 'contrast' else gray[..., None]
  calm = middle + 0.3 * (CLIPS - middle)  # so that nothing is clipped
  factors = (augment(clips=calm, **{name: value}) - middle).reshape(8, -1) / (calm - middle).reshape(8, -1)
  factor = np.median(factors, axis=1)
  assert len(set(factor.round(3))) == 8
  assert np.abs(factor - 1).max() <= value
  sure = np.abs((calm - middle).reshape(8, -1)) > 0.01
  assert np.abs(factors - factor[:, None])[sure].max() < 0.02


def test_noise_is_new_in_each_frame_and_within_its_strength():
  gray = np.full((8, 20, 16, 16, 3), 0.5, np.float32)
  field = augment(clips=gray, noise=0.1) - gray
  strengths = field.std(axis=(1, 2, 3, 4))
  assert strengths.max() < 0.105
  assert strengths.std() > 0.01
  assert np.abs(np.corrcoef(field[0].reshape(20, -1)) - np.eye(20)).max() < 0.2


def ramp(size=32):
  """A clip whose red is its column and whose green is its row, in 0.1 to 0.9."""
  line = np.linspace(0.1, 0.9, size, dtype=np.float32)
  rows, columns = np.meshgrid(line, line, indexing='ij')
  return np.broadcast_to(np.stack([columns, rows, rows], axis=-1), (8, 2, size, size, 3)).copy()


def test_a_shift_moves_the_picture_by_up_to_its_share():
  moved = augment(clips=ramp(), shift=0.25)
  way = (moved - ramp())[:, 0, 8:24, 8:24] * 31 / 0.8  # in pixels, away from the edges
  columns, rows = way[..., 0], way[..., 1]
  for direction in (columns, rows):
    np.testing.assert_allclose(direction, np.broadcast_to(direction[:, :1, :1], direction.shape), atol=1e-3)
    assert np.abs(direction).max() <= 8
  assert np.abs(columns[:, 0, 0] - rows[:, 0, 0]).min() > 0.01  # two draws
  assert moved.min() == pytest.approx(0.1)  # edges are repeated, not black
  assert moved.max() == pytest.approx(0.9)


def test_a_scale_changes_the_slope_about_the_middle():
  scaled = augment(clips=ramp(), scale=0.2)[:, 0, 16, :, 0]
  slopes = np.diff(scaled[:, 8:24], axis=1) * 31 / 0.8
  np.testing.assert_allclose(slopes, np.broadcast_to(slopes[:, :1], slopes.shape), atol=1e-3)
  assert (slopes + 1e-3 >= 1 / 1.2).all()
  assert (slopes <= 1 / 0.8 + 1e-3).all()
  np.testing.assert_allclose(scaled[:, 15:17].mean(1), 0.5, atol=1e-5)


def test_a_blur_keeps_the_mean_and_takes_the_detail():
  blurred = augment(blur=3.0)
  detail, before = (np.diff(clips, axis=3).std(axis=(1, 2, 3, 4)) for clips in (blurred, CLIPS))
  assert (detail <= before).all()  # the weakest draw blurs nothing
  assert detail.mean() < 0.5 * before.mean()
  constant = np.full_like(CLIPS, 0.4)
  np.testing.assert_allclose(augment(clips=constant, blur=3.0), constant, atol=1e-6)


def numbered(frames=12):
  """Clips whose frames are gray, by their number."""
  gray = np.linspace(0, 1, frames, dtype=np.float32)
  return np.broadcast_to(gray[None, :, None, None, None], (8, frames, 4, 4, 3)).copy()


def test_lost_frames_show_the_one_before():
  order = np.round(augment(clips=numbered(), drop=0.4)[:, :, 0, 0, 0] * 11).astype(int)
  assert (order[:, 0] == 0).all()
  for row in order:
    assert all(now in (i, before) for i, (before, now) in enumerate(itertools.pairwise(row), start=1))
  assert 0.2 < (np.diff(order, axis=1) == 0).mean() < 0.6


def test_time_runs_backwards_or_not():
  order = np.round(augment(clips=numbered(), reverse=0.5)[:, :, 0, 0, 0] * 11).astype(int)
  assert {tuple(row) for row in order} == {tuple(range(12)), tuple(range(11, -1, -1))}


LIPS = np.random.default_rng(1).normal(0, 0.3, (8, 12, 64, 2)).astype(np.float32)


def test_mirrored_lips_are_those_of_the_other_side():
  mirrored = np.asarray(mirror_lips(LIPS))
  np.testing.assert_array_equal(mirror_lips(mirrored), LIPS)
  np.testing.assert_array_equal(mirrored[..., 0, :], LIPS[..., 0, :] * (-1, 1))  # the middle of the upper lip
  np.testing.assert_array_equal(mirrored[..., 1, :], LIPS[..., 19, :] * (-1, 1))


def test_lips_are_drawn_as_their_pixels_would_be():
  """A clip and its lips are mirrored, turned round and lose frames alike."""
  flipped, turned = augment(clips=LIPS, flip=0.5), augment(clips=LIPS, reverse=0.5)
  was_flipped = [not np.array_equal(a, b) for a, b in zip(flipped, LIPS, strict=True)]
  assert was_flipped == [not np.array_equal(a, b) for a, b in zip(augment(flip=0.5), CLIPS, strict=True)]
  for now, before, mirrored in zip(flipped, LIPS, was_flipped, strict=True):
    np.testing.assert_array_equal(now, mirror_lips(before) if mirrored else before)
  backwards = augment(clips=numbered(), reverse=0.5)[:, 0, 0, 0, 0] > 0.5
  assert 0 < backwards.sum() < 8
  for now, before, turn in zip(turned, LIPS, backwards, strict=True):
    np.testing.assert_array_equal(now, before[::-1] if turn else before)
  order = np.round(augment(clips=numbered(), drop=0.4)[:, :, 0, 0, 0] * 11).astype(int)
  for now, before, seen in zip(augment(clips=LIPS, drop=0.4), LIPS, order, strict=True):
    np.testing.assert_array_equal(now, before[seen])


@pytest.mark.parametrize('name', sorted(set(EXAMPLES) - {'flip', 'drop', 'reverse'}))
def test_what_is_for_pixels_leaves_lips_alone(name):
  np.testing.assert_array_equal(augment(clips=LIPS, **{name: EXAMPLES[name]}), LIPS)
