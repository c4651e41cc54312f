"""Faces and their landmarks in one frame: MediaPipe's face detector and Face Mesh.

In: a frame. Out: where its faces are, and 468 points of each in pixels. Next stage: `tracks` follows them.

The mesh model is MediaPipe's own file, with MediaPipe's way of framing a face for it; LiteRT runs it, on one thread, in
little more than half the time that MediaPipe's graph takes, and any number of faces can be asked for, each where it is
expected.
"""

import contextlib
import dataclasses
import importlib.util
import os
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from lipfake_jax.clips.placement import cut, to_points
from lipfake_jax.clips.video import Frame

N_LANDMARKS = 468

# From MediaPipe's graph face_landmark_front_cpu (mediapipe/modules/face_landmark).
MESH_SIDE = 192  # pixels of the mesh model's input
ROOM = 1.5  # side of the square that the model sees, over the longer side of the face's bounding box
MIN_CONFIDENCE = 0.5  # of a detection, and of the mesh that there is a face at all
SURE = 0.99  # of the mesh: 1,820 of 1,824 looks at real faces, upright, had more; 387 of them upside down, and 17 lying
EYES = (33, 263)  # outer corners, which the square is turned by

DETECTOR_SIDE = 320  # longer side of the image that is searched; the model's own input has 128


class FaceModels(NamedTuple):
  """The models, loaded.

  Attributes:
    find: Frame -> list of placements, one a face, largest first. Near faces (up to 2 m) are looked for first; where
      there is none, far ones and those in profile, which takes three times as long.
    mesh: (Frame, placement) -> (float32 [468, 2] landmarks in pixels, confidence from 0 to 1 that they are a face's).
  """

  find: Callable[[Frame], list[np.ndarray]]
  mesh: Callable[[Frame, np.ndarray], tuple[np.ndarray, float]]


@contextlib.contextmanager
def open_face_models() -> Iterator[FaceModels]:
  """Loads the face detectors and the mesh. Points of a face that the border cuts may lie outside of the frame."""
  with quiet_stderr():
    detection = _import_mediapipe().solutions.face_detection
    near, far = (detection.FaceDetection(MIN_CONFIDENCE, model_selection=reach) for reach in (0, 1))
    for detector in (near, far):
      detector.process(np.zeros((64, 64, 3), np.uint8))  # its threads start, and log, in the first call
    run_mesh = _load_mesh()
  try:
    yield FaceModels(
      lambda frame: _find(near, frame) or _find(far, frame),
      lambda frame, placement: _mesh(run_mesh, frame, placement),
    )
  finally:
    near.close()
    far.close()


@contextlib.contextmanager
def open_attention_mesh() -> Iterator[Callable[[np.ndarray], np.ndarray | None]]:
  """Loads MediaPipe's attention mesh, which places the lips on the edges that a picture has.

  Yields a function from RGB uint8 [S, S, 3], one face with some room about it, to its landmarks, float32 [478, 2] in
  pixels, or None where there is no face. Each look is by itself. Its custom operators run in MediaPipe's graph alone.
  """
  with quiet_stderr():
    graph = _import_mediapipe().solutions.face_mesh.FaceMesh(
      static_image_mode=True, max_num_faces=1, refine_landmarks=True, min_detection_confidence=MIN_CONFIDENCE
    )
    graph.process(np.zeros((64, 64, 3), np.uint8))  # its threads start, and log, in the first call

  def look(rgb: np.ndarray) -> np.ndarray | None:
    with quiet_stderr():
      faces = graph.process(rgb).multi_face_landmarks
    if not faces:
      return None
    return np.array([(point.x, point.y) for point in faces[0].landmark], np.float32) * rgb.shape[0]

  with contextlib.closing(graph):
    yield look


def mesh_upright(models: FaceModels, frame: Frame, placement: np.ndarray) -> tuple[np.ndarray, float]:
  """The mesh of a face that was just found, whichever way up it is, framed by the mesh itself as all later ones are.

  A detector says where the eyes are, and of a face upside down takes the mouth for them. So the mesh is made the other
  way up, too, and from both sides where neither is sure. Another way than the detector's counts only where it
  is sure and surer. On six frames each of 304 real videos the right way was the surest in all; in 72 of them turned by
  180 degrees the detector's own way was right in none, and the surest one in 70.
  """

  def look(turn: complex) -> tuple[np.ndarray, float]:
    landmarks, first = models.mesh(frame, placement * (1, turn))
    landmarks, again = models.mesh(frame, frame_face(landmarks))
    return landmarks, min(first, again)

  ways = [look(1), look(-1)]
  if max(confidence for _, confidence in ways) < SURE:
    ways += [look(1j), look(-1j)]
  surest = max(ways, key=lambda way: way[1])  # of equals the detector's own
  return surest if surest[1] > SURE else ways[0]


