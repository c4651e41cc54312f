"""Checkpoints of a run: the newest to go on from, the best to use.

Each holds the weights (parameters and batch statistics), the rest of the training state, and a description (`meta`),
from which the model and its data can be rebuilt without the config that made them. They are numbered by step. One that
was not written to its end does not count; one whose bytes have changed since is found out by its digests.
"""

import hashlib
import math
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
from jax.experimental import multihost_utils
from orbax.checkpoint.checkpoint_managers import preservation_policy as preservation

from lipfake_jax.core.errors import UserError

State = Any  # `training.state.TrainState`, which holds what is saved here

METRIC = 'selection'
KEPT = 3  # the two newest (the older one in case that the newer is damaged) and the best


def started(workdir: Path) -> bool:
  """Whether a run has saved anything there, to its end: `5.orbax-checkpoint-tmp` is a write that was cut short."""
  return any(path.name.isdigit() for path in (workdir / 'checkpoints').glob('*'))


def open_manager(workdir: Path) -> ocp.CheckpointManager:
  """The checkpoints of a run."""

  def score(metrics):
    return metrics[METRIC]

  # Not max_to_keep: together with best_fn it may delete the newest one, which a restart needs.
  best = preservation.BestN(get_metric_fn=score, reverse=True, n=1, keep_checkpoints_without_metrics=False)
  keep = preservation.AnyPreservationPolicy([preservation.LatestN(KEPT - 1), best])
  options = ocp.CheckpointManagerOptions(preservation_policy=keep, best_fn=score, best_mode='min')
  return ocp.CheckpointManager(workdir.resolve() / 'checkpoints', options=options)


def save(manager: ocp.CheckpointManager, state: State, meta: dict[str, Any], score: float | None) -> None:
  """Saves the state, in the background.

  Args:
    manager: of the run.
    state: after some step.
    meta: what describes it.
    score: after an epoch: the one of the lowest score, finite, is the best. None within an epoch.
  """
  host = jax.device_get(state)
  digests = {'weights': digest(host.variables), 'rest': digest(_rest(host))}
  items = {
    'weights': ocp.args.StandardSave(host.variables),
    'rest': ocp.args.StandardSave(_rest(host)),
    'meta': ocp.args.JsonSave({**meta, 'digests': digests}),
  }
  metrics = {METRIC: math.inf if score is None else score}  # Orbax would warn of a checkpoint without any
  manager.save(int(host.step), args=ocp.args.Composite(**items), metrics=metrics, force=True)


def restore_latest(manager: ocp.CheckpointManager, state: State) -> tuple[State, dict[str, Any]] | None:
  """The newest whole state and its meta, in the shape of `state`; None where nothing was saved yet.

  Damaged ones are named, and moved to `damaged/` beside the checkpoints.

  Raises:
    UserError: all are damaged.
  """
  steps = sorted(manager.all_steps(), reverse=True)
  for step in steps:
    try:
      return _restore_state(manager, step, state)
    except Exception as error:  # many kinds, by what is damaged
      aside = Path(manager.directory).parent / 'damaged' / str(step)
      print(f'checkpoint {step} is damaged ({_first_line(error)}): it is now {aside}, and the one before it is tried')
      if jax.process_index() == 0:
        aside.parent.mkdir(exist_ok=True)
        (Path(manager.directory) / str(step)).rename(aside)
      multihost_utils.sync_global_devices(f'checkpoint {step} is aside')  # of several processes, all find the same
      manager.reload()
  if steps:
    raise UserError(f'no checkpoint of {Path(manager.directory).parent} is whole: start anew in another --workdir')
  return None


def restore_best(workdir: Path) -> tuple[Any, dict[str, Any]]:
  """Weights ({'params': ..., 'batch_stats': ...}, the latter if there are any) and meta of the best epoch.

  Raises:
    UserError: the workdir holds no checkpoint, or a damaged one.
  """
  if not (workdir / 'checkpoints').is_dir():
    raise UserError(f'{workdir}: no checkpoints there; train first: python run.py --config=CONFIG --workdir={workdir}')
  with open_manager(workdir) as manager:
    step = manager.best_step()
    if step is None or manager.metrics(step)[METRIC] == math.inf:
      raise UserError(f'{workdir}: training has not ended its first epoch yet; start it again to go on')
    items = ocp.args.Composite(weights=ocp.args.StandardRestore(), meta=ocp.args.JsonRestore())
    try:
      saved = manager.restore(step, args=items)
      _check_digest(saved.weights, saved.meta, 'weights')
    except Exception as error:
      raise UserError(
        f'{workdir}: checkpoint {step}, the best one, is damaged ({_first_line(error)}):'
        ' train anew in another --workdir'
      ) from error
  return saved.weights, saved.meta


def digest(tree: Any) -> str:
  """SHA-256 of all arrays of a tree, in order."""
  total = hashlib.sha256()
  for leaf in jax.tree.leaves(tree):
    total.update(np.ascontiguousarray(leaf).tobytes())
  return total.hexdigest()


def state_bytes(state: State) -> int:
  """Size of one checkpoint, about."""
  return sum(leaf.nbytes for leaf in jax.tree.leaves((state.variables, _rest(state))))


def _restore_state(manager: ocp.CheckpointManager, step: int, state: State) -> tuple[State, dict[str, Any]]:
  host = jax.device_get(state)
  items = {
    'weights': ocp.args.StandardRestore(host.variables),
    'rest': ocp.args.StandardRestore(_rest(host)),
    'meta': ocp.args.JsonRestore(),
  }
  saved = manager.restore(step, args=ocp.args.Composite(**items))
  for name in ('weights', 'rest'):
    _check_digest(saved[name], saved.meta, name)
  return state.replace(**saved.weights, **saved.rest), saved.meta


def _check_digest(tree: Any, meta: dict[str, Any], name: str) -> None:
  if digest(tree) != meta['digests'][name]:
    raise ValueError(f'{name}: the bytes are not those that were saved')


def _first_line(error: Exception) -> str:
  return f'{type(error).__name__}: {error}'.splitlines()[0][:160]


def _rest(state: State) -> dict[str, Any]:
  return {name: getattr(state, name) for name in ('step', 'updates', 'rate', 'opt_state', 'dynamic_scale')}
