"""Whether a map of what carries a score tells the truth: tests that need no opinion of what a fake looks like.

In: a scored clip in parts, and a map of them. Out: figures of one clip. `explanations` takes them over a dataset.
"""

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
from scipy import integrate, stats

from lipfake_jax.inference.occlusion import Parts, Score, mark_highest, mean_logits

SHARES = (1 / 8, 1 / 4, 1 / 2)  # of the parts: where the curves are looked at
CURVES = ('deletion', 'insertion')


def trace_curves(score: Score, parts: Parts, maps: Mapping[str, np.ndarray]) -> dict[str, tuple[float, float]]:
  """How low the logit falls while parts are hidden, and how high it rises while they come back.

  Parts go in the order of a map, the highest first (Petsiuk et al. 2018, 'RISE', sec. 4.2; they take probabilities,
  which stand still where a score is sure).

  Args:
    score: of a `Run`.
    parts: of the clip.
    maps: float [N] each, by name.

  Returns:
    Of each map the areas under both curves over the share of the parts, in logits. Deletion is good where it is low,
    insertion where it is high.
  """
  counts = [max(1, round(share * len(parts))) for share in SHARES]
  flags = [mark_highest(values, count) for values in maps.values() for count in counts]
  nothing = np.zeros(len(parts), bool)
  ends, between = np.split(
    mean_logits(score, [parts.hide(hidden) for flag in (nothing, *flags) for hidden in (flag, ~flag)]), [2]
  )
  curves = np.empty((len(maps), len(SHARES) + 2, 2))
  curves[:, 0], curves[:, 1:-1], curves[:, -1] = ends, between.reshape(len(maps), len(SHARES), 2), ends[::-1]
  areas = integrate.trapezoid(curves, (0, *SHARES, 1), axis=1)
  return {name: (float(deleted), float(inserted)) for name, (deleted, inserted) in zip(maps, areas, strict=True)}


def shuffle_weights(variables: Any, seed: int) -> Any:
  """The same weights, those of each array in another order: a network that has learned nothing.

  What Adebayo et al. (2018, 'Sanity Checks for Saliency Maps') draw anew keeps its sizes here: kernels into which batch
  statistics are folded differ by a hundredfold.
  """
  rng = np.random.default_rng(seed)
  return jax.tree.map(lambda leaf: rng.permutation(np.ravel(leaf)).reshape(np.shape(leaf)), variables)


def correlate(one: np.ndarray, other: np.ndarray) -> float:
  """Spearman's rank correlation of two maps; 0 where one of them is flat."""
  if np.ptp(one) == 0 or np.ptp(other) == 0:
    return 0.0
  return float(stats.spearmanr(np.ravel(one), np.ravel(other)).statistic)


def point(values: np.ndarray, truth: np.ndarray) -> float:
  """The pointing game (Zhang et al. 2018): 1 where the highest part of a map, float [N], is a faked one, bool [N]."""
  return float(truth[np.argmax(values)])
