"""Activity: how much an image moved since the frame before it, by Farneback's dense optical flow.

In: two gray images of one size. Out: one number, in pixels of the measured image per frame. Next stage: `selection`.
"""

import cv2
import numpy as np

# pyr_scale, levels, winsize, iterations, poly_n, poly_sigma, flags of the paper's released code.
FARNEBACK = (0.5, 3, 15, 3, 5, 1.2, 0)


def to_gray(rgb: np.ndarray) -> np.ndarray:
  """Luma of an RGB image: uint8 [H, W, 3] -> uint8 [H, W]."""
  return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)


def flow_activity(previous: np.ndarray, current: np.ndarray) -> float:
  """Mean flow magnitude over all pixels, M = sqrt(u^2 + v^2) (PAPER section 3.3).

  Args:
    previous: uint8 [H, W], the gray image one frame earlier.
    current: uint8 [H, W].

  Returns:
    Pixels per frame, >= 0, in pixels of these images.
  """
  flow = cv2.calcOpticalFlowFarneback(previous, current, None, *FARNEBACK)  # type: ignore[call-overload]  # None: new
  return float(np.hypot(flow[..., 0], flow[..., 1]).mean())
