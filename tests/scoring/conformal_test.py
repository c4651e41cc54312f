"""Limits between which there is no verdict, by hand and by trial."""

import numpy as np
import pytest

from lipfake_jax.scoring.conformal import Limits, decide_within, fewest_people, fit_limits, fit_lower


def test_limits_by_hand():
  """Nine people a class at 10 %: the limit is the (9 + 1) * .9 = ninth of nine scores, the highest of the reals."""
  scores = np.arange(1, 10) / 20  # .05 to .45
  labels = np.repeat((0, 1), 9)
  limits = fit_limits(labels, np.concatenate([scores, 1 - scores]), [*map(str, range(18))], 0.1)
  assert (limits.real, limits.fake) == pytest.approx((0.45, 0.55))


def test_people_weigh_the_same():
  """Of four people at 25 % the (4 + 1) * .75 = 3.75 must be covered: the one with 90 videos is one of them."""
  scores = np.array([0.1] * 90 + [0.2, 0.3, 0.4] + [0.9] * 4)
  groups = ['a'] * 90 + ['b', 'c', 'd'] + ['e', 'f', 'g', 'h']
  limits = fit_limits(np.repeat((0, 1), (93, 4)), scores, groups, 0.25)
  assert (limits.real, limits.fake) == (0.4, 0.9)


def test_with_too_few_people_nothing_is_sure():
  limits = fit_limits(np.array((0, 0, 1, 1)), np.array((0.1, 0.2, 0.8, 0.9)), [*'abcd'], 0.1)
  assert limits == Limits(0.1, 1.0, 0.0)
  assert {decide_within(score, limits) for score in (0.0, 0.5, 1.0)} == {'inconclusive'}


def test_nine_people_are_enough_for_an_error_of_a_tenth():
  """Of fakes alone, too: with nine the limit is the lowest score, with eight there is none."""
  assert [fewest_people(error) for error in (0.1, 0.2, 0.05)] == [9, 4, 19]
  scores = np.arange(1, 10) / 10
  assert fit_lower(scores, [*map(str, range(9))], 0.1) == 0.1
  assert fit_lower(scores[:8], [*map(str, range(8))], 0.1) == 0


@pytest.mark.parametrize(
  ('score', 'verdict'),
  [(0.1, 'real'), (0.3, 'inconclusive'), (0.5, 'inconclusive'), (0.6, 'inconclusive'), (0.7, 'fake')],
)
def test_between_the_limits_there_is_no_verdict(score, verdict):
  """Classes that overlap: reals reach up to .6, fakes down to .3."""
  assert decide_within(score, Limits(0.1, 0.6, 0.3)) == verdict


def test_a_score_like_neither_class_is_inconclusive():
  """Classes far apart: at .5 no real has scored so high and no fake so low."""
  limits = Limits(0.1, 0.3, 0.7)
  assert [decide_within(score, limits) for score in (0.2, 0.5, 0.8)] == ['real', 'inconclusive', 'fake']


def test_errors_of_new_people_are_as_rare_as_was_asked():
  """Means over 400 draws of 40 people a class with their own leanings; .02 is three standard errors."""
  rng = np.random.default_rng(0)
  wrong = []
  for _ in range(400):
    people = np.repeat(np.arange(80), 2)
    labels = (people >= 40).astype(int)
    leaning = rng.normal(0, 1, 82) + 1.5 * (np.arange(82) >= 40)
    leaning[80] -= 1.5  # the new ones: a real and a fake
    p = 1 / (1 + np.exp(-(leaning[people] + rng.normal(0, 0.5, 160))))
    limits = fit_limits(labels, p, people.astype(str), 0.1)
    new = 1 / (1 + np.exp(-(leaning[80:] + rng.normal(0, 0.5, 2))))
    wrong.append([decide_within(new[0], limits) == 'fake', decide_within(new[1], limits) == 'real'])
  assert (np.mean(wrong, axis=0) < 0.1 + 0.045).all()


def test_one_class_has_no_limits():
  with pytest.raises(ValueError, match='both classes'):
    fit_limits(np.zeros(3), np.zeros(3), [*'abc'], 0.1)
