"""What a reader must know before trusting the figures of an evaluation, in sentences.

In: the figures, what was tested, and what the run was trained on. Out: warnings, the gravest first.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from lipfake_jax.core.people import people
from lipfake_jax.core.vocabulary import ALL, LABELS
from lipfake_jax.data import splits
from lipfake_jax.data.dataset import Split
from lipfake_jax.data.listing import UNEVEN_REJECTIONS
from lipfake_jax.scoring.intervals import unseen_rate
from lipfake_jax.scoring.metrics import Metrics, probability_metrics
from lipfake_jax.scoring.scores import Scores
from lipfake_jax.scoring.verdict import calibrate

FEW_VIDEOS = 30  # of a class: a rate of one half is then known to .18 either way at best
FEW_PEOPLE = 10  # fewer may not be like others, whatever an interval says
MISCALIBRATED = 0.1  # calibration error that a reader of scores should know of
DRAWS = 200
ONE_SIDE = 0.05  # of the videos or fewer beyond the threshold: it lies at the edge of the scores


def find_caveats(metrics: Metrics, scores: Scores, split: Split, seen: Sequence[dict[str, Any]]) -> list[str]:
  """All warnings of one evaluation.

  Args:
    metrics: of `measure`.
    scores: of the tested videos.
    split: what was tested.
    seen: of each dataset part that the weights were trained on, latest first: 'dataset', 'split', 'split_seed', and
      'training', its training part, or None where that is not at hand.
  """
  checks: tuple[Callable[[], Iterator[str]], ...] = (
    lambda: _leaks(split, seen),
    lambda: _shortcut(metrics),
    lambda: _verdicts(metrics, scores),
    lambda: _probabilities(metrics, scores),
    lambda: _numbers(metrics),
    lambda: _rejections(metrics),
    lambda: _perfection(metrics),
  )
  return [warning for check in checks for warning in check()]


def _leaks(split: Split, seen: Sequence[dict[str, Any]]) -> Iterator[str]:
  if split.name == splits.LEAKY_NAME:
    yield splits.LEAKY
  known = [data for data in seen if data['datasets'] & set(split.table['dataset'])]
  if known and split.name in ('train', 'validation', ALL):
    yield f'warning: the run has seen videos of {split.dataset} ({split.name}) in training'
  elif len({(data['split'], data['split_seed']) for data in known}) > 1:
    yield (
      f'warning: the first weights of this run were trained on {split.dataset} under another split,'
      f' and may have seen videos of {split.name}'
    )
  trained = [row for data in seen if data['training'] for row in data['training'].rows]
  trained_on = {person for row in trained for person in people(row)}
  tested = [set(people(row)) for row in split.rows]
  if shared := sum(bool(persons & trained_on) for persons in tested):
    yield f'warning: {shared} of the {len(tested)} tested clips show people that the run was trained on'
  if any(data['training'] is None for data in seen):
    yield 'note: the training data is not built here: that no person of it is tested could not be checked'


def _shortcut(metrics: Metrics) -> Iterator[str]:
  """A detector that metadata can match may have learned nothing else."""
  control = metrics.get('metadata')
  low, high = (control and control['lead_interval']) or (0, 0)
  if control and low <= 0:
    telling = max(control['alone'], key=control['alone'].get)
    yield (
      f'warning: {"metadata alone does better" if high < 0 else "it is not shown to do better than metadata alone"}'
      f' (AUC of metadata {control["auc"]:.3f}, of this run {metrics["auc"]:.3f}; {telling} by itself'
      f' {control["alone"][telling]:.3f}): these figures do not show that the run looks at lips'
    )


def _verdicts(metrics: Metrics, scores: Scores) -> Iterator[str]:
  called = float((scores.p_fake > metrics['threshold']).mean())
  both = metrics['n_real'] and metrics['n_fake']
  if both and called in (0, 1):
    name = LABELS[int(called)]
    yield f'warning: every video is called {name}: accuracy is the share of the {name} ones, and shows nothing else'
  elif both and min(called, 1 - called) < ONE_SIDE:
    yield (
      f'warning: the threshold {metrics["threshold"]:.3f} lies at the edge of the scores ({called:.1%} are above it):'
      ' it does not suit these videos, look at AUC, and choose one on validation data of this kind'
    )


def _probabilities(metrics: Metrics, scores: Scores) -> Iterator[str]:
  """Whether scores are off by more than they would be if each were the probability by which its label was drawn."""
  if not (metrics['n_real'] and metrics['n_fake']):
    return
  p_fake, error = calibrate(scores.p_fake, metrics['temperature']), metrics['calibrated']['ece']
  labels = np.random.default_rng(0).random((DRAWS, len(p_fake))) < p_fake
  by_chance = np.quantile([probability_metrics(drawn, p_fake)['ece'] for drawn in labels], 0.95)
  if error > max(by_chance, MISCALIBRATED):
    yield (
      f'note: scores are miscalibrated on these videos: after calibration they are off by {error:.2f} on average'
      f' (true ones, of independent videos, by up to {by_chance:.2f}): go by the verdict, not by how high a score is'
    )


def _numbers(metrics: Metrics) -> Iterator[str]:
  for label in LABELS:
    if 0 < (count := metrics[f'n_{label}']) < FEW_VIDEOS:
      yield f'warning: {count} {label} videos, fewer than {FEW_VIDEOS}: too few to conclude'
  if (people := metrics['n_people']) < FEW_PEOPLE:
    yield f'warning: {people} people, fewer than {FEW_PEOPLE}: too few to say how it does with others'


def _rejections(metrics: Metrics) -> Iterator[str]:
  without = metrics['without_verdict']
  shares = [without[label] / max(1, without[label] + metrics[f'n_{label}']) for label in LABELS]
  if metrics['n_real'] and metrics['n_fake'] and abs(np.subtract(*shares)) > UNEVEN_REJECTIONS:
    yield f'warning: {shares[0]:.1%} of the reals and {shares[1]:.1%} of the fakes have no verdict: the classes differ'


def _perfection(metrics: Metrics) -> Iterator[str]:
  if metrics['auc'] == 1 and (people := metrics['n_people']):
    yield (
      f'note: an AUC of 1 has an interval without width, which is no certainty: {people} people without an exception'
      f' leave room for up to {unseen_rate(people):.0%} of all people to be one'
    )
