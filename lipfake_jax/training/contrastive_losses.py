"""Losses by which what belongs together comes to lie together, and everything else apart."""

import jax
import jax.numpy as jnp
import optax


def find_moments(looks: jax.Array, sounds: jax.Array, scale: jax.Array) -> tuple[jax.Array, jax.Array]:
  """InfoNCE (van den Oord et al. 2018, 'Representation Learning with Contrastive Predictive Coding'), both ways.

  Args:
    looks, sounds: float32 [B, P, E] of length 1: P moments of each of B clips.
    scale: what cosines are multiplied by.

  Returns:
    The mean cross-entropy of finding the sound of each look among all B P sounds, and the look of each sound; and the
    share of looks whose sound is the nearest.
  """
  looks, sounds = (x.reshape(-1, x.shape[-1]) for x in (looks, sounds))
  logits, own = scale * looks @ sounds.T, jnp.arange(len(looks))
  forth, back = (optax.softmax_cross_entropy_with_integer_labels(x, own).mean() for x in (logits, logits.T))
  return (forth + back) / 2, (logits.argmax(1) == own).mean()


def find_people(similarities: jax.Array, people: jax.Array, counted: jax.Array) -> tuple[jax.Array, jax.Array]:
  """Supervised contrastive loss over people (Cozzolino et al. 2023, after Khosla et al. 2020).

  Args:
    similarities: float32 [B, B], minus squared distances over a temperature.
    people: int [B].
    counted: bool [B], False for clips that are left out.

  Returns:
    The mean, over clips of which there is another of the same person, of minus the logarithm of the share of that
    person's in the softmax over all other clips; and the share of them whose nearest clip is that person's. 0 where
    there is none.
  """
  others = counted[:, None] & counted & ~jnp.eye(len(people), dtype=bool)
  same = others & (people[:, None] == people)
  anchors = same.any(1)
  hidden = jnp.where(others, similarities, -jnp.inf)
  safe = jnp.where(anchors[:, None], hidden, 0.0)  # rows without another clip give no NaN to the gradient
  own = jnp.where(anchors[:, None], jnp.where(same, similarities, -jnp.inf), 0.0)
  losses = jax.nn.logsumexp(safe, 1) - jax.nn.logsumexp(own, 1)
  nearest = jnp.take_along_axis(same, hidden.argmax(1)[:, None], 1)[:, 0]
  count = jnp.maximum(anchors.sum(), 1)
  return (losses * anchors).sum() / count, (nearest & anchors).sum() / count


def squared_distances(x: jax.Array) -> jax.Array:
  """Of vectors of length 1 to each other: float32 [B, E] -> [B, B]."""
  return 2 - 2 * x @ x.T
