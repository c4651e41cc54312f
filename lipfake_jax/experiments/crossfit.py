"""Training on all people but those of the test part, and what it says of those whom it was without.

In: a config whose dataset has a training and a validation part. Out: their people in folds, a run without each fold,
which scores it, and a run on all. Next stage: `ship`, which takes the weights of the last, and from the scores of the
others threshold, temperature and limits.

Each run is of one epoch, so that nothing is chosen by the fold that it is tested on. The test part is not looked at.
"""

import copy
import dataclasses
from collections.abc import Sequence
from pathlib import Path

import ml_collections
import numpy as np

from lipfake_jax.core.errors import UserError
from lipfake_jax.core.people import Row, units
from lipfake_jax.data.dataset import DataChoice, OpenPart, Split, join_splits, open_split, read_choice, select_clips
from lipfake_jax.data.splits import draw_number
from lipfake_jax.inference.run import open_run, read_input
from lipfake_jax.inference.split_scores import score_clips
from lipfake_jax.scoring.intervals import bootstrap
from lipfake_jax.scoring.metrics import rank_metrics
from lipfake_jax.scoring.scores import Scores, join_scores, video_scores
from lipfake_jax.scoring.verdict import choose_decision, write_decision
from lipfake_jax.training.loop import train

ALL, FOLD = 'all', 'fold_'


def crossfit(config: ml_collections.ConfigDict, workdir: Path, folds: int, data_dir: str | None) -> Scores:
  """Trains a run without each fold and one on all, which decides by the others' scores; or what is not done of that.

  Args:
    config: as documented in configs/default.py, of one epoch.
    workdir: of all runs: `fold_0`, ..., and `all`.
    folds: how many.
    data_dir: where datasets are kept; None is TFDS's default.

  Returns:
    As `score_folds`.

  Raises:
    UserError: fewer than two folds, more than one epoch, or runs of another number of folds.
  """
  train_runs(config, workdir, folds, data_dir, list_runs(folds))
  scores = score_folds(workdir, data_dir, config.eval.batch_size)
  # Its own is fitted to people that it was trained on.
  write_decision(workdir / ALL, choose_decision(scores.labels, scores.p_fake, config.eval.threshold))
  return scores


def list_runs(folds: int) -> list[str]:
  """The names of all runs, each that of its folder."""
  return [*(f'{FOLD}{fold}' for fold in range(folds)), ALL]


def train_runs(
  config: ml_collections.ConfigDict, workdir: Path, folds: int, data_dir: str | None, names: Sequence[str]
) -> None:
  """Trains some of the runs, what is not done of them; processes may share them, and machines that share the folder.

  Args:
    config, workdir, folds, data_dir: as those of `crossfit`.
    names: of `list_runs`.

  Raises:
    UserError: as `crossfit`, or a name that is none.
  """
  if folds < 2 or config.train.epochs != 1:
    raise UserError(
      f'--folds={folds}, train.epochs={config.train.epochs}: at least 2 folds, and 1 epoch, of which nothing is chosen'
    )
  if len(find_folds(workdir)) > folds:
    raise UserError(f'{workdir} holds {len(find_folds(workdir))} folds and not {folds}: choose another --workdir')
  if unknown := set(names) - set(list_runs(folds)):
    raise UserError(f'--only={",".join(sorted(unknown))}: of {folds} folds the runs are {", ".join(list_runs(folds))}')
  for name in names:
    open_part = open_all if name == ALL else open_fold(int(name.removeprefix(FOLD)), folds)
    if name == ALL:
      print('\nthe run on all: what it says of validation is of people that it is trained on, and chooses nothing')
    train(copy.deepcopy(config), workdir / name, data_dir, open_part)


def find_folds(workdir: Path) -> list[Path]:
  """The runs without a fold, in order; of a run that is none of `crossfit`'s there are none."""
  return sorted(workdir.glob(f'{FOLD}*'), key=lambda folder: int(folder.name.removeprefix(FOLD)))


def score_folds(workdir: Path, data_dir: str | None, batch_size: int = 16) -> Scores:
  """The scores of all videos of training and validation, each by the run that was without its people.

  A video whose persons are in several folds has none.
  """
  folders, found = find_folds(workdir), []
  for fold, folder in enumerate(folders):
    run = open_run(folder)
    open_part = open_fold(fold, len(folders))
    split = open_part(read_choice(run.meta['data']), 'validation', data_dir, read_input(run.meta))
    found.append(video_scores(score_clips(run.score, split, batch_size), split, run.rule))
  return join_scores(found)


def to_markdown(scores: Scores) -> str:
  """A row for all, and one for each method: videos, and the AUC of its fakes against all reals, with intervals."""
  methods, fake = np.array(scores.table['method']), scores.labels == 1
  lines = ['| people not trained on | real, fake | AUC (95 %) |', '|---|---|---|', _row('all', scores, fake)]
  return '\n'.join([*lines, *(_row(name, scores, fake & (methods == name)) for name in sorted(set(methods[fake])))])


def _row(name: str, scores: Scores, fakes: np.ndarray) -> str:
  chosen = np.flatnonzero(fakes | (scores.labels == 0))
  fake, p_fake = scores.labels[chosen] == 1, scores.p_fake[chosen]

  def figures(drawn: np.ndarray) -> dict[str, float | None]:
    return {'auc': rank_metrics(fake[drawn], p_fake[drawn])['auc']}

  interval = bootstrap(figures, [scores.groups[i] for i in chosen])['auc']
  around = f' ({interval[0]:.3f} to {interval[1]:.3f})' if interval else ''
  return f'| {name} | {(~fake).sum()}, {fakes.sum()} | {rank_metrics(fake, p_fake)["auc"]:.3f}{around} |'


def open_fold(fold: int, folds: int) -> OpenPart:
  """How a run without a fold opens its parts: the fold's people validate, all others but the test part's train."""

  def open_part(choice: DataChoice, part: str, data_dir: str | None, feature: str = 'clip') -> Split:
    if part == 'test':
      return open_split(choice, part, data_dir, feature)
    both = _open_both(choice, data_dir, feature)
    placed = [place_people(row, folds) for row in both.rows]
    chosen = [i for i, found in enumerate(placed) if (found == {fold} if part == 'validation' else fold not in found)]
    return dataclasses.replace(select_clips(both, chosen), name=part)

  return open_part


def open_all(choice: DataChoice, part: str, data_dir: str | None, feature: str = 'clip') -> Split:
  """How the run on all opens its parts. What it is validated by was trained on, too, and chooses nothing."""
  if part == 'train':
    return _open_both(choice, data_dir, feature)
  return open_split(choice, part, data_dir, feature)


def place_people(row: Row, folds: int) -> set[int]:
  """The folds of the persons of a video, or of the video that it was made from, see `splits.draw_number`."""
  return {int(draw_number(unit, 0) * folds) for unit in units(row)}


def _open_both(choice: DataChoice, data_dir: str | None, feature: str) -> Split:
  return join_splits([open_split(choice, part, data_dir, feature) for part in ('train', 'validation')])
