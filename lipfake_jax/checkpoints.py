"""Checkpoints of a run: the newest to go on from, the best to use.

Each holds the parameters, the rest of the training state, and a description (`meta`) from which the model and its data
can be rebuilt without the config that made them.
"""

from pathlib import Path
from typing import Any

import jax
import orbax.checkpoint as ocp
from orbax.checkpoint.checkpoint_managers import preservation_policy as preservation

from lipfake_jax.errors import UserError
from lipfake_jax.train_state import TrainState

METRIC = 'selection'


def open_manager(workdir: Path) -> ocp.CheckpointManager:
  """The checkpoints of a run, numbered by epoch: the newest and the best one are kept."""

  def score(metrics):
    return metrics[METRIC]

  # Not max_to_keep: together with best_fn it may delete the newest one, which a restart needs.
  keep = preservation.AnyPreservationPolicy(
    [preservation.LatestN(1), preservation.BestN(get_metric_fn=score, reverse=True, n=1)]
  )
  options = ocp.CheckpointManagerOptions(preservation_policy=keep, best_fn=score, best_mode='min')
  return ocp.CheckpointManager(workdir.resolve() / 'checkpoints', options=options)


def save(manager: ocp.CheckpointManager, epoch: int, state: TrainState, meta: dict[str, Any], score: float) -> None:
  """Saves the state after an epoch; of all epochs the one of the lowest score, finite, is the best. Writes in the
  background."""
  host = jax.device_get(state)
  items = {
    'params': ocp.args.StandardSave(host.params),
    'rest': ocp.args.StandardSave(_rest(host)),
    'meta': ocp.args.JsonSave(meta),
  }
  manager.save(epoch, args=ocp.args.Composite(**items), metrics={METRIC: score})


def restore_latest(manager: ocp.CheckpointManager, state: TrainState) -> tuple[TrainState, dict[str, Any]] | None:
  """The newest state and its meta, in the shape of `state`; None where nothing was saved yet."""
  if manager.latest_step() is None:
    return None
  host = jax.device_get(state)
  items = {
    'params': ocp.args.StandardRestore(host.params),
    'rest': ocp.args.StandardRestore(_rest(host)),
    'meta': ocp.args.JsonRestore(),
  }
  saved = manager.restore(manager.latest_step(), args=ocp.args.Composite(**items))
  return state.replace(params=saved.params, **saved.rest), saved.meta


def restore_best(workdir: Path) -> tuple[Any, dict[str, Any]]:
  """Parameters and meta of the best epoch.

  Raises:
    UserError: the workdir holds no checkpoint.
  """
  if not (workdir / 'checkpoints').is_dir():
    raise UserError(f'{workdir}: no checkpoints there; train first: python run.py --config=CONFIG --workdir={workdir}')
  with open_manager(workdir) as manager:
    epoch = manager.best_step()
    if epoch is None:
      raise UserError(f'{workdir}: training has not ended its first epoch yet; start it again to go on')
    items = ocp.args.Composite(params=ocp.args.StandardRestore(), meta=ocp.args.JsonRestore())
    saved = manager.restore(epoch, args=items)
  return saved.params, saved.meta


def _rest(state: TrainState) -> dict[str, Any]:
  return {name: getattr(state, name) for name in ('step', 'updates', 'rate', 'opt_state', 'dynamic_scale')}
