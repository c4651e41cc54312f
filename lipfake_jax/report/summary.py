"""What an evaluation shows, in a few sentences for people who know no figures.

In: the figures of one evaluation. Out: a verdict, and the sentences under it. Next stage: `report`.
"""

from collections.abc import Sequence

import numpy as np

from lipfake_jax.core.vocabulary import LABELS
from lipfake_jax.scoring.intervals import count_people, unseen_rate
from lipfake_jax.scoring.metrics import Metrics
from lipfake_jax.scoring.scores import Scores

CHANCE = 0.5  # the AUC and the balanced accuracy of a guess
GOOD, CAUTION, BAD = 'good', 'caution', 'bad'

VERDICTS = {
  'above': (GOOD, 'Better than chance on these videos'),
  'chance': (BAD, 'Not distinguishable from chance'),
  'below': (BAD, 'Worse than chance: it ranks real and fake the wrong way round'),
  'one_class': (CAUTION, 'Cannot be judged: only videos of one class were tested'),
  'one_person': (CAUTION, 'Cannot be judged: all videos show one person'),
}


def separation(metrics: Metrics, name: str = 'auc') -> str:
  """Where the 95 % interval of a figure lies: 'above', 'below' or at 'chance'; 'one_class' or 'one_person' without."""
  if metrics[name] is None:
    return 'one_class'
  if not (interval := metrics['intervals'][name]):
    return 'one_person'
  low, high = interval
  return 'above' if low > CHANCE else 'below' if high < CHANCE else 'chance'


def judge(metrics: Metrics, red: Sequence[str]) -> tuple[str, str]:
  """How far to trust it, one of GOOD, CAUTION and BAD, and the verdict in words.

  Args:
    metrics: of `measure`.
    red: warnings; with any of them nothing is good.
  """
  kind, words = VERDICTS[separation(metrics)]
  if kind != GOOD:
    return kind, words
  if separation(metrics, 'balanced_accuracy') != 'above':
    return CAUTION, f'{words} by its ranking, but not by its verdicts'
  return (CAUTION, f'{words}, with warnings') if red else (kind, words)


def answer(model: str, trained_on: Sequence[str], part: str, scores: Scores, metrics: Metrics) -> list[str]:
  """What was tested, whether it tells real from fake, how often it is wrong each way, and on whom.

  Args:
    model: its name.
    trained_on: names of datasets.
    part: of the dataset that was tested.
    scores: of the tested videos.
    metrics: of `measure`.
  """
  return [
    _tested(model, part, scores, metrics),
    _separates(metrics),
    _wrong(scores, metrics),
    _scope(trained_on, scores),
  ]


def _tested(model: str, part: str, scores: Scores, metrics: Metrics) -> str:
  datasets = ' and '.join(sorted(set(scores.table['dataset'])))
  unknown = sum(not person for person in scores.table['identity'])
  people = f'{metrics["n_people"]} {"person" if metrics["n_people"] == 1 else "people"}'
  of = f' (who is shown in {unknown} of them is not known: each such source counts as one person)' if unknown else ''
  without = sum(metrics['without_verdict'][label] for label in LABELS)
  more = f' Of {without} more there is no verdict; no figure counts them unless it says so.' if without else ''
  counts = f'{metrics["n_real"]} real and {metrics["n_fake"]} fake'
  return f'{model} was tested on {metrics["n"]} videos, {counts}, of {people} from {datasets} ({part}){of}.{more}'


def _separates(metrics: Metrics) -> str:
  found = separation(metrics)
  if found == 'one_class':
    label = LABELS[int(metrics['n_fake'] > 0)]
    return (
      f'All are {label}: how often it is wrong about {label} videos can be told, whether it tells them apart can not.'
    )
  auc = f'in {metrics["auc"]:.1%} of all pairs of a real and a fake video the fake one has the higher score'
  if found == 'one_person':
    return f'As far as one person can show, {auc}; how it does with others is unknown.'
  low, high = metrics['intervals']['auc']
  interval = f'AUC {metrics["auc"]:.3f}, 95 % interval over people {low:.3f} to {high:.3f}; a guess has 0.500'
  start = {
    'above': 'It tells fake from real better than a guess',
    'chance': 'It is not distinguishable from chance',
    'below': 'It does worse than a guess',
  }[found]
  return f'{start}: {auc} ({interval}).'


def _wrong(scores: Scores, metrics: Metrics) -> str:
  parts = []
  for label, (name, other) in enumerate(((LABELS[0], LABELS[1]), (LABELS[1], LABELS[0]))):
    if (right := metrics[('specificity', 'recall')[label]]) is not None:
      people = count_people(group for group, truth in zip(scores.groups, scores.labels, strict=True) if truth == label)
      low, high = _error_range(right, metrics['intervals'][('specificity', 'recall')[label]], people)
      parts.append(f'of 100 {name} videos it calls about {_hundred(1 - right)} {other} (95 %: {low} to {high})')
  doubt = separation(metrics, 'balanced_accuracy') in ('chance', 'below')
  guess = '; such verdicts are not distinguishable from chance' if doubt else ''
  return f'At its threshold of {metrics["threshold"]:.3f}, {" and ".join(parts)}{guess}.'


def _error_range(right: float, interval: tuple[float, float] | None, people: int) -> tuple[int, int]:
  """Between which errors of 100 the rate lies; see `unseen_rate` for where all or none were right."""
  unseen = unseen_rate(people)
  low, high = (1 - interval[1], 1 - interval[0]) if interval else (0.0, 1.0)
  if right == 1:
    high = max(high, unseen)
  if right == 0:
    low = min(low, 1 - unseen)
  return _hundred(low), _hundred(high)


def _hundred(rate: float) -> int:
  return int(np.floor(100 * rate + 0.5))


def _scope(trained_on: Sequence[str], scores: Scores) -> str:
  known = {name for names in trained_on for name in names.split('+')}
  tested = set(scores.table['dataset'])
  trained = ', then on '.join(trained_on)
  if tested <= known:
    return f'It was trained on videos of {trained}, too: on videos from elsewhere, and other fakes, it may do worse.'
  return f'It was trained on {trained}: the figures hold for videos like those tested, and for no others.'
