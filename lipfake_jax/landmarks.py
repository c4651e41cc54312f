"""Face landmarks of one frame or of a video's frames, by MediaPipe Face Mesh.

In: RGB frames. Out: 468 points a frame in pixels, NaN where there is no face. Next stage: `regions`.
"""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator

import numpy as np

N_LANDMARKS = 468
NO_FACE = np.full((N_LANDMARKS, 2), np.nan, np.float32)

Detector = Callable[[np.ndarray], np.ndarray]


@contextlib.contextmanager
def open_face_mesh(static: bool = False) -> Iterator[Detector]:
  """Opens MediaPipe Face Mesh (its 468-point model, one face).

  Args:
    static: detect the face anew in every frame. Otherwise the mesh is tracked from frame to frame, which is faster
      and steadier, and the frames must be those of one video in order.

  Yields:
    A function from RGB uint8 [H, W, 3] to float32 [468, 2]: (x, y) in pixels of that frame, all NaN without a face.
    Points of a face that the border cuts may lie outside of the frame.
  """
  with _quiet_stderr():
    mesh = _import_mediapipe().solutions.face_mesh.FaceMesh(static_image_mode=static, max_num_faces=1)
    mesh.process(np.zeros((64, 64, 3), np.uint8))  # its threads start, and log, in the first call
  started = False

  def detect(rgb: np.ndarray) -> np.ndarray:
    nonlocal started
    # Each of the graph's models logs when it is first used, which the first face sees through.
    with contextlib.nullcontext() if started else _quiet_stderr():
      faces = mesh.process(np.ascontiguousarray(rgb)).multi_face_landmarks
    if not faces:
      return NO_FACE
    started = True
    height, width = rgb.shape[:2]
    return np.array([(p.x * width, p.y * height) for p in faces[0].landmark], np.float32)

  try:
    yield detect
  finally:
    mesh.close()


def has_face(landmarks: np.ndarray) -> np.ndarray:
  """bool [...]: which of float32 [..., 468, 2] hold a face."""
  return ~np.isnan(landmarks[..., 0, 0])


def _import_mediapipe():
  """MediaPipe without TensorFlow, which it would load only for a helper that nothing here calls (11 s against 1 s)."""
  blocked = 'tensorflow' not in sys.modules
  if blocked:
    sys.modules['tensorflow'] = None  # type: ignore[assignment]  # documented: makes the import raise ImportError
  try:
    import mediapipe
  finally:
    if blocked:
      del sys.modules['tensorflow']
  return mediapipe


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
  """Hides what MediaPipe's C++ side writes to file descriptor 2 while it starts: notes on its delegate, no errors."""
  sys.stderr.flush()
  saved = os.dup(2)
  try:
    with open(os.devnull, 'wb') as null:
      os.dup2(null.fileno(), 2)
      yield
  finally:
    os.dup2(saved, 2)
    os.close(saved)
