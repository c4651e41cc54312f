"""Is one run better than another on the same videos, or could that be chance?

In: the scores.csv of two runs. Out: the difference of each figure with its interval, by paired bootstrap over people.

  python -m lipfake_jax.evaluation.evaluate compare RUN_A RUN_B
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from lipfake_jax.core.errors import UserError, exit_codes
from lipfake_jax.scoring.intervals import Interval, bootstrap
from lipfake_jax.scoring.metrics import Metrics, evaluate_scores
from lipfake_jax.scoring.scores import read_scores
from lipfake_jax.scoring.verdict import read_decision

FIGURES = ('auc', 'balanced_accuracy', 'accuracy', 'mcc', 'eer', 'brier', 'log_loss')
DECIDING = 'auc'  # the figure that needs no threshold speaks for the whole; without both classes, accuracy

Difference = dict[str, tuple[float | None, float | None, Interval | None]]


def compare_scores(
  labels: np.ndarray, p_fake: Sequence[np.ndarray], thresholds: Sequence[float], groups: Sequence[str], seed: int = 0
) -> Difference:
  """Each of FIGURES of two runs on the same videos, and the interval of the second less the first.

  Args:
    labels: int [N].
    p_fake: of both runs, float [N] each.
    thresholds: of both.
    groups: the person of each video.
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


def verdict(difference: Mapping[str, tuple[float | None, float | None, Interval | None]]) -> str:
  """In words: whether the interval of the deciding figure's difference excludes zero."""
  name = DECIDING if difference[DECIDING][0] is not None else 'accuracy'
  a, b, interval = difference[name]
  if a is None or b is None or interval is None:
    return 'can not tell: the videos show one person only'
  if interval[0] <= 0 <= interval[1]:
    return f'no difference: that of {name}, {b - a:+.3f}, may be chance (95 % interval {_range(interval)})'
  return f'{"B" if b > a else "A"} is better: {name} differs by {b - a:+.3f} (95 % interval {_range(interval)})'


def compare_runs(run_a: Path, run_b: Path, folder: str) -> str:
  """The comparison of two runs on one evaluation that both have, as text.

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
  groups = [f'{video[0]}/{a[video]["identity"] or video[1]}' for video in common]
  difference = compare_scores(labels, p_fake, [read_decision(run).threshold for run in (run_a, run_b)], groups)
  alone = (len(a) - len(common), len(b) - len(common))
  lines = [
    f'{folder}: {len(common)} videos of {len(set(groups))} people; {alone[0]} only in A, {alone[1]} only in B',
    '',
    '| | A | B | B - A | 95 % interval |',
    '|---|---|---|---|---|',
    *(_row(name, *values) for name, values in difference.items()),
    '',
    verdict(difference),
  ]
  return '\n'.join(lines)


def _row(name: str, a: float | None, b: float | None, interval: Interval | None) -> str:
  if a is None or b is None:
    return f'| {name.replace("_", " ")} | - | - | - | - |'
  return f'| {name.replace("_", " ")} | {a:.3f} | {b:.3f} | {b - a:+.3f} | {_range(interval) if interval else "-"} |'


def _range(interval: Interval) -> str:
  return f'{interval[0]:+.3f} to {interval[1]:+.3f}'


def main(arguments: Sequence[str]) -> None:
  """Compares two runs on every evaluation that both have, or on one."""
  parser = argparse.ArgumentParser(
    prog='python -m lipfake_jax.evaluation.evaluate compare', description='Whether two runs differ by more than chance.'
  )
  parser.add_argument('runs', nargs=2, type=Path, metavar='RUN', help='workdirs A and B')
  parser.add_argument('--on', help='one evaluation, as its folder is called: demo_lips-test (default: all in common)')
  options = parser.parse_args(arguments)
  with exit_codes():
    held = [{path.parent.name for path in run.glob('eval/*/scores.csv')} for run in options.runs]
    folders = [options.on] if options.on else sorted(held[0] & held[1])
    if not folders:
      raise UserError(f'{options.runs[0]} and {options.runs[1]} have no evaluation in common: run.py --mode=eval')
    print(f'A: {options.runs[0]}\nB: {options.runs[1]}')
    for folder in folders:
      print(f'\n{compare_runs(options.runs[0], options.runs[1], folder)}')
