"""Frames of a mouth side by side, as JPEG.

In: crops in time order. Out: the bytes of a picture. Next stage: pages show it.
"""

import cv2
import numpy as np

FRAMES = 10  # of a strip
GAP = 2  # pixels between them
QUALITY = 85  # of the JPEG


def encode_strip(crops: np.ndarray, side: int = 0) -> bytes:
  """Evenly spaced ones of some crops, RGB uint8 [T, S, S, 3], each `side` pixels wide; 0 leaves them as they are."""
  chosen = crops[np.linspace(0, len(crops) - 1, min(FRAMES, len(crops))).round().astype(int)]
  if side:
    way = cv2.INTER_AREA if side < chosen.shape[1] else cv2.INTER_LINEAR
    chosen = np.stack([cv2.resize(crop, (side, side), interpolation=way) for crop in chosen])
  framed = np.pad(chosen, ((0, 0), (0, 0), (0, GAP), (0, 0)), constant_values=255)
  strip = np.concatenate(list(framed), axis=1)[:, :-GAP]
  _, encoded = cv2.imencode('.jpg', cv2.cvtColor(strip, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
  return encoded.tobytes()
