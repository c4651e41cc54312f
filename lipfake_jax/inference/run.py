"""A trained run, opened: its best weights as a function that scores clips, and how it decides.

In: a workdir with checkpoints, or the shipped weights. Out: a `Run`. Next stages: `predict` scores a user's videos,
`evaluation` measures it.
"""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np

from lipfake_jax.data.batches import eval_batches
from lipfake_jax.data.dataset import Split
from lipfake_jax.inference import checkpoints
from lipfake_jax.inference.parallel_eval import parallel_eval_step, share
from lipfake_jax.models import create_model
from lipfake_jax.models.shipped import FOLDER, load_shipped
from lipfake_jax.scoring.conformal import Limits
from lipfake_jax.scoring.scores import video_scores
from lipfake_jax.scoring.verdict import Decision, choose_decision, read_decision, write_decision


@dataclasses.dataclass(frozen=True)
class Run:
  """A trained run.

  Attributes:
    workdir: of it.
    score: its best weights as a function from its model's input [B, ...] to float32 logits, see `score_clips`.
    meta: what their checkpoint tells.
    decision: how it decides.
    limits: between which scores it does not, where they were fitted.
  """

  workdir: Path
  score: Callable[[np.ndarray], np.ndarray]
  meta: dict[str, Any]
  decision: Decision
  limits: Limits | None = None

  @property
  def rule(self) -> str:
    """How the scores of a video become one, see `aggregation`."""
    return self.meta['model']['aggregation']


def open_run(workdir: Path) -> Run:
  """The run in a workdir.

  Raises:
    UserError: it has no checkpoint, or a damaged one.
  """
  weights, meta = checkpoints.restore_best(workdir)
  model = create_model(meta['model']['name'], meta['model']['arguments'])
  step = parallel_eval_step(model.apply)
  return Run(workdir, lambda clips: step(weights, clips), meta, read_decision(workdir))


def open_shipped(folder: Path = FOLDER) -> Run:
  """The shipped weights as a run, which needs no workdir.

  Raises:
    UserError: they are missing or damaged.
  """
  weights, meta = load_shipped(folder)
  model = create_model(meta['model']['name'], meta['model']['arguments'])
  step = parallel_eval_step(model.apply)
  decision, limits = Decision(**meta['decision']), Limits(**meta['limits'])
  return Run(folder, lambda clips: step(weights, clips), meta, decision, limits)


def read_input(meta: dict[str, Any]) -> str:
  """The feature that a run's model takes, the name of one of `clips.features.FEATURES`."""
  return create_model(meta['model']['name'], meta['model']['arguments']).input


def digest_weights(meta: dict[str, Any]) -> str:
  """The digest of a run's best weights, by which what was measured with them is known."""
  return f'sha256:{meta["digests"]["weights"]}'


def score_clips(score: Callable[[np.ndarray], np.ndarray], split: Split, batch_size: int) -> np.ndarray:
  """Scores every clip of a split once.

  Args:
    score: from clips [B, ...] to float32 logits [B], or [B, M] of M scores a clip.
    split: what to score.
    batch_size: clips at once, at most.

  Returns:
    float32 [N] or [N, M].
  """
  batches = eval_batches(split, batch_size, share(), jax.device_count())
  return np.concatenate([score(batch['clip'])[batch['mask']] for batch in batches])


def decide(workdir: Path, validation: Split, batch_size: int, rule: str) -> Decision:
  """Sets a run's threshold and temperature, from validation data alone, and keeps them.

  Args:
    workdir: of the run.
    validation: its validation split.
    batch_size: clips at once.
    rule: of `verdict.choose_threshold`.
  """
  run = open_run(workdir)
  scores = video_scores(score_clips(run.score, validation, batch_size), validation, run.rule)
  decision = choose_decision(scores.labels, scores.p_fake, rule)
  if share()[0] == 0:
    write_decision(workdir, decision)
  return decision
