"""Binary cross-entropy on logits, and the L2 penalty on named kernels (PAPER sections 3.4 and 3.5)."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import optax


def cross_entropy(logits: jax.Array, labels: jax.Array, weights: jax.Array) -> jax.Array:
  """Mean over the batch of weight times cross-entropy, in float32.

  Args:
    logits: float [B], or [B, N] where each clip has N scores, which its label is held against one by one; positive for
      fake.
    labels: int [B], 0 real, 1 fake.
    weights: float [B], 1 for every clip unless classes are weighted.
  """
  scores = logits.astype(jnp.float32).T  # [B] or [N, B]
  return (weights * optax.sigmoid_binary_cross_entropy(scores, labels.astype(jnp.float32))).mean()


def patch_loss(logits: jax.Array, covered: jax.Array) -> jax.Array:
  """Mean cross-entropy over the patches of which is known how far a donor covers them.

  Args:
    logits: float [B, T, G, G], positive for forged.
    covered: float [B, G, G], 0 to 1; below 0 where it is unknown.
  """
  known = (covered >= 0)[:, None] & jnp.ones_like(logits, bool)
  target = jnp.broadcast_to(jnp.clip(covered, 0, 1)[:, None], logits.shape)
  return optax.sigmoid_binary_cross_entropy(logits, target).mean(where=known)


def l2_penalty(params: Mapping[str, Any], kernels: Sequence[tuple[str, ...]]) -> jax.Array:
  """Sum of squares of the named kernels, as Keras' regularizers.l2 (no factor 1/2). Not AdamW's weight decay.

  Args:
    params: a model's parameters.
    kernels: the path of each kernel in them, e.g. ('encoder', 'conv2', 'kernel').
  """
  total = jnp.zeros((), jnp.float32)
  for path in kernels:
    leaf: Any = params
    for name in path:
      leaf = leaf[name]
    total += jnp.square(leaf.astype(jnp.float32)).sum()
  return total
