import numpy as np
import pytest

from lipfake_jax.core.errors import UserError
from lipfake_jax.scoring.aggregation import RULES, aggregate


def logits(*probabilities):
  p = np.array(probabilities)
  return np.log(p / (1 - p))


@pytest.mark.parametrize('rule', RULES)
def test_one_score_is_what_it_is(rule):
  assert aggregate(logits(0.7), rule) == pytest.approx(0.7)


@pytest.mark.parametrize(
  ('rule', 'expected'),
  [('mean', 0.35), ('mean_logit', 1 / (1 + 9 ** (1 / 4))), ('any', 0.9), ('top_k', 0.9), ('confident', 0.35)],
)
def test_four_scores(rule, expected):
  """Of .1, .1, .3 and .9: the logits are -log 9 twice, -log(7/3) and log 9, about."""
  if rule == 'mean_logit':
    expected = 1 / (1 + np.exp((2 * np.log(9) + np.log(7 / 3) - np.log(9)) / 4))
  assert aggregate(logits(0.1, 0.1, 0.3, 0.9), rule) == pytest.approx(expected)


def test_top_k_is_a_tenth_of_the_scores():
  assert aggregate(logits(*[0.1] * 28, 0.5, 0.7), 'top_k') == pytest.approx((0.1 + 0.5 + 0.7) / 3)


@pytest.mark.parametrize(
  ('scores', 'expected'),
  [
    ([0.9] * 13 + [0.1] * 17, 0.9),  # 13 of 30 are more than two in five
    ([0.9] * 12 + [0.1] * 18, 0.42),  # 12 are not: the mean of all
    ([0.9] * 11 + [0.5] * 9, (9.9 + 4.5) / 20),  # 11 are too few by themselves
    ([0.1] * 28 + [0.9] * 2, 0.1),  # more than nine in ten look real
  ],
)
def test_confident_goes_by_the_sure_scores(scores, expected):
  assert aggregate(logits(*scores), 'confident') == pytest.approx(expected)


def test_sure_logits_keep_their_rank():
  assert aggregate(np.float32([30]), 'mean') < aggregate(np.float32([31]), 'mean')


def test_an_unknown_rule():
  with pytest.raises(UserError, match=r"model.aggregation='median': choose one of mean, mean_logit, any"):
    aggregate(logits(0.5), 'median')
