"""From a score to a verdict: a threshold and a temperature, both from validation data alone.

In: labels and scores of validation videos. Out: a `Decision`, kept in the run's `decision.json` and applied everywhere.
"""

import dataclasses
import json
from pathlib import Path

import numpy as np

from lipfake_jax.core.errors import UserError
from lipfake_jax.scoring.metrics import roc_curve

FIXED_THRESHOLD = 0.5
RULES = ('fixed', 'balanced_accuracy', 'eer', 'fpr:X')
FILE = 'decision.json'
TEMPERATURES = (0.05, 20.0)


@dataclasses.dataclass(frozen=True)
class Decision:
  """How a run decides.

  Attributes:
    threshold: a video is called fake where p_fake > threshold.
    rule: how it was chosen, see `choose_threshold`.
    temperature: what logits are divided by to be calibrated, see `fit_temperature`; it changes no verdict.
  """

  threshold: float = FIXED_THRESHOLD
  rule: str = 'fixed'
  temperature: float = 1.0


def choose_decision(labels: np.ndarray, p_fake: np.ndarray, rule: str) -> Decision:
  """The decision of a run by a rule, from its validation videos: int [N] and float [N]."""
  return Decision(choose_threshold(labels, p_fake, rule), rule, fit_temperature(labels, p_fake))


def check_rule(rule: str) -> None:
  """Raises UserError unless the rule is known."""
  limit = rule.removeprefix('fpr:')
  if rule not in RULES[:-1] and not (rule != limit and limit.replace('.', '', 1).isdigit() and 0 < float(limit) < 1):
    raise UserError(f'eval.threshold={rule!r}: choose one of {", ".join(RULES)}, with a rate X like 0.05')


def choose_threshold(labels: np.ndarray, p_fake: np.ndarray, rule: str) -> float:
  """The threshold that a rule finds in validation videos, in the middle of the gap between two scores.

  Args:
    labels: int [N], 0 real, 1 fake, with both classes.
    p_fake: float [N].
    rule: 'fixed' is 0.5; 'balanced_accuracy' has the highest one; 'eer' misses reals and fakes at the same rate, as
      nearly as can be; 'fpr:X' calls as many fake as it can while at most the share X of the reals is among them.

  Raises:
    UserError: an unknown rule.
    ValueError: only one class.
  """
  check_rule(rule)
  if rule == 'fixed':
    return FIXED_THRESHOLD
  labels, p_fake = np.asarray(labels).astype(bool), np.asarray(p_fake)
  if labels.all() or not labels.any():
    raise ValueError('a threshold needs videos of both classes')
  fpr, tpr, cuts = roc_curve(labels, p_fake)
  if rule == 'balanced_accuracy':
    best = int(np.argmax(tpr - fpr))
  elif rule == 'eer':
    best = int(np.argmin(np.abs(fpr - (1 - tpr))))
  else:
    best = int(np.flatnonzero(fpr <= float(rule.removeprefix('fpr:')))[-1])
  if not best:
    return float(min(1.0, np.max(p_fake)))
  below = cuts[best + 1] if best + 1 < len(cuts) else 0.0
  return float((cuts[best] + below) / 2)


def fit_temperature(labels: np.ndarray, p_fake: np.ndarray) -> float:
  """The temperature of the lowest log loss (Guo et al. 2017), within TEMPERATURES.

  Labels are smoothed, see `_smooth`.

  Args:
    labels: int [N].
    p_fake: float [N].
  """
  from scipy import optimize  # not above: who scores with what was fitted needs none of it, and it takes long to load

  target, logits = _smooth(labels), to_logits(p_fake)
  found = optimize.minimize_scalar(
    lambda x: _log_loss(logits / np.exp(x), target), bounds=np.log(TEMPERATURES), method='bounded'
  )
  return float(np.exp(found.x))


def fit_line(labels: np.ndarray, p_fake: np.ndarray) -> tuple[float, float]:
  """Slope and offset of logits of the lowest log loss (Platt 1999); the slope is 1 / temperature, within TEMPERATURES.

  Args:
    labels: int [N], both classes.
    p_fake: float [N].
  """
  from scipy import optimize  # as above

  target, logits = _smooth(labels), to_logits(p_fake)
  bounds = ((1 / TEMPERATURES[1], 1 / TEMPERATURES[0]), (None, None))
  found = optimize.minimize(lambda x: _log_loss(x[0] * logits + x[1], target), (1.0, 0.0), bounds=bounds)
  return float(found.x[0]), float(found.x[1])


def _smooth(labels: np.ndarray) -> np.ndarray:
  """(n + 1) / (n + 2) for fakes and 1 / (n + 2) for reals, of classes of n (Platt 1999): a few videos that are all told
  apart do not make every score a certainty."""
  fake = np.asarray(labels).astype(bool)
  return np.where(fake, (fake.sum() + 1) / (fake.sum() + 2), 1 / ((~fake).sum() + 2))


def _log_loss(logits: np.ndarray, target: np.ndarray) -> float:
  return float(np.mean(np.logaddexp(0, logits) - target * logits))


def calibrate(p_fake: np.ndarray, temperature: float) -> np.ndarray:
  """Probabilities whose logits are divided by the temperature, float64 [N]."""
  return 1 / (1 + np.exp(-to_logits(p_fake) / temperature))


def to_logits(p_fake: np.ndarray) -> np.ndarray:
  """float64 [N], finite: probabilities of 0 and 1 count as the nearest ones that are not."""
  eps = np.finfo(np.float64).eps
  p = np.clip(np.asarray(p_fake, np.float64), eps, 1 - eps)
  return np.log(p) - np.log1p(-p)


def write_decision(workdir: Path, decision: Decision) -> None:
  """Keeps a run's decision."""
  (workdir / FILE).write_text(json.dumps(dataclasses.asdict(decision), indent=2))


def read_decision(workdir: Path) -> Decision:
  """What `write_decision` kept; 0.5 where training was stopped before."""
  path = workdir / FILE
  return Decision(**json.loads(path.read_text())) if path.exists() else Decision()
