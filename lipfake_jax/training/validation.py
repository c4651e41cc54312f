"""How validation data is scored after an epoch: as it is, or augmented as the paper's released code had it.

In: the weights, the validation split and the number of the epoch. Out: `Scores`. Next stage: `train` judges
the epoch by them.
"""

from collections.abc import Callable
from typing import Any

import jax
import ml_collections
import numpy as np

from lipfake_jax.data.dataset import Split
from lipfake_jax.inference.parallel_eval import parallel_eval_step
from lipfake_jax.inference.split_scores import score_clips
from lipfake_jax.scoring.scores import Scores, video_scores
from lipfake_jax.training import parallel
from lipfake_jax.training.augment import Augmentation
from lipfake_jax.training.steps import FROZEN

STREAM = FROZEN - 1  # of the run's key

Scorer = Callable[[Any, Split, int], Scores]


def open_scorer(apply_fn: Callable, config: ml_collections.ConfigDict) -> Scorer:
  """A function of variables, split and epoch. Draws are a function of the seed, the clip, and the epoch unless frozen.

  Args:
    apply_fn: of the model.
    config: of the run.
  """
  augmentation, size, rule = Augmentation(**config.augment), config.eval.batch_size, config.model.aggregation
  if not augmentation.validation:
    step = parallel_eval_step(apply_fn)

    def score_plainly(variables: Any, split: Split, epoch: int) -> Scores:
      return video_scores(score_clips(lambda clips: step(variables, clips), split, size), split, rule)

    return score_plainly
  augmented_step = parallel.parallel_augmented_eval_step(apply_fn, augmentation)
  stream = jax.random.fold_in(jax.random.key(config.seed + 1), STREAM)

  def score(variables: Any, split: Split, epoch: int) -> Scores:
    key = jax.random.fold_in(stream, 0 if augmentation.frozen else epoch)
    firsts = iter(range(0, len(split), size))  # of the batches, which come in the split's order
    logits = score_clips(lambda clips: augmented_step(variables, clips, key, np.int32(next(firsts))), split, size)
    return video_scores(logits, split, rule)

  return score
