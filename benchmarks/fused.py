"""What each detector finds, what it costs, and all of them fused: `python benchmarks/fused.py scores.csv`.

The file, see `benchmarks/collect.py`, has a row a video, under `part` (validation or test), `label` (0 real, 1 fake),
`group` (who is in it; videos of one person have the same) and a column of logits for each detector, empty where it has
nothing to say; and perhaps one whose part is `cost`, of seconds of the CPU for a second of video. Weights are fitted to
the validation rows, each person counting the same; the table is of the test rows, with 95 % intervals over people.
"""

import argparse
import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from lipfake_jax.scoring.fusion import Fusion, choose_set, fit_fusion, fuse
from lipfake_jax.scoring.intervals import Interval, bootstrap
from lipfake_jax.scoring.metrics import rank_metrics

KNOWN = ('part', 'label', 'group', 'key')
FIRST = 'pixels'  # what the fused scores are held against, where the file has it

Row = Mapping[str, str]


def main() -> None:
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument('scores', type=Path)
  with open(parser.parse_args().scores, newline='') as file:
    rows = list(csv.DictReader(file))
  known, unseen, cost = ([row for row in rows if row['part'] == part] for part in ('validation', 'test', 'cost'))
  names = [name for name in rows[0] if name not in KNOWN]
  fusion = fit_fusion(_logits(known, names), _labels(known), [row['group'] for row in known])
  found, labels, groups = _logits(unseen, names), _labels(unseen), np.array([row['group'] for row in unseen])
  costs = {name: float(cost[0][name]) if cost and cost[0][name] else None for name in names}
  print('| detector | AUC (95 % interval) | speaks of | reals, fakes | CPU s for 1 s |\n|---|---|---|---|---|')
  for name, scores in found.items():
    print(_line(name, scores, labels, groups, costs[name]))
  fused = fuse(fusion, found)
  print(_line('all fused', fused, labels, groups, sum(filter(None, costs.values())) or None))
  if FIRST in found:
    print(f'\n{_describe_gain(fused, found[FIRST], labels, groups)}')
  print('\n'.join(['', *_describe_weights(fusion, found)]))


def _logits(rows: Sequence[Row], names: Sequence[str]) -> dict[str, np.ndarray]:
  return {name: np.array([float(row[name] or 'nan') for row in rows]) for name in names}


def _labels(rows: Sequence[Row]) -> np.ndarray:
  return np.array([int(row['label']) for row in rows])


def _line(name: str, scores: np.ndarray, labels: np.ndarray, groups: np.ndarray, cost: float | None) -> str:
  """Over the videos that the detector speaks of."""
  spoken = ~np.isnan(scores)
  counts = [int((spoken & (labels == label)).sum()) for label in (0, 1)]
  shown = _show(*_measure([scores[spoken]], labels[spoken], groups[spoken])) if all(counts) else '-'
  price = '-' if cost is None else f'{cost:.2f}'
  return f'| {name} | {shown} | {spoken.mean():.0%} | {counts[0]}, {counts[1]} | {price} |'


def _describe_gain(fused: np.ndarray, alone: np.ndarray, labels: np.ndarray, groups: np.ndarray) -> str:
  both = ~np.isnan(fused) & ~np.isnan(alone)
  gain = _show(*_measure([fused[both], alone[both]], labels[both], groups[both]), sign='+')
  return f'all fused less {FIRST}, on the {both.sum()} videos that both speak of: {gain}'


def _measure(
  scores: Sequence[np.ndarray], labels: np.ndarray, groups: np.ndarray
) -> tuple[float | None, Interval | None]:
  """The AUC, or the first less the second where there are two, and its interval."""

  def figures(drawn: np.ndarray) -> dict[str, float | None]:
    first, *others = [rank_metrics(labels[drawn] == 1, one[drawn])['auc'] for one in scores]
    return {'auc': first - others[0] if others and first is not None else first}

  return figures(np.arange(len(labels)))['auc'], bootstrap(figures, list(groups))['auc']


def _show(auc: float | None, interval: Interval | None, sign: str = '') -> str:
  if auc is None:
    return '-'
  ends = f' ({interval[0]:{sign}.3f} to {interval[1]:{sign}.3f})' if interval else ''
  return f'{auc:{sign}.3f}{ends}'


def _describe_weights(fusion: Fusion, found: Mapping[str, np.ndarray]) -> list[str]:
  """A line for each set of detectors that test videos are fused by: weights of logits in deviations from their mean."""
  speaking = [
    [name for name in fusion.names if not np.isnan(found[name][video])] for video in range(len(found[fusion.names[0]]))
  ]
  lines = []
  for names, count in Counter(choose_set(fusion, names) for names in speaking).most_common():
    if names:
      weights = fusion.sets[names]
      terms = ' '.join(f'{weight:+.2f} {name}' for weight, name in zip(weights.weights, names, strict=True))
      lines.append(f'{count} videos by {" and ".join(names)}: {weights.bias:+.2f} {terms}')
    else:
      lines.append(f'{count} videos by none')
  return lines


if __name__ == '__main__':
  main()
