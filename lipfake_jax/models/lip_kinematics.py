"""Recurrent network on how the lips' landmarks move: a fake's mouth is out of step with itself from frame to frame.

After LRNet (Sun et al. 2021, 'Improving the Efficiency and Robustness of Deepfakes Detection through Precise Geometric
Features'), which gives a face's landmarks to one GRU and their differences in time to another, and averages the
probabilities of the two. Ours: lips alone, upon a head that keeps still; the second and the third differences besides
the first; one GRU in both directions for all of them; the mean over time, where LRNet takes the last state.

    [B, T, K, 2] -> 4 kinds of motion [B, T, 8 K] -> dense 64 -> GRU 64, both ways [B, T, 128] -> mean [B, 128]
                 -> dense 64 -> dropout -> dense 1 -> [B]

90,817 parameters with K = 64.
"""

from typing import Any, ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp

# What displacement, velocity, acceleration and jerk are divided by, in widths of the mouth and per frame: their root
# mean squares over the demo's 126 real clips.
SCALES = (0.025, 0.015, 0.016, 0.023)


def find_motion(lips: jax.Array, mask: jax.Array) -> jax.Array:
  """Displacement from the clip's mean shape, velocity, acceleration and jerk of landmarks.

  The last three are the first, second and third differences from each frame to those before it in the clip, 0 where
  there are too few of them. Where a clip's frames are not neighbours in the video, neither are theirs.

  Args:
    lips: float32 [B, T, K, 2], in widths of the mouth.
    mask: bool [B, T], False for frames that only fill up the end.

  Returns:
    float32 [B, T, 4, K, 2], over SCALES.
  """
  kept = mask[..., None, None]
  mean = jnp.where(kept, lips, 0).sum(1, keepdims=True) / jnp.maximum(kept.sum(1, keepdims=True), 1)
  motion = [lips - mean]
  for order in (1, 2, 3):
    change = jnp.pad(jnp.diff(lips, order, axis=1), ((0, 0), (order, 0), (0, 0), (0, 0)))
    motion.append(change[:, : lips.shape[1]])
  return jnp.where(kept[:, :, None], jnp.stack(motion, axis=2) / jnp.array(SCALES)[:, None, None], 0)


class LipKinematics(nn.Module):
  """Lips float [B, T, K, 2], see `clips.Clip`, -> logits float32 [B].

  Attributes:
    units: of the first layer, of the GRU in each direction, and of the dense layer before the last.
    dropout: before the last layer.
    dtype: of the computation; motion and the last layer are float32.
  """

  units: int = 64
  dropout: float = 0.5
  dtype: jnp.dtype = jnp.float32

  input: ClassVar[str] = 'lips'
  input_shape: ClassVar[tuple[int, ...]] = (60, 64, 2)
  n_params: ClassVar[int] = 90_817
  source: ClassVar[str] = 'LRNet (Sun et al. 2021)'
  l2_kernels: ClassVar[tuple[tuple[str, ...], ...]] = ()

  @nn.compact
  def __call__(self, clips: jax.Array, train: bool = False, mask: jax.Array | None = None) -> jax.Array:
    batch, times = clips.shape[:2]
    mask = jnp.ones((batch, times), bool) if mask is None else mask
    motion = find_motion(clips.astype(jnp.float32), mask).reshape(batch, times, -1).astype(self.dtype)
    x: Any = jnp.tanh(nn.Dense(self.units, dtype=self.dtype, name='motion')(motion))
    forward, backward = (nn.GRUCell(self.units, dtype=self.dtype, name=name) for name in ('forward', 'backward'))
    x = nn.Bidirectional(nn.RNN(forward), nn.RNN(backward))(x, seq_lengths=mask.sum(1))
    x = x.mean(1, where=mask[..., None])
    x = nn.relu(nn.Dense(self.units, dtype=self.dtype, name='dense')(x))
    x = nn.Dropout(self.dropout, deterministic=not train)(x)
    return nn.Dense(1, dtype=jnp.float32, name='logit')(x.astype(jnp.float32))[:, 0]
