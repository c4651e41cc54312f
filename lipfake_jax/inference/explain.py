"""Which frames and which parts of a clip carry its score, by several methods; one of them is shown.

In: an opened run, and a clip's pixels or landmarks. Out: a map for each kind of part. `evaluation.explanations` tests
the methods and writes what it found beside the weights: a map that failed is not shown. Next stage: `report.heat`.
"""

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from lipfake_jax.core.errors import UserError
from lipfake_jax.inference import occlusion
from lipfake_jax.inference.occlusion import FILLS, GRID, Parts
from lipfake_jax.inference.run import Run, digest_weights, read_input, read_model, score_arrays
from lipfake_jax.scoring.aggregation import aggregate

SHOWN = 'occlusion'  # the method, chosen on validation, see docs/explain.md
TRUST = 'explain.json'  # beside the weights: how SHOWN did in its tests
HIDDEN = 0.125  # of the parts that are hidden together, the highest, to say how much of the score they carry
MOTIONS = ('place', 'speed', 'acceleration', 'jerk')  # the kinds of motion of `lip_kinematics.find_motion`

CELLS, FRAMES, LANDMARKS = 'cells', 'frames', 'landmarks'
KINDS = {'clip': (CELLS, FRAMES), 'lips': (LANDMARKS, FRAMES)}  # of parts, by what the model is fed with

Maps = dict[str, np.ndarray]  # by kind of parts, float [N]: high where a part speaks for a fake
Method = Callable[[Run, np.ndarray, Sequence[str]], Maps]  # of a run, a clip [T, ...], and the kinds that are wanted


@dataclasses.dataclass(frozen=True)
class Explanation:
  """What carries the score of a clip.

  Attributes:
    p_fake: its score.
    maps: of each kind of part that is shown, float [N], see `Maps`.
    without: of each, the score when the highest HIDDEN of the parts are hidden together.
    motions: of a model of the lips' motion, the score without each of MOTIONS; else empty.
    trust: how the maps did in their tests, by kind; None where they were not tested with these weights.
  """

  p_fake: float
  maps: Maps
  without: dict[str, float]
  motions: dict[str, float]
  trust: Mapping[str, Any] | None


def explain_clip(run: Run, features: Mapping[str, np.ndarray]) -> Explanation:
  """What carries the score of a clip, by SHOWN, but for the kinds of parts whose maps failed their tests.

  It costs a forward pass a part.

  Args:
    run: an opened one.
    features: of the clip, see `clips.Clip`.
  """
  clip, trust = features[read_input(run.meta)], read_trust(run)
  kinds = [kind for kind in list_kinds(run) if not trust or not trust['maps'][kind]['faults']]
  maps, without = {}, {}
  for kind in kinds:
    parts = split_clip(run, clip, kind)
    maps[kind] = occlusion.occlude(run.score, parts)
    highest = occlusion.mark_highest(maps[kind], max(1, round(HIDDEN * len(parts))))
    without[kind] = _score(run, parts.hide(highest))
  return Explanation(_score(run, clip), maps, without, _without_motions(run, clip) if LANDMARKS in maps else {}, trust)


def read_trust(run: Run) -> dict[str, Any] | None:
  """What `evaluation.explanations` found with exactly these weights, if it was asked."""
  path = run.workdir / TRUST
  found = json.loads(path.read_text()) if path.is_file() else {}
  return found if found.get('weights') == digest_weights(run.meta) else None


def _score(run: Run, clip: np.ndarray) -> float:
  return aggregate(np.ravel(score_arrays(run.score, [clip], 1)), run.rule)


def _without_motions(run: Run, lips: np.ndarray) -> dict[str, float]:
  """The score when a kind of motion is 0 throughout, of `lip_kinematics`; of another model of lips there is none."""
  if run.meta['model']['name'] != 'lip_kinematics' or run.variables is None:
    return {}
  from lipfake_jax.inference import gradients  # JAX: not above, since occlusion needs none of it

  logits = gradients.silence_motions(read_model(run.meta), run.variables, lips)
  return {name: aggregate(np.ravel(logit), run.rule) for name, logit in zip(MOTIONS, logits, strict=True)}


def list_kinds(run: Run) -> tuple[str, ...]:
  """The kinds of parts that a run's clips have.

  Raises:
    UserError: its model is fed with figures of a whole video.
  """
  if (feature := read_input(run.meta)) not in KINDS:
    name = run.meta['model']['name']
    raise UserError(f'{name} takes {feature!r}, figures of a whole video, in which there is no part to show')
  return KINDS[feature]


def split_clip(run: Run, clip: np.ndarray, kind: str, fill: str = 'blur') -> Parts:
  """A clip [T, ...] in parts of a kind; `fill`, one of FILLS, is what cells are hidden by."""
  if kind == CELLS:
    return occlusion.split_cells(clip, run.meta['clip']['region'], fill)
  return occlusion.split_frames(clip) if kind == FRAMES else occlusion.split_landmarks(clip)


def find_fills(kind: str) -> tuple[str, ...]:
  """What parts of a kind can be hidden by: cells by each of FILLS, others in one way."""
  return tuple(FILLS) if kind == CELLS else ('',)


def _occlude(run: Run, clip: np.ndarray, kinds: Sequence[str]) -> Maps:
  return {kind: occlusion.occlude(run.score, split_clip(run, clip, kind)) for kind in kinds}


def _occlude_by_mean(run: Run, clip: np.ndarray, kinds: Sequence[str]) -> Maps:
  return {kind: occlusion.occlude(run.score, split_clip(run, clip, kind, 'mean')) for kind in kinds if kind == CELLS}


def _integrate(run: Run, clip: np.ndarray, kinds: Sequence[str]) -> Maps:
  from lipfake_jax.inference import gradients

  found = gradients.attribute_cells(read_model(run.meta), run.variables, clip)
  maps = {CELLS: found.sum(0).ravel(), FRAMES: found.sum((1, 2))}
  return {kind: maps[kind] for kind in kinds}


def _integrate_motion(run: Run, lips: np.ndarray, kinds: Sequence[str]) -> Maps:
  from lipfake_jax.inference import gradients

  found = gradients.attribute_motion(read_model(run.meta), run.variables, lips)
  maps = {LANDMARKS: found.sum((0, 1)), FRAMES: found.sum((1, 2))}
  return {kind: maps[kind] for kind in kinds}


def _read_patches(run: Run, clip: np.ndarray, kinds: Sequence[str]) -> Maps:
  """The mean over the frames; of a model without patches there is none."""
  from lipfake_jax.inference import gradients

  patches = gradients.read_patches(read_model(run.meta), run.variables, clip) if CELLS in kinds else None
  if patches is None:
    return {}
  return {CELLS: cv2.resize(patches.mean(0), (GRID, GRID), interpolation=cv2.INTER_AREA).ravel()}


METHODS: dict[str, dict[str, Method]] = {  # by what the model is fed with
  'clip': {
    SHOWN: _occlude,
    'occlusion by mean colour': _occlude_by_mean,
    'integrated gradients': _integrate,
    'patch logits': _read_patches,
  },
  'lips': {SHOWN: _occlude, 'integrated gradients': _integrate_motion},
}
