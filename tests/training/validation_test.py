"""Validation data scored as it is, and augmented."""

import numpy as np
import pytest

from configs import default
from lipfake_jax.data.batches import read_batch
from lipfake_jax.data.dataset import DataChoice, open_split
from lipfake_jax.inference.split_scores import score_clips
from lipfake_jax.scoring.scores import video_scores
from lipfake_jax.training.validation import open_scorer


def brightness(variables, clips, train):
  """A model that sees how bright a clip is. An axis at a time: thousands of float32 in one sum lose a digit."""
  return 10 * (clips.mean(axis=4).mean(axis=3).mean(axis=2).mean(axis=1) - 0.5)


@pytest.fixture(scope='module')
def split(tiny_data):
  return open_split(DataChoice('tiny_clips', 'tiny'), 'validation', tiny_data)


def score(split, epoch=1, batch_size=4, **fields):
  config = default.get_config()
  config.augment.update(fields)
  config.eval.batch_size = batch_size
  return open_scorer(brightness, config)({}, split, epoch).p_fake


def test_as_it_is(split):
  means = read_batch(split, np.arange(10))['clip'].mean(axis=(1, 2, 3, 4)) / 255
  np.testing.assert_allclose(score(split), 1 / (1 + np.exp(-10 * (means - 0.5))), rtol=1e-5)


def test_augmented_each_epoch_draws_anew_unless_frozen(split):
  plain, first, second = score(split), *(score(split, epoch, validation=True) for epoch in (1, 2))
  assert (np.abs(first - plain) > 1e-5).all()
  assert (np.abs(first - second) > 1e-5).all()
  frozen = [score(split, epoch, validation=True, frozen=True) for epoch in (1, 2)]
  assert (np.abs(frozen[0] - plain) > 1e-5).all()
  np.testing.assert_array_equal(*frozen)


def test_a_draw_is_of_the_clip_not_of_its_batch(split):
  """10 clips in batches of 4, the last of which is padded, and in one of 10."""
  np.testing.assert_allclose(score(split, validation=True), score(split, batch_size=10, validation=True), rtol=1e-6)


def test_other_data_is_scored_without(split):
  """What a run is tested on."""
  logits = score_clips(lambda clips: np.asarray(brightness({}, clips / 255.0, False)), split, 4)
  scores = video_scores(logits, split, 'mean')
  np.testing.assert_allclose(scores.p_fake, score(split), rtol=1e-5)
