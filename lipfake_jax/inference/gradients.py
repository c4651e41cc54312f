"""Integrated gradients: how much each part of a clip adds to the score on the way from nothing (Sundararajan 2017).

In: a model, its weights and a clip. Out: attributions that sum to the difference of the scores of the clip and of its
baseline: blurred crops, or lips that stand still. Next stages: as of `occlusion`.
"""

import functools
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from lipfake_jax.inference.occlusion import FILLS, GRID
from lipfake_jax.inference.parallel_eval import to_float
from lipfake_jax.models.lip_kinematics import SCALES

STEPS = 8  # of the integral, at the middles of equal intervals
BASELINE = 'blur'


def attribute_cells(model: nn.Module, variables: Any, clip: np.ndarray) -> np.ndarray:
  """What each cell of each frame adds to the logit, float32 [T, G, G], of crops uint8 [T, S, S, C]."""
  return np.asarray(_integrate_cells(model, variables, clip, FILLS[BASELINE](clip) / 255))


def attribute_motion(model: nn.Module, variables: Any, lips: np.ndarray) -> np.ndarray:
  """What each kind of motion of each landmark in each frame adds, float32 [T, 4, K], of lips float32 [T, K, 2].

  Kinds are those of `lip_kinematics.find_motion`, which is the only model that this fits.
  """
  return np.asarray(_integrate_motion(model, variables, lips))


@functools.partial(jax.jit, static_argnums=0)
def _integrate_cells(model: nn.Module, variables: Any, clip: jax.Array, baseline: jax.Array) -> jax.Array:
  times, side = clip.shape[:2]
  clip, place = to_float(clip), jnp.arange(side) * GRID // side

  def logit(gates: jax.Array) -> jax.Array:
    shares = gates[:, place][:, :, place][..., None]
    return _mean_logit(model, variables, baseline + shares * (clip - baseline))

  return integrate(logit, (times, GRID, GRID))


@functools.partial(jax.jit, static_argnums=0)
def _integrate_motion(model: nn.Module, variables: Any, lips: jax.Array) -> jax.Array:
  shape = (len(lips), len(SCALES), lips.shape[1])
  return integrate(lambda gates: score_gated(model, variables, lips, gates), shape)


def integrate(logit: Callable[[jax.Array], jax.Array], shape: tuple[int, ...]) -> jax.Array:
  """The mean gradient over the way of all gates from 0 to 1, float32 of the shape; by the midpoint rule."""

  def add(total: jax.Array, share: jax.Array) -> tuple[jax.Array, None]:
    return total + jax.grad(logit)(jnp.full(shape, share)) / STEPS, None

  total, _ = jax.lax.scan(add, jnp.zeros(shape), (jnp.arange(STEPS) + 0.5) / STEPS)
  return total


def score_gated(model: nn.Module, variables: Any, lips: jax.Array, gates: jax.Array) -> jax.Array:
  """The logit of lips [T, K, 2] whose kinds of motion are multiplied by gates, [T, 4, K]: float32."""
  factors = jnp.repeat(gates[..., None], lips.shape[-1], axis=-1).reshape(1, len(lips), -1)

  def gate(call, inputs, options, context):
    if context.module.name == 'motion':  # the layer that takes the motion
      return call(inputs[0] * factors, *inputs[1:], **options)
    return call(*inputs, **options)

  with nn.intercept_methods(gate):
    return _mean_logit(model, variables, lips)


def silence_motions(model: nn.Module, variables: Any, lips: np.ndarray) -> np.ndarray:
  """The logits without each kind of motion, float32 [4], of lips float32 [T, K, 2]; see `attribute_motion`."""
  return np.asarray(_silence_motions(model, variables, lips))


@functools.partial(jax.jit, static_argnums=0)
def _silence_motions(model: nn.Module, variables: Any, lips: jax.Array) -> jax.Array:
  kinds, shape = len(SCALES), (len(SCALES), len(lips), len(SCALES), lips.shape[1])
  gates = jnp.broadcast_to(1 - jnp.eye(kinds)[:, None, :, None], shape)
  return jax.lax.map(lambda gate: score_gated(model, variables, lips, gate), gates)


def _mean_logit(model: Any, variables: Any, clip: jax.Array) -> jax.Array:
  return model.apply(variables, clip[None], False).mean()


def read_patches(model: nn.Module, variables: Any, clip: np.ndarray) -> np.ndarray | None:
  """The logits of patches, float32 [T', G', G'], of a model that has them; None of another."""
  found = _patches(model, variables, clip)
  return None if found is None else np.asarray(found)


@functools.partial(jax.jit, static_argnums=0)
def _patches(model: nn.Module, variables: Any, clip: jax.Array) -> jax.Array | None:
  _, sown = model.apply(variables, to_float(clip)[None], False, mutable=['patches'])
  return sown['patches']['logits'][0][0] if 'patches' in sown else None
