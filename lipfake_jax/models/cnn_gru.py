"""CNN-GRU: the CNN-LSTM with a gated recurrent unit, which has one state and three gates, in place of its LSTM.

The GRU is that of Cho et al. 2014 in the form that Keras has by default (`reset_after=True`): the reset gate acts on
the recurrent product, not on the state before it, and both products have a bias of their own. 4,902,849 parameters for
the paper's clips of 60 frames of 64x64 RGB; all else is as in `cnn_lstm`.
"""

from typing import ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp

from lipfake_jax.models.cnn_lstm import Recurrent, State, classify, encode_frames


class GruCell(nn.Module):
  """A GRU step whose input is already projected. Gates in Keras' order: update, reset, candidate.

  The dropout mask acts on the state in the recurrent product alone; what the update gate keeps is kept whole. It is one
  for the three gates, where Keras draws one for each: so the input, too, is projected in one product.
  """

  units: int
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, carry: State, projected: jax.Array, mask: jax.Array) -> State:
    (hidden,) = carry
    recurrent = nn.Dense(3 * self.units, dtype=self.dtype, kernel_init=nn.initializers.orthogonal(), name='recurrent')
    input_z, input_r, input_h = jnp.split(projected, 3, axis=-1)
    state_z, state_r, state_h = jnp.split(recurrent(hidden * mask), 3, axis=-1)
    update, reset = nn.sigmoid(input_z + state_z), nn.sigmoid(input_r + state_r)
    candidate = jnp.tanh(input_h + reset * state_h)
    return (update * hidden + (1 - update) * candidate,)


class Gru(Recurrent):
  """A `Recurrent` of GRU steps."""

  cell = GruCell
  gates = 3
  states = 1
  bias_init = staticmethod(nn.initializers.zeros)


class CnnGru(nn.Module):
  """Clips float [B, T, H, W, C] in [0, 1] -> logits float32 [B].

  Attributes:
    filters: of the two convolutions.
    units: of the GRU.
    hidden: units of the dense layer before the last.
    gru_dropout: on the GRU's input and, drawn apart, on its recurrent state.
    dropout: before the last layer.
    dtype: of the computation; the last layer is float32.
  """

  filters: tuple[int, int] = (32, 64)
  units: int = 128
  hidden: int = 128
  gru_dropout: float = 0.3
  dropout: float = 0.5
  dtype: jnp.dtype = jnp.float32

  input: ClassVar[str] = 'clip'
  input_shape: ClassVar[tuple[int, ...]] = (60, 64, 64, 3)
  n_params: ClassVar[int] = 4_902_849
  source: ClassVar[str] = 'the paper, with the GRU of Cho et al. 2014'
  l2_kernels: ClassVar[tuple[tuple[str, ...], ...]] = (('encoder', 'conv2', 'kernel'), ('dense', 'kernel'))

  @nn.compact
  def __call__(self, clips: jax.Array, train: bool = False, mask: jax.Array | None = None) -> jax.Array:
    features = encode_frames(clips, self.filters, self.dtype)
    last = Gru(self.units, self.gru_dropout, self.gru_dropout, self.dtype, name='gru')(features, train, mask)
    return classify(last, self.hidden, self.dropout, train, self.dtype)
