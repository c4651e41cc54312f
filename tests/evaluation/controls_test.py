"""Controls in time: the motion is taken away from clips."""

import jax.numpy as jnp
import numpy as np
import pytest

from lipfake_jax.data.dataset import DataChoice, open_split
from lipfake_jax.evaluation import controls
from lipfake_jax.evaluation.controls import hold_frame, shuffle_frames
from lipfake_jax.inference.split_scores import score_clips
from lipfake_jax.models import create_model
from lipfake_jax.scoring.scores import video_scores
from tests.models.model_checks import random_variables

CLIPS = np.random.default_rng(0).integers(0, 256, (3, 8, 4, 4, 3), np.uint8)


def test_shuffled_clips_have_the_same_frames_in_an_order_of_their_own():
  orders = []
  for clip in CLIPS:
    shuffled = shuffle_frames(clip)
    orders.append(tuple(int(np.flatnonzero((clip == frame).all(axis=(1, 2, 3)))[0]) for frame in shuffled))
    assert sorted(orders[-1]) == list(range(8))
    np.testing.assert_array_equal(shuffle_frames(clip.copy()), shuffled)  # whenever and wherever it comes
  assert len({*orders, tuple(range(8))}) == 4
  assert (shuffle_frames(CLIPS[0], seed=1) != shuffle_frames(CLIPS[0])).any()


def test_a_held_frame_is_the_middle_one():
  np.testing.assert_array_equal(hold_frame(CLIPS[0]), [CLIPS[0, 4]] * 8)


@pytest.mark.parametrize('feature', ['clip', 'lips'])
def test_a_detector_of_motion_loses_by_a_frame_that_stands_still_and_one_of_rhythm_by_any_order(tiny_data, feature):
  """Fakes of these clips flicker, pixels and lips: every frame differs from the one before. Shuffled they still move,
  but two that are alike come together, unless the order alternates as well, which one in ten does."""
  split = open_split(DataChoice('tiny_clips', 'tiny'), 'test', tiny_data, feature=feature)

  def changes(clips):
    """[B, T - 1]: how much each frame differs from the one before."""
    steps = np.abs(np.diff(clips / np.float32(255 if split.feature == 'clip' else 1), axis=1))
    return steps.mean(axis=tuple(range(2, steps.ndim)))

  def measure(score):
    plain = video_scores(score_clips(score, split, 4), split, 'mean')
    return controls.run_controls(score, split, plain, 0.5, 4, 'mean')

  nothing, all_of_it = (0, (0, 0)), (0.5, (0.5, 0.5))
  motion, rhythm = measure(lambda clips: changes(clips).mean(1)), measure(lambda clips: changes(clips).min(1))
  assert motion['run']['auc'] == rhythm['run']['auc'] == 1
  assert (motion['shuffled']['auc'], motion['shuffled']['auc_loss']) == (1, nothing)
  assert (rhythm['shuffled']['auc'], rhythm['shuffled']['auc_loss']) == (0.5, all_of_it)
  for found in (motion, rhythm):
    assert (found['single_frame']['auc'], found['single_frame']['auc_loss']) == (0.5, all_of_it)


def test_a_model_without_time_does_not_see_the_order(tiny_data):
  """1e-6: scores of frames are added in another order."""
  split = open_split(DataChoice('tiny_clips', 'tiny'), 'test', tiny_data)
  model = create_model('cnn5_frames', {'filters': (4, 8), 'hidden': 8})
  variables = random_variables(model, jnp.zeros((1, *split.clip_shape)))
  score = lambda clips: np.asarray(model.apply(variables, clips / np.float32(255)))  # noqa: E731
  plain, shuffled, held = (
    video_scores(score_clips(lambda clips, c=change: score(np.stack([c(x) for x in clips])), split, 4), split, 'mean')
    for change in (np.asarray, shuffle_frames, hold_frame)
  )
  assert plain.p_fake.std() > 1e-3
  np.testing.assert_allclose(shuffled.p_fake, plain.p_fake, rtol=1e-6)
  assert np.abs(held.p_fake - plain.p_fake).max() > 1e-3
  found = controls.run_controls(score, split, plain, 0.5, 4, 'mean')
  assert found['shuffled']['auc_loss'] == (0, (0, 0))
