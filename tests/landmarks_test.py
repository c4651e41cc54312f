import numpy as np

from lipfake_jax.landmarks import N_LANDMARKS, has_face, open_face_mesh


def test_landmarks_lie_on_the_face(portrait):
  with open_face_mesh(static=True) as detect:
    points = detect(portrait)
  assert points.shape == (N_LANDMARKS, 2)
  assert points.dtype == np.float32
  # Measured by eye in the photograph: mouth corners, tip of the chin. The mesh is good to a few pixels.
  np.testing.assert_allclose(points[61], (232, 277), atol=6)
  np.testing.assert_allclose(points[291], (305, 274), atol=6)
  np.testing.assert_allclose(points[152], (271, 333), atol=8)


def test_no_face_is_nan(portrait):
  noise = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)
  with open_face_mesh() as detect:
    track = np.stack([detect(noise), detect(portrait), detect(noise)])
  assert has_face(track).tolist() == [False, True, False]
  assert np.isnan(track[0]).all()


def test_a_turned_view_of_an_array_is_accepted(portrait):
  with open_face_mesh(static=True) as detect:
    assert has_face(detect(np.rot90(np.rot90(portrait, 1), 3)))
