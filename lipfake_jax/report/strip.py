"""Frames of a mouth side by side, as JPEG.

In: crops in time order. Out: the bytes of a picture. Next stages: pages show it, `heat` draws on it.
"""

import cv2
import numpy as np

FRAMES = 10  # of a strip
GAP = 2  # pixels between them
QUALITY = 85  # of the JPEG


def encode_strip(crops: np.ndarray, side: int = 0) -> bytes:
  """Evenly spaced ones of some crops, RGB uint8 [T, S, S, 3], each `side` pixels wide; 0 leaves them as they are."""
  return encode_picture(join_frames(space_frames(crops, side)))


def space_frames(crops: np.ndarray, side: int = 0) -> np.ndarray:
  """At most FRAMES of some crops, evenly spaced and resized as in `encode_strip`."""
  chosen = crops[np.linspace(0, len(crops) - 1, min(FRAMES, len(crops))).round().astype(int)]
  if not side:
    return chosen
  way = cv2.INTER_AREA if side < chosen.shape[1] else cv2.INTER_LINEAR
  return np.stack([cv2.resize(crop, (side, side), interpolation=way) for crop in chosen])


def join_frames(crops: np.ndarray) -> np.ndarray:
  """Crops, uint8 [T, S, S, 3], in a row: [S, W, 3]."""
  framed = np.pad(crops, ((0, 0), (0, 0), (0, GAP), (0, 0)), constant_values=255)
  return np.concatenate(list(framed), axis=1)[:, :-GAP]


def encode_picture(picture: np.ndarray) -> bytes:
  """RGB uint8 [H, W, 3] as JPEG."""
  _, encoded = cv2.imencode('.jpg', cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
  return encoded.tobytes()
