import numpy as np
import pytest

from lipfake_jax.clips.placement import cut, cut_plane, move_into, to_box, to_points
from lipfake_jax.clips.video import Frame
from tests.conftest import to_frame


def square(left, top, right):
  """The placement of an upright square."""
  half = (right - left) / 2
  return np.array([complex(left + half, top + half), half])


def ramp():
  """x in pixels, [100, 120]; the other way round with .T."""
  return np.mgrid[:100, :120][1].astype(np.uint8)


def test_a_cut_of_the_same_size_is_a_copy():
  np.testing.assert_array_equal(cut_plane(ramp(), square(10, 20, 42), 32), ramp()[20:52, 10:42])


def test_a_cut_is_shifted_by_fractions_of_a_pixel():
  """Half a pixel to the right reads half-way between neighbours: no rounding that would shake the crop."""
  crop = cut_plane(ramp() * 2, square(10.5, 20, 42.5), 32)
  np.testing.assert_allclose(crop, np.tile(2 * np.arange(10, 42) + 1, (32, 1)), atol=1)


def test_a_small_square_is_enlarged_about_pixel_centres():
  """Two crop pixels to a source pixel lie a quarter pixel to either side of its centre."""
  steep = np.tile(4 * np.arange(60, dtype=np.uint8), (60, 1))
  np.testing.assert_array_equal(cut_plane(steep, square(10, 10, 42), 64)[5, :6], [39, 41, 43, 45, 47, 49])


def test_a_large_square_is_averaged_over_its_pixels():
  """A checkerboard of single pixels becomes gray; sampling every third pixel would keep it black and white."""
  board = ((np.indices((96, 96)).sum(0) % 2) * 255).astype(np.uint8)
  np.testing.assert_allclose(cut_plane(board, square(0, 0, 96), 24), 127.5, atol=2)
  assert cut_plane(board, square(0, 0, 72), 24, average=False).std() > 100


def test_outside_of_the_frame_the_border_is_repeated():
  crop = cut_plane(ramp(), square(-16, 40, 16), 32)
  np.testing.assert_array_equal(crop[:, :16], 0)
  np.testing.assert_array_equal(crop[:, 16:], np.tile(np.arange(16), (32, 1)))


@pytest.mark.parametrize(
  ('angle', 'turned'), [(90, lambda a: np.rot90(a)), (180, lambda a: np.rot90(a, 2)), (270, lambda a: np.rot90(a, 3))]
)
def test_a_turned_square_comes_out_upright(angle, turned):
  """The vector to the right side points down for a quarter turn clockwise; what lay there is on the right then."""
  image = np.random.default_rng(0).integers(0, 255, (40, 40), np.uint8)
  placement = np.array([20 + 20j, 20 * np.exp(1j * np.radians(angle))])
  np.testing.assert_array_equal(cut_plane(image, placement, 40), turned(image))


def test_colour_of_half_the_size_lies_where_brightness_does():
  """A red square on gray, its colour stored at half the resolution: the crop shows it in place."""
  rgb = np.full((80, 120, 3), 128, np.uint8)
  rgb[20:40, 40:60] = (200, 40, 40)
  whole = to_frame(rgb)
  small = Frame(
    0, 0.0, (whole.planes[0], *(p[::2, ::2] // 2 + p[1::2, 1::2] // 2 for p in whole.planes[1:])), whole.to_rgb
  )
  for frame, average in ((whole, True), (small, True), (small, False)):
    crop = cut(frame, square(40, 20, 60), 20, average)
    np.testing.assert_allclose(crop[4:-4, 4:-4], np.broadcast_to((200, 40, 40), (12, 12, 3)), atol=4)
    around = cut(frame, square(30, 10, 70), 40, average)
    np.testing.assert_allclose(around[:6, :6], 128, atol=4)


def test_boxes_and_points_of_a_placement():
  placement = np.array([100 + 50j, 20j])  # a quarter turn
  np.testing.assert_allclose(to_box(placement), (80, 30, 120, 70))
  np.testing.assert_allclose(to_points(placement, np.array([[0, 0], [1, 0], [0, 1]])), [(100, 50), (100, 70), (80, 50)])


def test_a_placement_is_seen_from_a_turned_square():
  """A square of side 20 about (50, 50) whose right side points down: what is 5 below its middle lies 5 to the right."""
  square = np.array([50 + 50j, 10j])
  np.testing.assert_allclose(move_into(np.array([50 + 55j, 5j]), square, 40), [30 + 20j, 10])
  np.testing.assert_allclose(move_into(square, square, 40), [20 + 20j, 20])
