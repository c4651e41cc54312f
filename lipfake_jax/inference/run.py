"""A trained run, opened: its best weights as a function that scores clips, and how it decides.

In: a workdir with checkpoints, or the shipped weights. Out: a `Run`. Next stages: `predict` and `detect` score a user's
videos, `evaluation` measures it. Nothing here reads datasets, and Orbax is loaded where there are checkpoints only, JAX
where there are weights for it only: a file of `export_formats` needs none, see `onnx_weights`.
"""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lipfake_jax.data.batch_sizes import size_batches
from lipfake_jax.scoring.conformal import Limits
from lipfake_jax.scoring.verdict import Decision, read_decision

if TYPE_CHECKING:
  import flax.linen as nn


@dataclasses.dataclass(frozen=True)
class Run:
  """A trained run.

  Attributes:
    workdir: of it.
    score: its best weights as a function from its model's input [B, ...] to float32 logits, see `score_arrays`.
    meta: what their checkpoint tells.
    decision: how it decides.
    limits: between which scores it does not, where they were fitted.
    variables: its best weights, where they are JAX's.
  """

  workdir: Path
  score: Callable[[np.ndarray], np.ndarray]
  meta: dict[str, Any]
  decision: Decision
  limits: Limits | None = None
  variables: Any = None

  @property
  def rule(self) -> str:
    """How the scores of a video become one, see `aggregation`."""
    return self.meta['model']['aggregation']


def open_run(workdir: Path) -> Run:
  """The run in a workdir, or weights that are kept in a folder as the shipped ones are.

  Raises:
    UserError: it has no checkpoint, or a damaged one.
  """
  from lipfake_jax.models.shipped import NAME

  if (workdir / f'{NAME}.json').is_file():
    return open_shipped(workdir)
  from lipfake_jax.inference import checkpoints  # Orbax: not above, since shipped weights need none of it

  weights, meta = checkpoints.restore_best(workdir)
  return _assemble(workdir, weights, meta, read_decision(workdir), None)


def open_shipped(folder: Path | None = None) -> Run:
  """The shipped weights as a run, which needs no workdir; or those kept alike in another folder.

  Raises:
    UserError: they are missing or damaged.
  """
  from lipfake_jax.models.shipped import FOLDER, load_shipped

  weights, meta = load_shipped(folder or FOLDER)
  return _assemble(folder or FOLDER, weights, meta, Decision(**meta['decision']), Limits(**meta['limits']))


def reweigh(run: Run, variables: Any) -> Run:
  """The run with other weights in the place of its own, of the same shapes."""
  return _assemble(run.workdir, variables, run.meta, run.decision, run.limits)


def read_model(meta: dict[str, Any]) -> 'nn.Module':
  """A run's model, without weights."""
  from lipfake_jax.models import create_model

  return create_model(meta['model']['name'], meta['model']['arguments'])


def read_input(meta: dict[str, Any]) -> str:
  """The feature that a run's model takes, the name of one of `clips.features.FEATURES`."""
  return meta['input'] if 'input' in meta else read_model(meta).input  # an exported model tells it


def digest_weights(meta: dict[str, Any]) -> str:
  """The digest of a run's best weights, by which what was measured with them is known."""
  return f'sha256:{meta["digests"]["weights"]}'


def score_arrays(score: Callable[[np.ndarray], np.ndarray], clips: Sequence[np.ndarray], batch_size: int) -> np.ndarray:
  """Logits of clips that are at hand, float32 [N] or [N, M].

  Args:
    score: from clips [B, ...] to float32 logits [B], or [B, M] of M scores a clip.
    clips: N of one shape; there may be none.
    batch_size: clips at once, at most; the last batch is padded to one of a few sizes, see `size_batches`.
  """
  logits: list[np.ndarray] = []
  for size in size_batches(len(clips), batch_size):
    batch = np.stack(clips[len(logits) : len(logits) + size])
    padding = np.zeros((size - len(batch), *batch.shape[1:]), batch.dtype)
    logits += list(score(np.concatenate([batch, padding]))[: len(batch)])
  return np.stack(logits) if logits else np.zeros(0, np.float32)


def _assemble(workdir: Path, variables: Any, meta: dict[str, Any], decision: Decision, limits: Limits | None) -> Run:
  import jax

  from lipfake_jax.inference.parallel_eval import parallel_eval_step

  step, devices = parallel_eval_step(read_model(meta).apply), jax.local_device_count()

  def score(clips: np.ndarray) -> np.ndarray:
    """Pads the clips to what the devices can share equally; of several processes, each has a share that is."""
    extra = -len(clips) % devices
    padded = np.concatenate([clips, np.zeros((extra, *clips.shape[1:]), clips.dtype)]) if extra else clips
    logits = step(variables, padded)
    return logits[: len(logits) - extra]

  return Run(workdir, score, meta, decision, limits, variables)
