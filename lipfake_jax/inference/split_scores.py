"""Scores of the clips of a split, and what a run decides by.

In: a run and a built dataset. Out: logits, or the run's `Decision`. Next stages: `evaluation`, `training.validation`.
"""

from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np

from lipfake_jax.data.batches import eval_batches
from lipfake_jax.data.dataset import Split
from lipfake_jax.inference.parallel_eval import share
from lipfake_jax.inference.run import open_run
from lipfake_jax.scoring.scores import video_scores
from lipfake_jax.scoring.verdict import Decision, choose_decision, write_decision


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