def find_turned(models: FaceModels, frame: Frame) -> list[np.ndarray]:
  """Faces that the detector finds only after quarter turns of the frame: placements as of `FaceModels.find`."""
  height, width = frame.luma.shape
  # Where a turned frame's corner (0, 0) lies in the frame itself, by quarter turns counter-clockwise.
  corners = {2: complex(width, height), 1: complex(width, 0), 3: complex(0, height)}
  for turns, corner in corners.items():
    y, u, v = (np.ascontiguousarray(np.rot90(plane, turns)) for plane in frame.planes)
    found = models.find(dataclasses.replace(frame, planes=(y, u, v)))
    if found:
      return [placement * 1j**turns + (corner, 0) for placement in found]
  return []


def frame_face(landmarks: np.ndarray) -> np.ndarray:
  """The placement for `FaceModels.mesh` around known landmarks, float [468, 2]."""
  points = landmarks.astype(np.float64)
  right, left = points[EYES[0]], points[EYES[1]]
  return _square(points.min(axis=0), points.max(axis=0), complex(*(left - right)))


def _square(low: np.ndarray, high: np.ndarray, eye_line: complex) -> np.ndarray:
  half = max(float((high - low).max()), 1.0) * ROOM / 2
  turn = eye_line / abs(eye_line) if eye_line else 1
  return np.array([complex(*((low + high) / 2)), half * turn])


def _find(detector: Any, frame: Frame) -> list[np.ndarray]:
  height, width = frame.luma.shape
  scale = DETECTOR_SIDE / max(height, width)
  size = (max(1, round(width * scale)), max(1, round(height * scale)))
  planes = [cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in frame.planes]
  found = detector.process(cv2.transform(cv2.merge(planes), frame.to_rgb)).detections or []
  placements = [_frame_detection(face.location_data, width, height) for face in found]
  return sorted(placements, key=lambda placement: -abs(placement[1]))


def _frame_detection(location: Any, width: int, height: int) -> np.ndarray:
  box, (right, left) = location.relative_bounding_box, location.relative_keypoints[:2]
  low = np.array([box.xmin * width, box.ymin * height])
  high = low + np.array([box.width * width, box.height * height])
  return _square(low, high, complex((left.x - right.x) * width, (left.y - right.y) * height))


def _mesh(run: Callable, frame: Frame, placement: np.ndarray) -> tuple[np.ndarray, float]:
  points, logit = run(cut(frame, placement, MESH_SIDE, average=False))
  landmarks = to_points(placement, points / (MESH_SIDE / 2) - 1)
  return landmarks.astype(np.float32), float(1 / (1 + np.exp(-logit)))


def _load_mesh() -> Callable[[np.ndarray], tuple[np.ndarray, float]]:
  """A function from RGB uint8 [192, 192, 3] to float32 [468, 2] in its pixels, and the logit of there being a face."""
  from ai_edge_litert.interpreter import Interpreter

  [package] = importlib.util.find_spec('mediapipe').submodule_search_locations  # type: ignore[union-attr, misc]
  model = Path(package) / 'modules' / 'face_landmark' / 'face_landmark.tflite'
  interpreter = Interpreter(model_path=str(model), num_threads=1)
  interpreter.allocate_tensors()
  entry = interpreter.get_input_details()[0]['index']
  points, face = (output['index'] for output in interpreter.get_output_details())

  def run(rgb: np.ndarray) -> tuple[np.ndarray, float]:
    np.multiply(rgb, np.float32(1 / 255), out=interpreter.tensor(entry)()[0])
    interpreter.invoke()
    mesh = interpreter.get_tensor(points).reshape(N_LANDMARKS, 3)  # x, y, depth
    return mesh[:, :2], float(interpreter.get_tensor(face).ravel()[0])

  return run


def _import_mediapipe():
  """MediaPipe without TensorFlow and Matplotlib, which it would load only for helpers that are not called (11 s).

  Nor its tasks, which are more than half of the rest: what is used here is older than they are.
  """
  absent: dict[str, types.ModuleType | None] = {'tensorflow': None}  # documented: makes the import raise ImportError
  unused = ('matplotlib', 'matplotlib.pyplot', 'mediapipe.tasks', 'mediapipe.tasks.python')
  absent |= {name: types.ModuleType(name) for name in unused}
  blocked = {name: module for name, module in absent.items() if name not in sys.modules}
  sys.modules.update(blocked)  # type: ignore[arg-type]
  try:
    import mediapipe
  finally:
    for name in blocked:
      del sys.modules[name]
  return mediapipe


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
  """Hides what the C++ side writes to file descriptor 2 as it starts and at its first face: notes, no errors."""
  sys.stderr.flush()
  saved = os.dup(2)
  try:
    with open(os.devnull, 'wb') as null:
      os.dup2(null.fileno(), 2)
      yield
  finally:
    os.dup2(saved, 2)
    os.close(saved)
