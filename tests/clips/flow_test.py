import cv2
import numpy as np
import pytest

from lipfake_jax.clips.flow import flow_activity, to_gray


def texture(shift=0.0):
  """Smooth noise, moved right by a fraction of a pixel: uint8 [64, 64]."""
  noise = np.random.default_rng(1).uniform(0, 255, (96, 96)).astype(np.float32)
  smooth = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 0, 255, cv2.NORM_MINMAX)
  matrix = np.array([[1, 0, shift - 16], [0, 1, -16]], np.float32)
  return cv2.warpAffine(smooth, matrix, (64, 64)).astype(np.uint8)


@pytest.mark.parametrize('shift', [0.5, 1.0, 2.0])
def test_activity_is_the_shift_in_pixels(shift):
  # Farneback smooths over a window of 15 pixels; on this texture it is good to a tenth.
  assert flow_activity(texture(), texture(shift)) == pytest.approx(shift, rel=0.1)


def test_a_still_image_has_no_activity():
  assert flow_activity(texture(), texture()) == pytest.approx(0, abs=0.01)  # the polynomial fit leaves some 1e-3


def test_gray_is_luma():
  pixel = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
  assert to_gray(pixel).tolist() == [[76, 150, 29]]  # .299, .587, .114 of 255
