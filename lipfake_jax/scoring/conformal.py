"""When to say nothing: two scores between which a verdict would err too often, by split-conformal prediction.

In: scores of validation videos, of each class, and whose they are. Out: `Limits`, with which a video is real, fake or
inconclusive. Of new people, at most the share `error` of the reals is called fake and of the fakes real, as far as they
are drawn as those of validation were (Vovk 2012, by class; Dunn, Wasserman and Ramdas 2022, by group).
"""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

INCONCLUSIVE = 'inconclusive'


@dataclasses.dataclass(frozen=True)
class Limits:
  """Between which scores there is no verdict.

  Attributes:
    error: share of each class that may get the other's verdict.
    real: up to this p_fake the video is not called fake: a real one is above it with probability `error`.
    fake: down to this p_fake it is not called real: a fake one is below it with probability `error`.
  """

  error: float
  real: float
  fake: float


def fit_limits(labels: np.ndarray, p_fake: np.ndarray, groups: Sequence[str], error: float) -> Limits:
  """The limits of a rate of error, from videos that were not trained on.

  Args:
    labels: int [N], 0 real, 1 fake, with both classes.
    p_fake: float [N].
    groups: whose video each is; each person weighs the same, however many videos show them.
    error: above 0, under .5. With fewer than 1 / error - 1 people of a class no score is sure: its limit is 1, or 0.

  Raises:
    ValueError: one class, or an error out of range.
  """
  labels, p_fake, people = np.asarray(labels), np.asarray(p_fake, np.float64), np.asarray(groups)
  if not 0 < error < 0.5 or len(np.unique(labels)) < 2:
    raise ValueError(f'error={error}: above 0 and under .5, with videos of both classes')
  real, fake = labels == 0, labels == 1
  upper = _quantile(p_fake[real], people[real], error)
  return Limits(error, float(min(upper, 1.0)), fit_lower(p_fake[fake], people[fake], error))


def fit_lower(p_fake: np.ndarray, groups: Sequence[str], error: float) -> float:
  """`Limits.fake` of fakes alone; arguments as those of `fit_limits`. 0 where too few people are in them."""
  return float(max(-_quantile(-np.asarray(p_fake, np.float64), np.asarray(groups), error), 0.0))


def fewest_people(error: float) -> int:
  """Of a class, that a limit of this error takes."""
  return math.ceil(1 / error - 1 - 1e-9)


def decide_within(p_fake: float, limits: Limits) -> str:
  """'fake' where a real video would hardly score so high, 'real' where a fake one would hardly so low.

  Where both would or neither would it is inconclusive.
  """
  unlike_real, unlike_fake = p_fake > limits.real, p_fake < limits.fake
  if unlike_real == unlike_fake:
    return INCONCLUSIVE
  return 'fake' if unlike_real else 'real'


def _quantile(scores: np.ndarray, people: np.ndarray, error: float) -> float:
  """The least score that the share 1 - error of people, and one more who is yet to come, do not exceed; or infinity."""
  _, member, counts = np.unique(people, return_inverse=True, return_counts=True)
  order = np.argsort(scores, kind='stable')
  covered = np.cumsum((1 / counts)[member][order])
  enough = covered >= (1 - error) * (len(counts) + 1) - 1e-9
  return float(scores[order][np.argmax(enough)]) if enough.any() else float('inf')
