"""Activity: how much an image moved since the frame before it, by Farneback's dense optical flow.

In: two gray images of one size. Out: one number, in pixels of the measured image per frame. Next stage: `selection`.
"""

import cv2
import numpy as np

# pyr_scale, levels, winsize, iterations, poly_n, poly_sigma, flags of the paper's released code.
FARNEBACK = (0.5, 3, 15, 3, 5, 1.2, 0)
# For a first look at half the size, an eighth of the cost: the same window in the picture, fewer rounds.
FARNEBACK_COARSE = (0.5, 1, 7, 2, 5, 1.2, 0)


def to_gray(rgb: np.ndarray) -> np.ndarray:
  """Luma of an RGB image: uint8 [H, W, 3] -> uint8 [H, W]."""
  return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)


def halve(gray: np.ndarray) -> np.ndarray:
  """uint8 [H, W] -> uint8 [H // 2, W // 2], averaged: what `coarse_activity` looks at."""
  return cv2.resize(gray, (gray.shape[1] // 2, gray.shape[0] // 2), interpolation=cv2.INTER_AREA)


def flow_activity(previous: np.ndarray, current: np.ndarray) -> float:
  """Mean flow magnitude over all pixels, M = sqrt(u^2 + v^2) (PAPER section 3.3).

  Args:
    previous: uint8 [H, W], the gray image one frame earlier.
    current: uint8 [H, W].

  Returns:
    Pixels per frame, >= 0, in pixels of these images.
  """
  return _mean_magnitude(previous, current, FARNEBACK)


def coarse_activity(previous: np.ndarray, current: np.ndarray) -> float:
  """An estimate of `flow_activity` from two halved images, in pixels of the full ones.

  On lip crops of 64x64 pixels from 20 videos the two correlate by .966 to .997 within a video.
  """
  return 2 * _mean_magnitude(previous, current, FARNEBACK_COARSE)


def _mean_magnitude(previous: np.ndarray, current: np.ndarray, parameters: tuple) -> float:
  flow = cv2.calcOpticalFlowFarneback(previous, current, None, *parameters)  # type: ignore[call-overload]  # None: new
  return float(cv2.magnitude(flow[..., 0], flow[..., 1]).mean())
