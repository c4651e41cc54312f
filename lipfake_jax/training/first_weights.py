"""The first weights of a run, where they are not drawn: of another run, of ImageNet, or those that are shipped.

In: a fresh state and `config.init_from`. Out: the state with the weights, and the data that they have seen. Next stage:
`loop`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flax.traverse_util import flatten_dict

from lipfake_jax.core.errors import UserError
from lipfake_jax.inference import checkpoints
from lipfake_jax.models.effnet import STEM_BLOCKS
from lipfake_jax.models.imagenet import load_imagenet
from lipfake_jax.models.shipped import SHIPPED, load_shipped
from lipfake_jax.training.state import TrainState

IMAGENET = 'imagenet'
Seen = list[dict[str, Any]]


def take_weights(state: TrainState, source: str) -> tuple[TrainState, Seen]:
  """The state with the weights of a source, and the data that they were trained on.

  Args:
    state: of a model that was just made.
    source: 'imagenet', 'shipped', or the workdir of another run, whose best weights are taken.

  Raises:
    UserError: they are of another architecture, or there are none.
  """
  if source == IMAGENET:
    return take_imagenet(state), []
  if source == SHIPPED:
    weights, meta = load_shipped()
  else:
    weights, meta = checkpoints.restore_best(Path(source))
  return take_fitting(state, weights, meta, source)


def take_imagenet(state: TrainState) -> TrainState:
  """EfficientNet-Lite0's blocks from ImageNet.

  Raises:
    UserError: the model has no such blocks.
  """
  if parts := [name for name in state.params if name.startswith('lite0')]:
    return state.replace(params={**state.params, **_take_parts(state.params, parts, 0)})
  if not {'stem', 'trunk'} <= set(state.params):
    raise UserError('init_from=imagenet: these are weights of EfficientNet-Lite0: choose an effnet model')
  trunk = state.params['trunk']
  trunk = {**trunk, **_take_parts(trunk, [part for part in ('lite0', 'top') if part in trunk], STEM_BLOCKS)}
  return state.replace(params={**state.params, 'stem': load_imagenet(0, STEM_BLOCKS), 'trunk': trunk})


def _take_parts(params: Mapping[str, Any], parts: Sequence[str], first: int) -> dict[str, Any]:
  """ImageNet's weights of parts that follow each other, each of as many blocks as it has, from block `first`."""
  taken = {}
  for part in parts:
    last = first + sum(name.startswith('block') for name in params[part])
    taken[part] = load_imagenet(first, last)
    first = last
  return taken


def take_fitting(state: TrainState, weights: Any, meta: dict[str, Any], source: str) -> tuple[TrainState, Seen]:
  """The state with weights of the same architecture, and the data that they were trained on.

  Raises:
    UserError: they are of another.
  """
  ours, theirs = (
    {name: leaf.shape for name, leaf in flatten_dict(tree, sep='/').items()} for tree in (state.variables, weights)
  )
  if ours != theirs:
    name = next(name for name in {**ours, **theirs} if ours.get(name) != theirs.get(name))
    raise UserError(
      f'init_from={source}: its {meta["model"]["name"]} does not fit: {name} is {theirs.get(name)} there and'
      f' {ours.get(name)} here; choose the same model, and clips of the same size'
    )
  return state.replace(**weights), [meta['data'], *meta['before']]
