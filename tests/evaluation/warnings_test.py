"""Each warning where it is due, and silence where it is not."""

import numpy as np
import pytest

from lipfake_jax.evaluation.warnings import find_caveats
from lipfake_jax.scoring.verdict import Decision
from tests.evaluation.evaluation_cases import make_measured, make_split

N = 80
LABELS = np.arange(N) % 2
CALLED = np.where(np.arange(N) % 5 == 0, 1 - LABELS, LABELS)  # a fifth is wrong, as the scores say
GOOD = 0.2 + 0.6 * CALLED + np.random.default_rng(0).normal(0, 0.02, N)
NOT_SHOWN = 'it is not shown to do better than metadata alone'
TRAINED = {'dataset': 'faces', 'datasets': {'faces'}, 'split': 'identity', 'split_seed': 0, 'training': make_split([])}


def caveats(labels=LABELS, p_fake=GOOD, seen=(TRAINED,), name='test', **changes):
  metrics, scores, split = make_measured(labels, p_fake, **changes)
  object.__setattr__(split, 'name', name)
  return find_caveats(metrics, scores, split, seen)


def trained_with(person, dataset='faces'):
  return {**TRAINED, 'training': make_split([0], identity=[person], dataset=[dataset])}


def test_nothing_to_warn_of():
  assert caveats() == []
  assert caveats(seen=[trained_with('somebody else'), trained_with('p3', dataset='another set')]) == []


@pytest.mark.parametrize(
  ('changes', 'expected'),
  [
    ({'name': 'paper_leaky'}, 'paper_leaky has the same people in training and test'),
    ({'name': 'train'}, 'the run has seen videos of faces (train) in training'),
    ({'name': 'all'}, 'the run has seen videos of faces (all) in training'),
    ({'seen': [TRAINED, {**TRAINED, 'split_seed': 1}]}, 'were trained on faces under another split'),
    (
      {'seen': [trained_with('p3')]},
      '2 of the 80 tested clips show people that the run was trained on',
    ),
    ({'seen': [{**TRAINED, 'training': None}]}, 'the training data is not built here'),
    ({'p_fake': 0.5 + GOOD / 2.1}, 'every video is called fake: accuracy is the share of the fake ones'),
    ({'p_fake': GOOD / 2.1}, 'every video is called real'),
    ({'decision': Decision(threshold=np.sort(GOOD)[-3])}, 'lies at the edge of the scores (2.5% are above it)'),
    ({'p_fake': 0.4 + 0.2 * GOOD}, 'are off by 0.24 on average (true ones, of independent videos, by up to 0.'),
    ({'p_fake': GOOD**3}, 'scores are miscalibrated on these videos'),
    ({'labels': LABELS * (np.arange(N) < 50)}, '25 fake videos, fewer than 30: too few to conclude'),
    ({'identity': ['a', 'b'] * (N // 2)}, '2 people, fewer than 10'),
    ({'rejections': [{'label': 'fake', 'reason': 'no_face'}] * 10}, '0.0% of the reals and 20.0% of the fakes have no'),
    ({'p_fake': 0.1 + 0.8 * LABELS}, '40 people without an exception leave room for up to 7% of all people to be one'),
  ],
)
def test_each_is_said(changes, expected):
  found = caveats(**changes)
  assert any(expected in warning for warning in found), found


def test_few_videos_may_be_off_by_chance():
  """Of three scores of .75 two are fakes, and none of one of .25: off by (.25 + .25) / 4 on average, however many."""
  labels, p_fake = [1, 1, 0, 0], [0.75, 0.75, 0.75, 0.25]
  assert not any('no probabilities' in line for line in caveats(labels, p_fake))
  assert any('off by 0.12 on average' in line for line in caveats(labels * 50, p_fake * 50))


def test_one_class_alone_is_no_collapse():
  found = caveats(labels=np.zeros(N, int), p_fake=np.full(N, 0.1))
  assert found == []


def test_one_person_misses_twenty_times_in_a_hundred():
  """The rule of three by hand: with 10 people and none misjudged, .95 of such samples have a share below .26."""
  assert (1 - 0.26) ** 10 < 0.05 < (1 - 0.25) ** 10
  found = caveats(p_fake=0.1 + 0.8 * LABELS, identity=[f'p{i % 10}' for i in range(N)])
  assert any('up to 26% of all people to be one' in warning for warning in found)


@pytest.mark.parametrize(
  ('interval', 'said'),
  [((0.05, 0.3), ''), ((-0.01, 0.3), NOT_SHOWN), ((-0.3, -0.1), 'metadata alone does better'), (None, NOT_SHOWN)],
)
def test_a_run_that_metadata_can_match_is_told(interval, said):
  metrics, scores, split = make_measured(LABELS, GOOD)
  metrics['metadata'] = {'auc': 0.9, 'lead_interval': interval, 'alone': {'fps': 0.5, 'codec': 0.875}}
  found = find_caveats(metrics, scores, split, [TRAINED])
  expected = f'{said} (AUC of metadata 0.900, of this run {metrics["auc"]:.3f}; codec by itself 0.875)'
  assert any(expected in warning for warning in found) == bool(said)
  assert any('metadata' in warning for warning in found) == bool(said)
