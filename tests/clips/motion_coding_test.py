"""What the codec is seen to do with drawn images."""

import numpy as np
import pytest

from lipfake_jax.clips.features.codec_motion import MAX_FRAMES
from lipfake_jax.clips.motion_coding import ENCODER, SIDE, encode, measure_motion, read_motions
from lipfake_jax.clips.motion_statistics import INTRA, PREDICTED, SKIPPED

COUNT = 8
LIPS = np.tile([96 + 96j, 40], (COUNT, 1))
FOLLOW = np.ones(COUNT, bool)


def texture(seed, side=SIDE):
  """Smooth noise, uint8 [side, side]: every place is like no other near it."""
  coarse = np.random.default_rng(seed).integers(40, 216, (side // 6, side // 6))
  return np.kron(coarse, np.ones((6, 6))).astype(np.uint8)


def moving_square(step: complex) -> list[np.ndarray]:
  """A square of 48 pixels that goes by `step` pixels a frame over a texture that stands."""
  images = [texture(0) for _ in range(COUNT)]
  for number, image in enumerate(images):
    x, y = 64 + int(step.real) * number, 64 + int(step.imag) * number
    image[y : y + 48, x : x + 48] = texture(1, 48)
  return images


@pytest.mark.parametrize(('step', 'length', 'direction'), [(2, 3, 0), (3j, 4, 2), (-1, 2, 4), (-2 - 2j, 4, 5)])
def test_a_moving_square_has_vectors_of_its_speed_and_direction(step, length, direction):
  """Classes of length: up to 1 pixel is the third, up to 2 the fourth, up to 4 the fifth; directions as a clock."""
  motions = read_motions(encode(moving_square(step)))
  moves = np.concatenate([motion.moves for motion in motions])
  areas = np.concatenate([motion.areas for motion in motions])
  assert areas[np.abs(moves - step) < 0.01].sum() > 0.8 * areas[moves != 0].sum()
  image, lips = measure_motion(moving_square(step), LIPS, FOLLOW)[:34].reshape(2, 17)
  for shares in (image, lips):
    assert shares[3 + length] > 0.8 * shares[4:9].sum() > 0
    assert shares[9 + direction] > 0.8
  assert image[3] > 0.9  # most of the image stands: the square has 6 % of its pixels, and 36 % of the lips'
  assert 1 - lips[3] > 3 * (1 - image[3])


def test_a_still_video_is_skipped_everywhere():
  mean, deviation = measure_motion([texture(0)] * COUNT, LIPS, FOLLOW).reshape(2, 2, 17)
  assert mean.tolist() == [[0, 0, 1, 1, *[0] * 13]] * 2  # all blocks skipped, all vectors zero
  assert (deviation == 0).all()


def test_a_cut_is_intra():
  images = [texture(0)] * 4 + [np.random.default_rng(1).integers(0, 256, (SIDE, SIDE)).astype(np.uint8)] * 4
  kinds = np.array([motion.kinds for motion in read_motions(encode(images))])
  assert kinds.shape == (8, 12, 12)
  assert (kinds[0] == INTRA).all()
  assert (kinds[[1, 2, 3, 6, 7]] == SKIPPED).mean() > 0.95
  assert (kinds[4] == INTRA).mean() > 0.8


def test_brightness_that_drifts_is_predicted_and_does_not_move():
  """A ramp brightens by more than the quantiser forgives: residuals, but no vector is needed."""
  images = [np.clip(texture(0) * 0.5 + 12 * i, 0, 255).astype(np.uint8) for i in range(COUNT)]
  kinds = np.array([motion.kinds for motion in read_motions(encode(images))])[1:]
  assert (kinds == SKIPPED).mean() < 0.2
  assert (kinds == PREDICTED).mean() > 0.5


def test_frames_that_follow_none_do_not_count():
  """Two still shots and the cut between them: without the cut's frame nothing ever moves."""
  images = [texture(0)] * 4 + [texture(2)] * 4
  follows = np.arange(COUNT) != 4
  assert measure_motion(images, LIPS, FOLLOW)[2] < 1
  assert measure_motion(images, LIPS, follows)[2] == 1
  assert (measure_motion(images, LIPS, ~FOLLOW) == 0).all()
  assert (measure_motion(images[:1], LIPS[:1], FOLLOW[:1]) == 0).all()


def test_the_same_images_give_the_same_bits():
  first, second = ([bytes(packet) for packet in encode(moving_square(2))] for _ in range(2))
  assert first == second
  assert len(first) == COUNT


def test_no_frame_but_the_first_is_whole_however_long_the_video():
  motions = read_motions(encode([texture(0)] * MAX_FRAMES))
  assert [(motion.kinds == INTRA).all() for motion in motions] == [True] + [False] * (MAX_FRAMES - 1)
  assert 'keyint=infinite' in ENCODER['x264-params']
