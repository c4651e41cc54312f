"""One score a video, of the scores of its frames and clips.

In: logits of a video. Out: its probability of being fake. The rule is part of a run's config and goes with its weights.
"""

from collections.abc import Callable

import numpy as np

from lipfake_jax.core.errors import UserError

TOP_SHARE = 0.1  # of the scores, for 'top_k'


def aggregate(logits: np.ndarray, rule: str) -> float:
  """One probability of all scores of a video. Of one score, every rule gives its probability.

  Args:
    logits: [N], positive for fake.
    rule: a key of RULES.

  Raises:
    UserError: an unknown rule.
  """
  check_rule(rule)
  return float(RULES[rule](np.asarray(logits, np.float64)))


def check_rule(rule: str) -> None:
  """Raises UserError unless the rule is known."""
  if rule not in RULES:
    raise UserError(f'model.aggregation={rule!r}: choose one of {", ".join(RULES)}')


def probability(logits: np.ndarray) -> np.ndarray:
  """In double precision, where a sure logit keeps its rank: float32 would round it to 1."""
  return 1 / (1 + np.exp(-logits))


def _top_k(logits: np.ndarray) -> np.ndarray:
  """Mean probability of the tenth of the scores that look most fake, at least one."""
  return np.sort(probability(logits))[-max(1, round(TOP_SHARE * len(logits))) :].mean()


def _confident(logits: np.ndarray) -> np.ndarray:
  """Mean over the sure scores where they agree, else over all: over those above .8 if they are more than 11 and more
  than two in five; over those below .2 if they are more than nine in ten. The numbers are those of the winner of the
  Deepfake Detection Challenge (Seferbekov 2020)."""
  p = probability(logits)
  fake, real = p[p > 0.8], p[p < 0.2]
  if len(fake) > max(11, len(p) // 2.5):
    return fake.mean()
  return real.mean() if len(real) > 0.9 * len(p) else p.mean()


RULES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
  'mean': lambda logits: probability(logits).mean(),
  'mean_logit': lambda logits: probability(logits.mean()),
  'any': lambda logits: probability(logits.max()),  # fake if one is: false alarms grow with the number of scores
  'top_k': _top_k,
  'confident': _confident,
}
