import numpy as np
import pytest

from lipfake_jax.regions import LIPS, crop_box, region_box


def landmarks_with(lips):
  """Landmarks whose lips span the given corners; the others spread over 200x300 pixels."""
  points = np.random.default_rng(0).uniform(0, 1, (468, 2)) * (200, 300)
  points[2], points[3] = (0, 0), (200, 300)  # neither is a lip landmark
  points[list(LIPS)] = lips[0]
  points[LIPS[1]] = lips[1]
  return points.astype(np.float32)


def test_lip_box_is_a_square_of_one_and_a_half_mouths():
  # 40 wide, 16 high: centre (120, 208), side 1.5 * 40 = 60.
  box = region_box(landmarks_with([(100, 200), (140, 216)]), 'lips')
  np.testing.assert_allclose(box, (90, 178, 150, 238))


def test_face_box_spans_all_landmarks():
  # 200 x 300 points: side 1.2 * 300 = 360 around (100, 150).
  box = region_box(landmarks_with([(100, 200), (140, 216)]), 'face')
  np.testing.assert_allclose(box, (-80, -30, 280, 330))


def test_unknown_region():
  with pytest.raises(ValueError, match='lips, face'):
    region_box(np.zeros((468, 2), np.float32), 'nose')


def ramp():
  """Red is x, green is y, in pixels: [100, 120, 3]."""
  y, x = np.mgrid[:100, :120]
  return np.stack([x, y, 0 * x], -1).astype(np.uint8)


def test_crop_of_the_same_size_is_a_copy():
  crop = crop_box(ramp(), np.array([10, 20, 42, 52], np.float32), 32)
  np.testing.assert_array_equal(crop, ramp()[20:52, 10:42])


def test_crop_is_shifted_by_fractions_of_a_pixel():
  """Half a pixel to the right reads half-way between neighbours: no rounding that would shake the crop."""
  wide = ramp() * 2
  crop = crop_box(wide, np.array([10.5, 20, 42.5, 52], np.float32), 32)
  np.testing.assert_allclose(crop[:, :, 0], np.tile(2 * np.arange(10, 42) + 1, (32, 1)), atol=1)


def test_a_small_box_is_enlarged_about_pixel_centres():
  """Two crop pixels to a source pixel lie a quarter pixel to either side of its centre."""
  steep = np.repeat((4 * np.arange(60, dtype=np.uint8))[None, :, None], 60, 0).repeat(3, -1)
  crop = crop_box(steep, np.array([10, 10, 42, 42], np.float32), 64)
  np.testing.assert_array_equal(crop[5, :6, 0], [39, 41, 43, 45, 47, 49])


def test_large_box_is_averaged_over_its_pixels():
  """A checkerboard of single pixels becomes gray; sampling every third pixel would keep it black and white."""
  board = ((np.indices((96, 96)).sum(0) % 2) * 255).astype(np.uint8)
  crop = crop_box(np.repeat(board[..., None], 3, -1), np.array([0, 0, 96, 96], np.float32), 24)
  np.testing.assert_allclose(crop, 127.5, atol=2)


def test_outside_of_the_frame_the_border_is_repeated():
  crop = crop_box(ramp(), np.array([-16, 40, 16, 72], np.float32), 32)
  np.testing.assert_array_equal(crop[:, :16, 0], 0)
  np.testing.assert_array_equal(crop[:, 16:, 0], np.tile(np.arange(16), (32, 1)))
