"""A CNN of five convolutions with ReLU on single frames, after Awotunde et al. 2022.

Of 'An Enhanced Deep Learning-Based DeepFake Video Detection and Classification System' (Electronics 12(1):87) it has
what the abstract says: five convolution layers with ReLU on the face cut from a frame, light in weight. Sizes are not
the paper's but the plainest: 3x3 kernels that keep height and width, filters doubling from 16, 2x2 max pooling after
each layer, and the dense head of `cnn_lstm`.

    [B T, 64, 64, 3] -> conv 16 -> pool -> 32x32 -> conv 32 -> pool -> 16x16 -> conv 64 -> pool -> 8x8
                     -> conv 128 -> pool -> 4x4 -> conv 256 -> pool -> 2x2 -> dense 128 -> dense 1 -> [B, T]

523,937 parameters. Frames are at least 32x32.
"""

from typing import ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp

from lipfake_jax.models.cnn_lstm import classify, max_pool_2x2


class Cnn5Frames(nn.Module):
  """Clips float [B, T, H, W, C] in [0, 1] -> logits float32 [B, T], one a frame; `mask` changes none of them.

  Attributes:
    filters: of the convolutions.
    hidden: units of the dense layer before the last.
    dropout: before the last layer.
    dtype: of the computation; the last layer is float32.
  """

  filters: tuple[int, ...] = (16, 32, 64, 128, 256)
  hidden: int = 128
  dropout: float = 0.5
  dtype: jnp.dtype = jnp.float32

  input: ClassVar[str] = 'clip'
  input_shape: ClassVar[tuple[int, ...]] = (60, 64, 64, 3)
  n_params: ClassVar[int] = 523_937
  source: ClassVar[str] = 'Awotunde et al. 2022'
  l2_kernels: ClassVar[tuple[tuple[str, ...], ...]] = ()

  @nn.compact
  def __call__(self, clips: jax.Array, train: bool = False, mask: jax.Array | None = None) -> jax.Array:
    batch, times, *shape = clips.shape
    x = clips.astype(self.dtype).reshape(batch * times, *shape)
    for number, filters in enumerate(self.filters, 1):
      conv = nn.Conv(filters, (3, 3), dtype=self.dtype, kernel_init=nn.initializers.he_normal(), name=f'conv{number}')
      x = max_pool_2x2(nn.relu(conv(x)))
    return classify(x.reshape(batch, times, -1), self.hidden, self.dropout, train, self.dtype)
