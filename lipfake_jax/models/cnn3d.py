"""A small 3D CNN: convolutions over height, width and time from the first layer on.

The three spatiotemporal convolutions are those of LipNet (Assael et al. 2016, appendix A), each with ReLU and max
pooling in space, initialised as there (He); in place of its recurrent layers, which read sentences, are a mean over
time and space and the dense head of `cnn_lstm`. LipNet standardises its input by its own training data; here it is
[0, 1].

    [B, 60, 64, 64, 3] -> conv 3x5x5 32, stride 2 -> 32x32 -> pool -> 16x16 -> conv 3x5x5 64 -> pool -> 8x8
                       -> conv 3x3x3 96 -> pool -> [B, 60, 4, 4, 96] -> mean -> [B, 96]
                       -> dense 128 -> dropout -> dense 1 -> [B]

339,425 parameters, for frames of any number and size from 16x16. A frame sees 3 frames to each side.
"""

from typing import ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp

from lipfake_jax.models.cnn_lstm import classify, max_pool_2x2
from lipfake_jax.models.layers import Conv3d, hide_padding, mean_over_time


class Cnn3d(nn.Module):
  """Clips float [B, T, H, W, C] in [0, 1] -> logits float32 [B].

  Attributes:
    filters: of the convolutions.
    kernels: of the convolutions, as (time, height, width).
    hidden: units of the dense layer before the last.
    dropout: before the last layer; LipNet's 0.5 drops channels after each pooling instead.
    dtype: of the computation; the last layer is float32.
  """

  filters: tuple[int, ...] = (32, 64, 96)
  kernels: tuple[tuple[int, int, int], ...] = ((3, 5, 5), (3, 5, 5), (3, 3, 3))
  hidden: int = 128
  dropout: float = 0.5
  dtype: jnp.dtype = jnp.float32

  input: ClassVar[str] = 'clip'
  input_shape: ClassVar[tuple[int, ...]] = (60, 64, 64, 3)
  n_params: ClassVar[int] = 339_425
  source: ClassVar[str] = 'LipNet (Assael et al. 2016)'
  l2_kernels: ClassVar[tuple[tuple[str, ...], ...]] = ()

  @nn.compact
  def __call__(self, clips: jax.Array, train: bool = False, mask: jax.Array | None = None) -> jax.Array:
    x = clips.astype(self.dtype)
    for number, (filters, kernel) in enumerate(zip(self.filters, self.kernels, strict=True), 1):
      stride = 2 if number == 1 else 1
      conv = Conv3d(filters, kernel, stride, dtype=self.dtype, name=f'conv{number}')
      x = max_pool_2x2(nn.relu(conv(hide_padding(x, mask))))
    features = mean_over_time(x.mean(axis=(2, 3)), mask)
    return classify(features, self.hidden, self.dropout, train, self.dtype)
