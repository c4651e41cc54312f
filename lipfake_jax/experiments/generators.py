"""What a recipe says of generators that it never saw: trained without each group of them, tested on it.

In: a config, and groups of methods. Out: a run a group, and rows for a table. The test part is not looked at: a group's
fakes of training and validation are held against validation's reals. The people of training's fakes were seen, as real
ones if at all, which makes the figure no better than it is for strangers.
"""

import copy
import dataclasses
import fnmatch
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ml_collections
import numpy as np

from lipfake_jax.core.errors import UserError
from lipfake_jax.core.vocabulary import LABELS
from lipfake_jax.data.dataset import Split, open_split, read_choice, select_clips
from lipfake_jax.inference.run import open_run, read_input
from lipfake_jax.inference.split_scores import score_clips
from lipfake_jax.scoring.intervals import Interval, bootstrap
from lipfake_jax.scoring.metrics import rank_metrics
from lipfake_jax.scoring.scores import Scores, join_scores, video_scores
from lipfake_jax.training.loop import train

REAL = LABELS.index('real')


@dataclasses.dataclass(frozen=True)
class Unseen:
  """The figures of a group that training was without.

  Attributes:
    group: its patterns of methods, joined by commas.
    n_real, n_fake: videos.
    auc: of the group's fakes against validation's reals.
    interval: of that, 95 %, over people; None where it is not defined.
    methods: number and AUC of each method's fakes.
  """

  group: str
  n_real: int
  n_fake: int
  auc: float
  interval: Interval | None
  methods: dict[str, tuple[int, float]]


def train_without(config: ml_collections.ConfigDict, group: str, folder: Path, data_dir: str | None) -> Unseen:
  """Trains without a group of methods, and scores it.

  Args:
    config: as documented in configs/default.py.
    group: patterns of methods, joined by commas: 'Wav2Lip*,LiveTalking*'.
    folder: workdir of the run, which is gone on with where it was begun.
    data_dir: where datasets are kept; None is TFDS's default.

  Raises:
    UserError: no fake of the dataset's training and validation parts is in the group, or no other one is.
  """
  patterns = tuple(group.split(','))
  choice = read_choice(config.data)
  parts = {part: open_split(choice, part, data_dir) for part in ('train', 'validation')}
  if not any(len(_held(split, patterns)) for split in parts.values()):
    methods = sorted({method for split in parts.values() for method in split.table['method']})
    raise UserError(f'--group={group}: no fake of training or validation is in it; methods: {", ".join(methods)}')
  without = copy.deepcopy(config)
  without.data.exclude = (*config.data.exclude, *patterns)
  train(without, folder, data_dir)
  run = open_run(folder)
  wanted = read_input(run.meta)
  found = []
  for part in parts:
    split = open_split(choice, part, data_dir, wanted)
    reals = np.flatnonzero(split.labels == REAL) if part == 'validation' else np.array([], np.int64)
    split = select_clips(split, np.concatenate([reals, _held(split, patterns)]))
    if len(split):
      found.append(video_scores(score_clips(run.score, split, config.eval.batch_size), split, run.rule))
  return describe(group, found)


def describe(group: str, parts: Sequence[Scores]) -> Unseen:
  """The figures of scores of several parts together."""
  scores = join_scores(parts)
  labels, p_fake, groups, methods = scores.labels, scores.p_fake, scores.groups, np.array(scores.table['method'])
  fake = labels != REAL

  def figures(chosen: np.ndarray) -> Mapping[str, Any]:
    return {'auc': rank_metrics(fake[chosen], p_fake[chosen])['auc']}

  return Unseen(
    group=group,
    n_real=int((~fake).sum()),
    n_fake=int(fake.sum()),
    auc=rank_metrics(fake, p_fake)['auc'],
    interval=bootstrap(figures, groups)['auc'],
    methods={
      name: (int(chosen.sum()), rank_metrics(fake[~fake | chosen], p_fake[~fake | chosen])['auc'])
      for name in sorted(set(methods[fake]))
      for chosen in [(methods == name) & fake]
    },
  )


def to_markdown(rows: Sequence[Unseen]) -> str:
  """A row a group, and the mean of their AUC."""
  lines = ['| trained without | real, fake | AUC of its fakes (95 %) | by method: fakes, AUC |', '|---|---|---|---|']
  for row in rows:
    methods = ', '.join(f'{name} {count}, {auc:.2f}' for name, (count, auc) in row.methods.items())
    interval = f' ({row.interval[0]:.3f}-{row.interval[1]:.3f})' if row.interval else ''
    lines.append(f'| {row.group} | {row.n_real}, {row.n_fake} | {row.auc:.3f}{interval} | {methods} |')
  return '\n'.join([*lines, f'| mean | | {np.mean([row.auc for row in rows]):.3f} | |'])


def _held(split: Split, patterns: Sequence[str]) -> np.ndarray:
  """Positions of the group's fakes."""
  methods = split.table['method']
  inside = [any(fnmatch.fnmatchcase(method, pattern) for pattern in patterns) for method in methods]
  return np.flatnonzero(np.array(inside, bool) & (split.labels != REAL))
