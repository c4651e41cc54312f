"""What carries a score, as a picture: frames with heat on them, or landmarks with colours, and a bar a frame.

In: an `Explanation` and its clip. Out: JPEG. Red speaks for a fake, blue against it; the strongest of a picture is as
strong as its colours get. Next stages: `detect_page`, `lipfake explain`.
"""

import cv2
import numpy as np

from lipfake_jax.clips.clips import Clip
from lipfake_jax.inference.explain import CELLS, FRAMES, LANDMARKS, Explanation, explain_clip
from lipfake_jax.inference.occlusion import GRID
from lipfake_jax.inference.run import Run
from lipfake_jax.report.explain_words import explain_maps, explain_trust
from lipfake_jax.report.strip import GAP, encode_picture, join_frames, space_frames

SIDE = 128  # pixels of a frame
OPACITY = 0.6  # of the strongest heat
BARS = 48  # pixels of the bars' height
PLOT = 320  # pixels of the landmarks' height
LUMA = np.array((0.299, 0.587, 0.114), np.float32)  # BT.601
RED, BLUE, GRAY = np.array([(200, 20, 30), (20, 70, 200), (150, 155, 160)], np.float32)


def explain_window(run: Run, clip: Clip) -> tuple[bytes, list[str]]:
  """A picture of what carries the score of a window, empty where no map passed its tests, and sentences on it."""
  explanation = explain_clip(run, clip.features)
  words = [*explain_maps(clip, explanation, run.meta['clip']['region']), *explain_trust(explanation)]
  return (draw_heat(clip, explanation) if explanation.maps else b''), words


def draw_heat(clip: Clip, explanation: Explanation) -> bytes:
  """Whatever of cells, landmarks and frames the explanation has, one below the other; the plain frames come first."""
  maps, frames = explanation.maps, space_frames(clip.frames, SIDE)
  rows = [join_frames(frames)]
  width = rows[0].shape[1]
  if CELLS in maps:
    rows.append(join_frames(lay_heat(frames, maps[CELLS])))
  if LANDMARKS in maps:
    rows.append(plot_landmarks(clip.features['lips'], maps[LANDMARKS], width))
  if FRAMES in maps:
    rows.append(draw_bars(maps[FRAMES], width))
  gap = np.full((GAP, width, 3), 255, np.uint8)
  return encode_picture(np.concatenate([part for row in rows for part in (row, gap)][:-1]))


def lay_heat(frames: np.ndarray, cells: np.ndarray) -> np.ndarray:
  """Frames, RGB uint8 [T, S, S, 3], in gray, since lips are red, under the heat of their cells, float [G * G]."""
  side = frames.shape[1]
  values = cv2.resize(normalise(cells).reshape(GRID, GRID), (side, side), interpolation=cv2.INTER_LINEAR)[..., None]
  shade = OPACITY * np.abs(values)
  return np.rint((frames @ LUMA)[..., None] * (1 - shade) + shade * np.where(values > 0, RED, BLUE)).astype(np.uint8)


def plot_landmarks(lips: np.ndarray, values: np.ndarray, width: int) -> np.ndarray:
  """The mean place of each landmark, float32 [T, K, 2], as a dot in its colour: uint8 [PLOT, width, 3]."""
  canvas = np.full((PLOT, width, 3), 255, np.uint8)
  points = lips.mean(0) - lips.mean((0, 1))
  scale = 0.45 * min(PLOT, width) / np.abs(points).max()
  for (x, y), value in zip(points * scale, normalise(values), strict=True):
    colour = GRAY + abs(float(value)) * ((RED if value > 0 else BLUE) - GRAY)
    centre = (round(width / 2 + x), round(PLOT / 2 + y))
    cv2.circle(canvas, centre, 4 + round(4 * abs(float(value))), tuple(map(float, colour)), -1, cv2.LINE_AA)
  return canvas


def draw_bars(values: np.ndarray, width: int) -> np.ndarray:
  """A bar a frame in time order, upwards for a fake and downwards against it: uint8 [BARS, width, 3]."""
  canvas, middle = np.full((BARS, width, 3), 255, np.uint8), BARS // 2
  edges = np.linspace(0, width, len(values) + 1).round().astype(int)
  for value, left, right in zip(normalise(values), edges[:-1], edges[1:], strict=True):
    height = round(abs(float(value)) * (middle - 1))
    top, bottom = (middle - height, middle) if value > 0 else (middle, middle + height)
    canvas[top:bottom, left : max(right - GAP, left + 1)] = RED if value > 0 else BLUE
  canvas[middle] = GRAY
  return canvas


def normalise(values: np.ndarray) -> np.ndarray:
  """float32 from -1 to 1, the strongest of which is 1 or -1; zeros stay."""
  return (values / max(np.abs(values).max(), 1e-12)).astype(np.float32)
