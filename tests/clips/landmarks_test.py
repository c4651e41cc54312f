import numpy as np
import pytest

from lipfake_jax.clips import landmarks
from lipfake_jax.clips.landmarks import N_LANDMARKS, frame_face
from tests.conftest import to_frame


def landmarks_of(models, rgb):
  """Landmarks of the only face in an image, framed by the mesh itself as when it is tracked, and their confidence."""
  frame = to_frame(rgb)
  [placement] = models.find(frame)
  first, _ = models.mesh(frame, placement)
  return models.mesh(frame, frame_face(first))


def test_landmarks_lie_on_the_face(models, portrait):
  points, confidence = landmarks_of(models, portrait)
  assert points.shape == (N_LANDMARKS, 2)
  assert points.dtype == np.float32
  assert confidence > 0.99
  # Measured by eye in the photograph: mouth corners, tip of the chin. The mesh is good to a few pixels.
  np.testing.assert_allclose(points[61], (232, 277), atol=6)
  np.testing.assert_allclose(points[291], (305, 274), atol=6)
  np.testing.assert_allclose(points[152], (271, 333), atol=8)


def test_they_are_those_of_mediapipe(models, portrait):
  """The same model in MediaPipe's own graph, tracking a still image: one percent of the mouth's 72 pixels.

  The image is square, since MediaPipe turns a tilted face's landmarks in coordinates that a longer side stretches.
  """
  image = np.ascontiguousarray(portrait[:512])
  graph = landmarks._import_mediapipe().solutions.face_mesh.FaceMesh(max_num_faces=1)
  [face] = [graph.process(image) for _ in range(2)][-1].multi_face_landmarks
  graph.close()
  theirs = np.array([(point.x * 512, point.y * 512) for point in face.landmark])
  ours, _ = landmarks_of(models, image)
  assert np.abs(ours - theirs).mean() < 0.7


@pytest.mark.parametrize('turns', [1, 3])
def test_a_lying_face_is_framed_upright(models, portrait, turns):
  """The model is shown every face upright, wherever its eyes say that up is."""
  upright, _ = landmarks_of(models, portrait)
  tilted = np.rot90(portrait, turns)
  frame = to_frame(tilted)
  height, width = portrait.shape[:2]
  expected = np.stack([upright[:, 1], width - upright[:, 0]], 1)
  if turns == 3:
    expected = np.stack([height - upright[:, 1], upright[:, 0]], 1)
  points, confidence = models.mesh(frame, frame_face(expected))
  assert confidence > 0.99
  np.testing.assert_allclose(points, expected, atol=4)  # its bounding box, which frames it, is another one


def test_no_face(models):
  noise = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)
  frame = to_frame(noise)
  assert models.find(frame) == []
  _, confidence = models.mesh(frame, np.array([80 + 60j, 40]))
  assert confidence < 0.5


def test_two_faces_come_largest_first(models, portrait, second_portrait):
  both = np.hstack([second_portrait[:300, 60:400], portrait[100:400]])
  near, far = models.find(to_frame(both))
  assert near[0].real > 340 > far[0].real  # the larger one stands on the right
  assert abs(near[1]) > abs(far[1])


def test_a_far_face_is_found_where_no_near_one_is(models, second_portrait):
  """A face of 90 pixels in a frame of 1800."""
  wide = np.full((1012, 1800, 3), 200, np.uint8)
  wide[300:812, 1000:1512] = second_portrait
  [placement] = models.find(to_frame(wide))
  assert abs(placement[0] - (1225 + 420j)) < 60
