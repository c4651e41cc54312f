"""The best weights of a run, made those that come with the package.

In: a workdir, and the validation part that it was chosen by; or one of `crossfit`, and the folds' scores. Out: the two
files of `models.shipped`: the weights in float16, and what they are, how they decide, and when they do not. The last
layer is scaled and shifted, so that the scores of these videos are probabilities. Next stage:
`inference.run.open_shipped`.
"""

import dataclasses
from pathlib import Path
from typing import Any

import jax
import numpy as np

from lipfake_jax.core.errors import UserError
from lipfake_jax.data.dataset import OpenPart, open_split, read_choice
from lipfake_jax.experiments.crossfit import ALL, find_folds, score_folds
from lipfake_jax.inference import checkpoints
from lipfake_jax.inference.parallel_eval import parallel_eval_step
from lipfake_jax.inference.split_scores import score_clips
from lipfake_jax.models import create_model
from lipfake_jax.models.effnet import HEAD_GAIN
from lipfake_jax.models.shipped import FOLDER, SHIPPED, save_shipped
from lipfake_jax.scoring.conformal import Limits, fit_limits
from lipfake_jax.scoring.scores import Scores, video_scores
from lipfake_jax.scoring.verdict import choose_decision, fit_line, to_logits

RULE = 'balanced_accuracy'  # of the threshold
ERROR = 0.1  # of the verdicts on each class, see `conformal`


def ship(
  workdir: Path,
  data_dir: str | None,
  version: str,
  training: str,
  folder: Path = FOLDER,
  batch_size: int = 16,
  open_part: OpenPart = open_split,
) -> Limits:
  """Writes a run's best weights as the shipped ones, with threshold, temperature and limits from its validation part.

  Of `crossfit` the weights are those of the run on all, and the rest comes from scores of the runs without a fold
  (cross-conformal: Vovk 2015, 'Cross-conformal predictors'; at worst the error is twice the stated one, Barber et al.
  2021, 'Predictive inference with the jackknife+').

  Args:
    workdir: of the run, or of `crossfit`.
    data_dir: where its dataset is kept.
    version: of the weights.
    training: how they came about, in words.
    folder: where to write.
    batch_size: clips at once.
    open_part: how its validation part is opened.

  Returns:
    The limits, for people to see.

  Raises:
    UserError: no run, no dataset, or a validation part of one class.
  """
  folds = find_folds(workdir)
  weights, meta = checkpoints.restore_best(workdir / ALL if folds else workdir)
  model = create_model(meta['model']['name'], meta['model']['arguments'])
  split = open_part(read_choice(meta['data']), 'validation', data_dir, model.input)
  if len(np.unique(split.labels)) < 2:
    raise UserError(f'{split.dataset} validation holds one class: limits need both')
  step, rule = parallel_eval_step(model.apply), meta['model']['aggregation']

  def score(weights: Any) -> Scores:
    return video_scores(score_clips(lambda clips: step(weights, clips), split, batch_size), split, rule)

  scores = score_folds(workdir, data_dir, batch_size) if folds else score(weights)
  # A line through each logit is one through their mean.
  if rule == 'mean_logit' and meta['model']['name'].startswith('effnet'):
    slope, offset = fit_line(scores.labels, scores.p_fake)
    weights = bend_head(weights, slope, offset)
    scores = dataclasses.replace(scores, p_fake=1 / (1 + np.exp(-slope * to_logits(scores.p_fake) - offset)))
  weights = jax.tree.map(lambda leaf: np.asarray(leaf, np.float16).astype(np.float32), weights)  # as they will be read
  if not folds:
    scores = score(weights)
  limits = fit_limits(scores.labels, scores.p_fake, scores.groups, ERROR)
  about = {
    'name': SHIPPED if folder == FOLDER else folder.name,
    'version': version,
    'training': training,
    **{name: meta[name] for name in ('model', 'clip', 'data', 'before')},
    'digests': {'weights': checkpoints.digest(weights)},  # not those of the run, which are others by now
    'decision': dataclasses.asdict(choose_decision(scores.labels, scores.p_fake, RULE)),
    'limits': dataclasses.asdict(limits),
  }
  save_shipped(weights, about, folder)
  return limits


def bend_head(weights: Any, slope: float, offset: float) -> Any:
  """Weights of an effnet model whose logits are slope * logit + offset of what they were."""
  head = weights['params']['logit']
  bent = {'kernel': slope * head['kernel'], 'bias': slope * head['bias'] + offset / HEAD_GAIN}
  return {**weights, 'params': {**weights['params'], 'logit': bent}}
