"""One score of several detectors, some of which may have nothing to say: a stacked logistic regression.

In: logits of validation videos by each detector, NaN where it abstains. Out: a `Fusion`, and probabilities of other
videos. Each set of detectors that speak has weights of its own, fitted to all videos on which they all do: where sound
is absent, what is left counts as if there were no more. A set on which too few people were heard is not fitted; the
largest fitted one within it counts. After Wolpert 1992, 'Stacked Generalization', with weights that
are not negative (Breiman 1996, 'Stacked Regressions'): few validation videos must not turn a detector round.
"""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from scipy import optimize

PENALTY = 1.0  # on the squares of the weights, of standardised logits, against the sum over people of the log loss

Logits = Mapping[str, np.ndarray]  # by the detector's name, float [N], NaN where it abstains


@dataclasses.dataclass(frozen=True)
class Weights:
  """Of some detectors that all speak: a video's logit is bias + weights @ (logits - means) / deviations."""

  means: tuple[float, ...]
  deviations: tuple[float, ...]
  weights: tuple[float, ...]
  bias: float


@dataclasses.dataclass(frozen=True)
class Fusion:
  """The names of all detectors, and the weights of each set of them that was met, by their names in this order."""

  names: tuple[str, ...]
  sets: Mapping[tuple[str, ...], Weights]


def fit_fusion(logits: Logits, labels: np.ndarray, groups: Sequence[str]) -> Fusion:
  """Fits weights for every set of detectors with as many people of either class as it has parameters: one a detector
  and the bias.

  Args:
    logits: of N validation videos.
    labels: int [N], 0 real, 1 fake.
    groups: whose video each is; each person weighs the same, however many videos show them.
  """
  names, table, labels = tuple(logits), np.stack([*logits.values()], axis=1), np.asarray(labels)
  sets = {}
  for number in range(1, 2 ** len(names)):
    members = [place for place in range(len(names)) if number >> place & 1]
    rows = ~np.isnan(table[:, members]).any(1)
    people = np.asarray(groups)[rows]
    if min(len(set(people[labels[rows] == label])) for label in (0, 1)) > len(members):
      sets[tuple(names[place] for place in members)] = _fit(table[rows][:, members], labels[rows], people)
  return Fusion(names, sets)


def fuse(fusion: Fusion, logits: Logits) -> np.ndarray:
  """p(fake) of videos, float64 [N]; NaN where no fitted set of detectors speaks."""
  table = np.stack([np.asarray(logits[name], np.float64) for name in fusion.names], axis=1)
  fused = np.full(len(table), np.nan)
  for number, row in enumerate(table):
    names = choose_set(fusion, [name for name, logit in zip(fusion.names, row, strict=True) if not np.isnan(logit)])
    if names:
      found = fusion.sets[names]
      standard = (row[[fusion.names.index(name) for name in names]] - found.means) / found.deviations
      fused[number] = 1 / (1 + np.exp(-(found.bias + standard @ found.weights)))
  return fused


def choose_set(fusion: Fusion, speaking: Sequence[str]) -> tuple[str, ...]:
  """The largest fitted set of detectors that all speak, of equal ones the first; empty where there is none."""
  return max((names for names in fusion.sets if set(names) <= set(speaking)), key=len, default=())


def fuse_unseen(logits: Logits, labels: np.ndarray, groups: Sequence[str]) -> np.ndarray:
  """p(fake) of each video by a fusion that never saw its people, float64 [N]: for a figure on validation itself."""
  people, labels = np.asarray(groups), np.asarray(labels)
  fused = np.full(len(labels), np.nan)
  for person in np.unique(people):
    out = people == person
    fusion = fit_fusion({name: column[~out] for name, column in logits.items()}, labels[~out], people[~out])
    fused[out] = fuse(fusion, {name: column[out] for name, column in logits.items()})
  return fused


def _fit(table: np.ndarray, labels: np.ndarray, people: np.ndarray) -> Weights:
  """float [N, K] without NaN, both classes."""
  _, member, counts = np.unique(people, return_inverse=True, return_counts=True)
  of_row = (1 / counts)[member]
  mean = np.average(table, axis=0, weights=of_row)
  deviation = np.maximum(np.sqrt(np.average((table - mean) ** 2, axis=0, weights=of_row)), 1e-6)
  standard = (table - mean) / deviation

  def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
    bias, weights = parameters[0], parameters[1:]
    z = bias + standard @ weights
    error = of_row * (1 / (1 + np.exp(-z)) - labels)
    value = (of_row * (np.logaddexp(0, z) - labels * z)).sum() + PENALTY / 2 * (weights**2).sum()
    return float(value), np.concatenate([[error.sum()], standard.T @ error + PENALTY * weights])

  bounds = [(None, None), *[(0, None)] * table.shape[1]]
  found = optimize.minimize(loss, np.zeros(len(bounds)), jac=True, bounds=bounds, method='L-BFGS-B').x
  means, deviations, weights = (tuple(map(float, values)) for values in (mean, deviation, found[1:]))
  return Weights(means, deviations, weights, float(found[0]))
