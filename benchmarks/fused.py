"""What each detector finds, and all of them fused: `python benchmarks/fused.py scores.csv`.

The file has a row a video, under `part` (validation or test), `label` (0 real, 1 fake), `group` (who is in it; videos
of one person have the same) and a column of logits for each detector, empty where it has nothing to say. Weights are
fitted to the validation rows, each person counting the same; the table is of the test rows, with 95 % intervals over
people.
"""

import argparse
import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from lipfake_jax.scoring.fusion import fit_fusion, fuse
from lipfake_jax.scoring.intervals import bootstrap
from lipfake_jax.scoring.metrics import rank_metrics

KNOWN = ('part', 'label', 'group')


def main() -> None:
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument('scores', type=Path)
  with open(parser.parse_args().scores, newline='') as file:
    rows = list(csv.DictReader(file))
  known, unseen = ([row for row in rows if row['part'] == part] for part in ('validation', 'test'))
  names = [name for name in rows[0] if name not in KNOWN and name != 'key']
  fusion = fit_fusion(_logits(known, names), _labels(known), [row['group'] for row in known])
  found = _logits(unseen, names)
  print('| detector | AUC (95 % interval) | coverage |\n|---|---|---|')
  for name, scores in {**found, 'all fused': fuse(fusion, found)}.items():
    print(_line(name, scores, _labels(unseen), np.array([row['group'] for row in unseen])))


def _logits(rows: Sequence[Mapping[str, str]], names: Sequence[str]) -> dict[str, np.ndarray]:
  return {name: np.array([float(row[name] or 'nan') for row in rows]) for name in names}


def _labels(rows: Sequence[Mapping[str, str]]) -> np.ndarray:
  return np.array([int(row['label']) for row in rows])


def _line(name: str, scores: np.ndarray, labels: np.ndarray, groups: np.ndarray) -> str:
  """Over the videos that the detector speaks of."""
  spoken = ~np.isnan(scores)
  scores, labels, groups = scores[spoken], labels[spoken].astype(bool), groups[spoken]

  def figures(drawn: np.ndarray) -> dict[str, float | None]:
    return {'auc': rank_metrics(labels[drawn], scores[drawn])['auc']}

  auc, interval = figures(np.arange(len(labels)))['auc'], bootstrap(figures, list(groups))['auc']
  shown = '-' if auc is None or interval is None else f'{auc:.3f} ({interval[0]:.3f}-{interval[1]:.3f})'
  return f'| {name} | {shown} | {spoken.mean():.0%} |'


if __name__ == '__main__':
  main()
