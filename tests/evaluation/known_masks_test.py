"""Fakes of which it is known what was faked."""

import numpy as np

from lipfake_jax.demo.fakes import fake_mouth, mask_mouth
from lipfake_jax.evaluation.known_masks import fake_cells, fake_frames, to_cells
from lipfake_jax.inference.occlusion import GRID

RNG = np.random.default_rng(0)
CLIP, OTHER = RNG.integers(0, 256, (2, 8, 48, 48, 3), np.uint8)


def test_a_patch_changes_the_cells_that_it_covers_and_none_that_it_does_not_touch():
  for seed in range(5):
    faked, truth = fake_cells(CLIP, OTHER, np.random.default_rng(seed))
    changed = (faked != CLIP).any((0, 3)).reshape(GRID, 8, GRID, 8).mean((1, 3)).ravel()
    assert 0.03 < truth.mean() < 0.3  # a disc of .15 to .25 of the side is .07 to .2 of the crop
    assert changed[truth].min() > 0.3
    assert (changed == 0).any()


def test_patches_lie_anywhere():
  truths = [fake_cells(CLIP, OTHER, np.random.default_rng(seed))[1] for seed in range(40)]
  assert np.any(truths, axis=0).mean() > 0.7  # not in the corners: a disc lies within the crop


def test_a_stretch_changes_a_quarter_of_the_frames():
  for seed in range(5):
    faked, truth = fake_frames(CLIP, OTHER, np.random.default_rng(seed))
    assert truth.sum() == 2
    assert np.diff(np.flatnonzero(truth)).tolist() == [1]
    np.testing.assert_array_equal(faked[~truth], CLIP[~truth])


def test_cells_are_covered_by_half():
  mask = np.zeros((48, 48), np.float32)
  mask[:8, :12] = 1  # the first cell, and half of the second
  mask[8:11] = 1  # under half of a row
  assert to_cells(mask).nonzero()[0].tolist() == [0, 1]


def test_the_mask_of_a_demo_fake_is_where_it_differs():
  """A head that keeps still, its mouth at (48, 60), 20 pixels to a corner."""
  frames = RNG.integers(0, 256, (12, 96, 96, 3), np.uint8)
  poses = np.tile(np.float32([48, 60, 20, 0]), (12, 1))
  changed = (fake_mouth(frames, poses, 'resynth', RNG) != frames).any((0, 3))
  mask = mask_mouth(poses[0], 96)
  assert not changed[mask == 0].any()
  assert changed[mask > 0.02].all()  # less is under half a gray level of most pixels
