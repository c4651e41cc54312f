"""The best weights of a run, made those that come with the package; or those of several, whose logits are averaged.

In: a workdir, and the validation part that it was chosen by; or one of `crossfit`, and the folds' scores. Out: the two
files of `models.shipped`: the weights in float16, and what they are, how they decide, and when they do not. The last
layer is scaled and shifted, so that the scores of these videos are probabilities. Next stage: `inference.run`.
"""

import dataclasses
from collections.abc import Sequence
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
from lipfake_jax.models.effnet import HEAD_GAIN, name_member
from lipfake_jax.models.shipped import FOLDER, SHIPPED, save_shipped
from lipfake_jax.scoring.conformal import Limits, fit_limits
from lipfake_jax.scoring.scores import Scores, video_scores
from lipfake_jax.scoring.verdict import choose_decision, fit_line, to_logits

RULE = 'balanced_accuracy'  # of the threshold
ERROR = 0.1  # of the verdicts on each class, see `conformal`

Checkpoint = tuple[Any, dict[str, Any]]  # weights and meta


def ship(
  workdirs: Sequence[Path],
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
    workdirs: of a run, or of `crossfit`; or of several, which become members of one model.
    data_dir: where its dataset is kept.
    version: of the weights.
    training: how they came about, in words.
    folder: where to write.
    batch_size: clips at once.
    open_part: how its validation part is opened.

  Returns:
    The limits, for people to see.

  Raises:
    UserError: no run, no dataset, a validation part of one class, or several runs that are no members of one model.
  """
  folds = [bool(find_folds(workdir)) for workdir in workdirs]
  if len(set(folds)) > 1:
    raise UserError(f'{_name(workdirs)}: some are of crossfit, and some are not: give either')
  found = [checkpoints.restore_best(workdir / ALL if folds[0] else workdir) for workdir in workdirs]
  weights, meta = join_members(found, workdirs)
  rule = meta['model']['aggregation']
  score = _create_score(meta, data_dir, batch_size, open_part)
  scores = average_scores([score_folds(w, data_dir, batch_size) for w in workdirs]) if folds[0] else score(weights)
  # A line through each logit is one through their mean.
  if rule == 'mean_logit' and meta['model']['name'].startswith('effnet'):
    slope, offset = fit_line(scores.labels, scores.p_fake)
    weights = bend_head(weights, slope, offset)
    scores = dataclasses.replace(scores, p_fake=1 / (1 + np.exp(-slope * to_logits(scores.p_fake) - offset)))
  weights = jax.tree.map(lambda leaf: np.asarray(leaf, np.float16).astype(np.float32), weights)  # as they will be read
  if not folds[0]:
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


def _create_score(meta: dict[str, Any], data_dir: str | None, batch_size: int, open_part: OpenPart):
  """What scores a run's validation part by some weights: Any -> Scores."""
  model = create_model(meta['model']['name'], meta['model']['arguments'])
  split = open_part(read_choice(meta['data']), 'validation', data_dir, model.input)
  if len(np.unique(split.labels)) < 2:
    raise UserError(f'{split.dataset} validation holds one class: limits need both')
  step = parallel_eval_step(model.apply)

  def score(weights: Any) -> Scores:
    logits = score_clips(lambda clips: step(weights, clips), split, batch_size)
    return video_scores(logits, split, meta['model']['aggregation'])

  return score


def join_members(found: Sequence[Checkpoint], workdirs: Sequence[Path]) -> Checkpoint:
  """Weights and meta of one model whose members are those of several runs, see `effnet.EffnetFrames`; of one, its own.

  Raises:
    UserError: they are of models that have no members, differ in model, clips or data, or in the stem that they share.
  """
  weights, meta = found[0]
  if len(found) == 1:
    return weights, meta
  params = dict(weights['params'])
  for member, (other, about) in enumerate(found[1:], 1):
    if about['model'] != meta['model'] or about['clip'] != meta['clip'] or about['data'] != meta['data']:
      raise UserError(f'{_name(workdirs)}: they differ in model, clips or data, and cannot be averaged')
    name, rule = meta['model']['name'], meta['model']['aggregation']
    if (name, rule) != ('effnet_frames', 'mean_logit') or meta['model']['arguments'].get('members', 1) > 1:
      raise UserError(f'{_name(workdirs)}: only effnet_frames of one member, by mean_logit, can be averaged')
    if checkpoints.digest(other['params']['stem']) != checkpoints.digest(params['stem']):
      raise UserError(f'{_name(workdirs)}: their stems differ: train with --config.train.freeze=stem')
    params |= {name_member(part, member): other['params'][part] for part in ('trunk', 'logit')}
  arguments = {**meta['model']['arguments'], 'members': len(found)}
  return {**weights, 'params': params}, {**meta, 'model': {**meta['model'], 'arguments': arguments}}


def average_scores(parts: Sequence[Scores]) -> Scores:
  """The scores of the same videos by several runs, their logits averaged, in the order of the first."""
  order = [{video: i for i, video in enumerate(_videos(part))} for part in parts]
  rows = [[places[video] for video in _videos(parts[0])] for places in order]
  logits = np.mean([to_logits(part.p_fake[row]) for part, row in zip(parts, rows, strict=True)], axis=0)
  return dataclasses.replace(parts[0], p_fake=1 / (1 + np.exp(-logits)))


def _videos(scores: Scores) -> list[tuple[str, str]]:
  return list(zip(scores.table['dataset'], scores.table['key'], strict=True))


def _name(workdirs: Sequence[Path]) -> str:
  return ', '.join(map(str, workdirs))


def bend_head(weights: Any, slope: float, offset: float) -> Any:
  """Weights of an effnet model whose logits are slope * logit + offset of what they were, each member's."""
  bent = {
    name: {'kernel': slope * head['kernel'], 'bias': slope * head['bias'] + offset / HEAD_GAIN}
    for name, head in weights['params'].items()
    if name.partition('_')[0] == 'logit'
  }
  return {**weights, 'params': {**weights['params'], **bent}}
