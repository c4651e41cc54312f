import numpy as np
import pytest

from lipfake_jax.clips.landmarks import _import_mediapipe
from lipfake_jax.clips.placement import to_box
from lipfake_jax.clips.regions import (
  LIP_CORNERS,
  LIP_MIRROR,
  LIP_POINTS,
  LIP_RINGS,
  LIPS,
  MEAN_FACE,
  MOUTH,
  place_region,
  span_mouth,
  trace_lips,
)
from lipfake_jax.training.augment import mirror_lips
from tests.conftest import to_frame


def landmarks_with(lips):
  """Landmarks whose lips span the given corners; the others spread over 200x300 pixels."""
  points = np.random.default_rng(0).uniform(0, 1, (468, 2)) * (200, 300)
  points[3], points[4] = (0, 0), (200, 300)  # neither is a lip landmark
  points[list(LIPS)] = lips[0]
  points[LIPS[1]] = lips[1]
  points[[2, 152]] = (100, 150), (110, 250)  # base of the nose, chin
  return points.astype(np.float32)


FACE = landmarks_with([(100, 200), (140, 216)])


def test_lip_box_is_a_square_of_one_and_a_half_mouths():
  # 40 wide, 16 high: centre (120, 208), side 1.5 * 40 = 60.
  np.testing.assert_allclose(to_box(place_region(FACE, 'lips', 'box')), (90, 178, 150, 238))


def test_lower_face_box_reaches_from_nose_to_chin():
  # x from 100 to 140, y from 150 to 250: side 1.6 * 100 = 160 around (120, 200).
  np.testing.assert_allclose(to_box(place_region(FACE, 'lower_face', 'box')), (40, 120, 200, 280))


def test_face_box_spans_all_landmarks():
  # 200 x 300 points: side 1.2 * 300 = 360 around (100, 150).
  np.testing.assert_allclose(to_box(place_region(FACE, 'face', 'box')), (-80, -30, 280, 330))


def head(scale=80.0, degrees=0.0, middle=300 + 200j, opening=0.0):
  """The mean face with a mouth, scaled (pixels to an eye distance), turned and moved; `opening` drops the lower lip."""
  points = np.zeros(468, complex)
  for index, point in MEAN_FACE.items():
    points[index] = complex(*point)
  points[list(MOUTH)] = -0.4 + 0.95j, 0.4 + 0.95j, 0.87j, 1.1j + 1j * opening
  points = middle + scale * np.exp(1j * np.radians(degrees)) * points
  return np.stack([points.real, points.imag], 1).astype(np.float32)


def test_aligned_lips_turn_and_scale_with_the_head():
  for scale, degrees in ((80, 0), (80, 30), (40, -20)):
    centre, half = place_region(head(scale, degrees), 'lips', 'aligned')
    turn = scale * np.exp(1j * np.radians(degrees))
    # The mouth's middle is (-.4 + .4, .95 + .95 + .87 + 1.1) / 4 = .9675 below the eyes; the side 1.2 eye distances.
    np.testing.assert_allclose(centre, 300 + 200j + 0.9675j * turn, atol=0.01)
    np.testing.assert_allclose(half, 0.6 * turn, atol=0.01)


def test_an_opening_mouth_does_not_scale_an_aligned_crop():
  shut, wide = (place_region(head(opening=o), 'lips', 'aligned') for o in (0, 0.5))
  np.testing.assert_allclose(shut[1], wide[1])
  assert abs(wide[0] - shut[0]) == pytest.approx(80 * 0.5 / 4, abs=0.01)  # its middle moves, which smoothing evens out
  boxed = [place_region(head(opening=o), 'lips', 'box') for o in (0, 0.9)]
  assert abs(boxed[1][1]) > 1.2 * abs(boxed[0][1])


