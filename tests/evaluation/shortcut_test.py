"""The control by metadata: planted shortcuts are found and named."""

import numpy as np
import pytest

from lipfake_jax.core.errors import UserError
from lipfake_jax.evaluation import shortcut
from lipfake_jax.evaluation.shortcut import FACTS
from lipfake_jax.scoring.scores import video_scores
from tests.evaluation.evaluation_cases import make_split

LABELS = [0, 1] * 6


def control(train, test):
  """Of a run whose scores tell nothing."""
  return shortcut.metadata_control(train, test, video_scores(np.zeros(len(test)), test, 'mean'))


def p_fake_of(train, test):
  return shortcut.fit_and_score(
    list(shortcut.describe_videos(train, test).values()), train.labels[shortcut._first_clips(train)]
  )


def test_a_fact_that_tells_the_class_is_found_and_named():
  leaky = make_split(LABELS, fps=[25.0, 30.0] * 6)
  found = control(leaky, leaky)
  assert (found['auc'], found['balanced_accuracy']) == (1, 1)
  assert found['alone'] == {**dict.fromkeys(FACTS, 0.5), 'fps': 1}


def test_which_class_has_more_of_it_does_not_matter():
  """Fakes of a lower rate, and fakes listed first."""
  leaky = make_split([1, 0] * 6, fps=[25.0, 30.0] * 6)
  found = control(leaky, make_split([0, 0, 1], fps=[30.0, 29.0, 25.0]))
  assert found['auc'] == 1


def test_facts_that_the_classes_share_tell_nothing():
  """A real and a fake of each kind: every pair of classes ties, or is ranked once so and once so."""
  fps, widths = [value for value in (24.0, 25.0, 30.0) for _ in range(4)], [640, 640, 1280, 1280] * 3
  shared = make_split(LABELS, fps=fps, width=widths)
  assert control(shared, shared)['auc'] == 0.5


def test_facts_that_are_all_the_same_tell_nothing():
  found = control(make_split(LABELS), make_split(LABELS))
  assert (found['auc'], found['balanced_accuracy']) == (0.5, 0.5)


def test_without_both_classes_there_is_no_figure():
  assert control(make_split([1, 1]), make_split(LABELS)) is None
  assert control(make_split(LABELS), make_split([0, 0])) is None


def test_a_codec_that_training_has_not_seen_is_no_codec():
  train = make_split(LABELS, codec=['h264', 'mpeg4'] * 6)
  features = shortcut.describe_videos(train, make_split([0, 1, 1], codec=['h264', 'mpeg4', 'vp9']))
  np.testing.assert_array_equal(features['codec'][1], [[1, 0], [0, 1], [0, 0]])
  p_fake = p_fake_of(train, make_split([0, 1, 1], codec=['h264', 'mpeg4', 'vp9']))
  assert p_fake[0] < p_fake[2] < p_fake[1]


def test_it_is_the_regularised_fit_with_balanced_classes():
  """The map is linear in logarithms, and is found here from the scores alone. Where sum(weight * log loss) + |w|^2 / 2
  is least its gradient is 0, as is that of the intercept. .01: the solver leaves 1e-4 of the mean over 60 videos."""
  rng = np.random.default_rng(0)
  labels = np.array([0] * 15 + [1] * 45)
  facts = {name: np.exp(rng.normal(0.3 * labels, 1 + i)) for i, name in enumerate(FACTS[:-1])}
  split = make_split(labels.tolist(), codec=['h264'] * 60, **{name: fact.tolist() for name, fact in facts.items()})
  p_fake = p_fake_of(split, split)
  logs = np.log(np.maximum(np.stack(list(facts.values()), axis=1), shortcut.FLOOR))
  scaled = (logs - logs.mean(0)) / logs.std(0)
  columns = np.column_stack([scaled, np.ones(60)])  # the codec, one of one, adds to the intercept
  found, residual, *_ = np.linalg.lstsq(columns, np.log(p_fake / (1 - p_fake)), rcond=None)
  assert residual[0] < 1e-12
  weights = np.where(labels == 1, 60 / (2 * 45), 60 / (2 * 15))
  np.testing.assert_allclose(scaled.T @ (weights * (p_fake - labels)), -found[:-1], atol=0.01)
  assert (weights * (p_fake - labels)).sum() == pytest.approx(0, abs=0.01)
  assert np.abs(found[:-1]).max() > 0.1


def test_videos_count_not_clips():
  """The second clips of a video, with other facts, change nothing."""
  once = make_split([0, 1, 0, 1], sharpness=[50.0, 90.0, 60.0, 80.0])
  keys = ['0.mp4', '0.mp4', '1.mp4', '2.mp4', '2.mp4', '3.mp4']
  twice = make_split([0, 0, 1, 0, 0, 1], key=keys, sharpness=[50.0, 9.0, 90.0, 60.0, 1.0, 80.0])
  np.testing.assert_allclose(p_fake_of(twice, twice), p_fake_of(once, once))


def test_a_table_without_a_fact_is_told_with_the_remedy():
  old = make_split(LABELS)
  del old.table['duration']
  with pytest.raises(UserError, match="built without 'duration' in its table: build it again, with --overwrite"):
    control(old, old)


def test_the_lead_of_a_run_is_paired_over_people():
  """Metadata ranks 11 of 12 pairs of a person's videos well; the run all: a lead that most draws of people have."""
  n = 48
  labels = np.arange(n) % 2
  split = make_split(labels, fps=[25.0 + 5 * (label if i % 12 else 1 - label) for i, label in enumerate(labels)])
  logits = 4.0 * labels - 2
  found = shortcut.metadata_control(split, split, video_scores(logits, split, 'mean'))
  assert found['lead'] == pytest.approx(1 - found['auc'])
  assert found['lead_interval'][0] <= found['lead'] <= found['lead_interval'][1]
  none = shortcut.metadata_control(split, split, video_scores(np.zeros(n), split, 'mean'))
  assert none['lead'] == pytest.approx(0.5 - found['auc'])
  assert none['lead_interval'][1] < 0
