"""Is one run better than another on the same videos, or could that be chance?

In: the scores.csv of two runs. Out: the difference of each figure with its interval, by paired bootstrap over people.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lipfake_jax.core.errors import UserError
from lipfake_jax.scoring.intervals import Interval, bootstrap, count_people
from lipfake_jax.scoring.metrics import Metrics, evaluate_scores
from lipfake_jax.scoring.scores import read_scores
from lipfake_jax.scoring.verdict import read_decision

FIGURES = ('auc', 'balanced_accuracy', 'accuracy', 'mcc', 'eer', 'brier', 'log_loss')

# Of each figure: that of A, that of B, and the interval of B less A; None where it is undefined.
Difference = dict[str, tuple[float | None, float | None, Interval | None]]


@dataclasses.dataclass(frozen=True)
class Comparison:
  """Two runs, A and B, on one evaluation that both have.

  Attributes:
    folder: its name below their `eval/`.
    videos: how many videos both have scored.
    people: how many persons they show.
    alone: how many videos only A has scored, and only B.
    difference: of the figures, on the videos in common.
  """

  folder: str
  videos: int
  people: int
  alone: tuple[int, int]
  difference: Difference


def compare_scores(
  labels: np.ndarray, p_fake: Sequence[np.ndarray], thresholds: Sequence[float], groups: Sequence[str], seed: int = 0
) -> Difference:
  """Each of FIGURES of two runs on the same videos, and the interval of the second less the first.

  Args:
    labels: int [N].
    p_fake: of both runs, float [N] each.
    thresholds: of both.
    groups: who is in each video, as for `bootstrap`.
    seed: of the draws.
  """

  def figures(run: int, chosen: np.ndarray) -> Metrics:
    return evaluate_scores(labels[chosen], p_fake[run][chosen], thresholds[run])

  def differences(chosen: np.ndarray) -> dict[str, float | None]:
    a, b = figures(0, chosen), figures(1, chosen)
    return {name: None if a[name] is None else b[name] - a[name] for name in FIGURES}

  everyone = np.arange(len(labels))
  a, b, intervals = figures(0, everyone), figures(1, everyone), bootstrap(differences, groups, seed=seed)
  return {name: (a[name], b[name], intervals[name]) for name in FIGURES}


def shared_evaluations(run_a: Path, run_b: Path) -> list[str]:
  """Names of the evaluations that both runs have.

  Raises:
    UserError: there is none.
  """
  found = [{path.parent.name for path in run.glob('eval/*/scores.csv')} for run in (run_a, run_b)]
  if not found[0] & found[1]:
    raise UserError(f'{run_a} and {run_b} have no evaluation in common: run.py --mode=eval')
  return sorted(found[0] & found[1])


def compare_runs(run_a: Path, run_b: Path, folder: str) -> Comparison:
  """The comparison of two runs on one evaluation that both have.

  Args:
    run_a: a workdir.
    run_b: another.
    folder: name below their `eval/`.

  Raises:
    UserError: they have no video in common, or disagree about a label.
  """
  a, b = (read_scores(run / 'eval' / folder / 'scores.csv') for run in (run_a, run_b))
  common = [video for video in a if video in b]
  if not common:
    raise UserError(f'{run_a} and {run_b} have no video in common in {folder}')
  if different := [key for key in common if a[key]['label'] != b[key]['label']]:
    raise UserError(f'{folder}: the two runs disagree about the label of {"/".join(different[0])}: build the data anew')
  labels = np.array([int(a[video]['label']) for video in common])
  p_fake = [np.array([float(run[video]['p_fake']) for video in common]) for run in (a, b)]
  groups = [a[video]['group'] for video in common]
  difference = compare_scores(labels, p_fake, [read_decision(run).threshold for run in (run_a, run_b)], groups)
  alone = (len(a) - len(common), len(b) - len(common))
  return Comparison(folder, len(common), count_people(groups), alone, difference)