def test_the_lower_face_is_one_and_a_half_eye_distances_wide():
  lips, lower = (place_region(head(), region, 'aligned') for region in ('lips', 'lower_face'))
  assert 2 * abs(lower[1]) == pytest.approx(1.5 * 80, abs=0.01)
  assert (lower[0] - lips[0]) == pytest.approx(80j * (1.176 - 0.957), abs=0.01)


def test_the_aligned_face_does_not_follow_the_mouth():
  np.testing.assert_allclose(*(place_region(head(opening=o), 'face', 'aligned') for o in (0, 0.5)))


def test_the_mouth_spans_its_corners():
  turn = 80 * np.exp(1j * np.radians(30))
  np.testing.assert_allclose(span_mouth(head(degrees=30)), (300 + 200j + 0.95j * turn, 0.4 * turn), atol=0.01)


@pytest.mark.parametrize(('region', 'alignment'), [('nose', 'box'), ('lips', 'straight')])
def test_unknown_names(region, alignment):
  with pytest.raises(ValueError, match='lower_face'):
    place_region(FACE, region, alignment)


def test_lips_are_the_contours_of_the_mesh_and_what_is_about_them():
  """The 40 that MediaPipe names."""
  named = _import_mediapipe().solutions.face_mesh_connections.FACEMESH_LIPS
  assert {*LIP_RINGS[0], *LIP_RINGS[1]} == {point for edge in named for point in edge}
  assert len(set(LIP_POINTS)) == len(LIP_POINTS) == 64
  assert not set(LIP_POINTS) & set(MEAN_FACE)  # what the head is laid over moves by itself


def test_lips_keep_still_while_the_head_moves():
  still = trace_lips(head())
  for scale, degrees, middle in ((80, 30, 300 + 200j), (40, -20, 90 - 50j)):
    np.testing.assert_allclose(trace_lips(head(scale, degrees, middle)), still, atol=1e-5)
  # Corners .4 eye distances to the sides, .95 below the eyes, where the mean face has its mouth at .957.
  np.testing.assert_allclose(still[list(LIP_CORNERS)], (-0.4 - 0.007j, 0.4 - 0.007j), atol=1e-5)


def test_lips_move_by_what_the_mouth_opens():
  """By half an eye distance, whatever the head's turn and size; what does not open does not move."""
  for scale, degrees in ((80, 0), (40, 30)):
    shut, wide = (trace_lips(head(scale, degrees, opening=o)) for o in (0, 0.5))
    moved = np.where(np.array(LIP_POINTS) == 17, 0.5j, 0)
    np.testing.assert_allclose(wide - shut, moved, atol=1e-5)


def test_each_lip_landmark_has_a_mirror_image():
  mirror = np.array(LIP_MIRROR)
  np.testing.assert_array_equal(mirror[mirror], np.arange(64))
  assert mirror[LIP_CORNERS[0]] == LIP_CORNERS[1]
  middle = {LIP_POINTS[i] for i in range(64) if mirror[i] == i}
  assert middle == {0, 17, 13, 14, 164, 18, 200, 199}


def test_the_lips_of_a_mirror_image_are_the_mirrored_lips(models, portrait):
  """On a photograph, where the mesh looks at one side and the other; rings run clockwise as seen."""
  image = portrait[:400]

  def look(rgb):
    frame = to_frame(rgb)
    landmarks, _ = models.mesh(frame, models.find(frame)[0])
    return trace_lips(landmarks).astype(np.complex64).view(np.float32).reshape(-1, 2)

  lips, other = look(image), look(image[:, ::-1])
  gap = np.abs(np.asarray(mirror_lips(lips)) - other).max(axis=1)
  assert np.median(gap) < 0.02  # eye distances, of which the mouth is .8 wide
  assert gap.max() < 0.06
  assert np.median(np.abs(lips - other).max(axis=1)) < 0.2  # a mouth in the middle of a face
  for ring in LIP_RINGS:
    x, y = lips[[LIP_POINTS.index(point) for point in ring]].T
    assert (x * np.roll(y, -1) - y * np.roll(x, -1)).sum() > 0
    assert y[0] < y[len(ring) // 2]
