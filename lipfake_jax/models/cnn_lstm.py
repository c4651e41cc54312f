"""CNN-LSTM of the paper: one small CNN for every frame, an LSTM over the frames, a dense head (PAPER section 3.4).

Shapes for the paper's clips, B clips of T = 60 frames of 64x64 RGB:

    [B, 60, 64, 64, 3] -> conv 32 -> 62x62 -> pool -> 31x31 -> conv 64 -> 29x29 -> pool -> 14x14 -> [B, 60, 12544]
                       -> LSTM 128, last step -> [B, 128] -> dense 128 -> dropout -> dense 1 -> [B]

6,524,609 parameters. Padding, dropout rates and initial values are those of the released Keras code.
"""

from collections.abc import Callable
from typing import ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp

State = tuple[jax.Array, ...]

glorot = nn.initializers.glorot_uniform()


class FrameEncoder(nn.Module):
  """One frame to one feature vector: [B, H, W, C] -> [B, F]."""

  filters: tuple[int, int] = (32, 64)
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, frames: jax.Array) -> jax.Array:
    first, second = self.filters
    x = max_pool_2x2(nn.relu(ThinConv(first, self.dtype, name='conv1')(frames)))
    conv2 = nn.Conv(second, (3, 3), padding='VALID', dtype=self.dtype, kernel_init=glorot, name='conv2')
    x = max_pool_2x2(nn.relu(conv2(x)))
    return x.reshape(x.shape[0], -1)


class ThinConv(nn.Module):
  """A 3x3 convolution of few channels, padding 'VALID', with the parameters of `nn.Conv`: [B, H, W, C].

  On a CPU its 9 C inputs are laid side by side for one matrix product, which makes the paper's training step a tenth
  faster than XLA's convolution does. With more channels, and elsewhere, the convolution is faster.
  """

  filters: int
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    kernel = self.param('kernel', glorot, (3, 3, x.shape[-1], self.filters)).astype(self.dtype)
    bias = self.param('bias', nn.initializers.zeros, (self.filters,)).astype(self.dtype)
    return jax.lax.platform_dependent(x, kernel, cpu=_conv_by_product, default=_conv) + bias


def _conv(x: jax.Array, kernel: jax.Array) -> jax.Array:
  return jax.lax.conv_general_dilated(x, kernel, (1, 1), 'VALID', dimension_numbers=('NHWC', 'HWIO', 'NHWC'))


def _conv_by_product(x: jax.Array, kernel: jax.Array) -> jax.Array:
  batch, height, width = x.shape[0], x.shape[1] - 2, x.shape[2] - 2
  shifted = [x[:, row : row + height, column : column + width] for row in range(3) for column in range(3)]
  weights = kernel.reshape(-1, kernel.shape[-1])
  rows = jnp.concatenate(shifted, axis=-1).reshape(-1, len(weights))  # a product of two axes each is the fast one
  return (rows @ weights).reshape(batch, height, width, -1)


class LstmCell(nn.Module):
  """An LSTM step whose input is already projected: only the recurrent product is left to the scan.

  Gates in Keras' order: input, forget, candidate, output. The dropout mask on the recurrent state is given from
  outside, one for the whole sequence.
  """

  units: int
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, carry: State, projected: jax.Array, mask: jax.Array) -> State:
    hidden, cell = carry
    recurrent = nn.Dense(
      4 * self.units, use_bias=False, dtype=self.dtype, kernel_init=nn.initializers.orthogonal(), name='recurrent'
    )
    i, f, g, o = jnp.split(projected + recurrent(hidden * mask), 4, axis=-1)
    cell = nn.sigmoid(f) * cell + nn.sigmoid(i) * jnp.tanh(g)
    hidden = nn.sigmoid(o) * jnp.tanh(cell)
    return hidden, cell


class Recurrent(nn.Module):
  """The last hidden state of a sequence: [B, T, F] -> [B, units]. Dropout as in Keras: one mask a sequence.

  Where `real`, bool [B, T], is False the state stays as it was.
  """

  units: int
  dropout: float
  recurrent_dropout: float
  dtype: jnp.dtype = jnp.float32

  cell: ClassVar[type[nn.Module]]
  gates: ClassVar[int]  # how many times `units` wide the projected input is
  states: ClassVar[int]  # arrays of [B, units] from step to step, the hidden state first
  bias_init: ClassVar[Callable[..., jax.Array]]  # of the projection

  @nn.compact
  def __call__(self, sequence: jax.Array, train: bool, real: jax.Array | None = None) -> jax.Array:
    sequence = nn.Dropout(self.dropout, broadcast_dims=(1,), deterministic=not train)(sequence)
    projection = nn.Dense(
      self.gates * self.units, dtype=self.dtype, kernel_init=glorot, bias_init=self.bias_init, name='input'
    )
    projected = projection(sequence)
    state = jnp.zeros((sequence.shape[0], self.units), projected.dtype)
    mask = nn.Dropout(self.recurrent_dropout, deterministic=not train)(jnp.ones_like(state))

    def step(cell: nn.Module, carry: State, now: jax.Array, real_now: jax.Array | None):
      new = cell(carry, now, mask)
      if real_now is not None:
        new = jax.tree.map(lambda x, y: jnp.where(real_now[:, None], x, y), new, carry)
      return new, None

    scan = nn.scan(step, variable_broadcast='params', split_rngs={'params': False}, in_axes=1)
    (hidden, *_), _ = scan(self.cell(self.units, self.dtype, name='cell'), (state,) * self.states, projected, real)
    return hidden


def forget_bias(key: jax.Array, shape: tuple[int, ...], dtype=jnp.float32) -> jax.Array:
  """Zeros, and ones for the forget gate, the second of four (Keras' unit_forget_bias)."""
  del key
  units = shape[0] // 4
  return jnp.zeros(shape, dtype).at[units : 2 * units].set(1)


class Lstm(Recurrent):
  """A `Recurrent` of LSTM steps, the forget gate open at first."""

  cell = LstmCell
  gates = 4
  states = 2
  bias_init = staticmethod(forget_bias)


class CnnLstm(nn.Module):
  """The paper's model: clips float [B, T, H, W, C] in [0, 1] -> logits float32 [B].

  Attributes:
    filters: of the two convolutions.
    units: of the LSTM.
    hidden: units of the dense layer before the last.
    lstm_dropout: on the LSTM's input and, drawn apart, on its recurrent state.
    dropout: before the last layer.
    dtype: of the computation; the last layer is float32.
  """

  filters: tuple[int, int] = (32, 64)
  units: int = 128
  hidden: int = 128
  lstm_dropout: float = 0.3
  dropout: float = 0.5
  dtype: jnp.dtype = jnp.float32

  input: ClassVar[str] = 'clip'
  input_shape: ClassVar[tuple[int, ...]] = (60, 64, 64, 3)
  n_params: ClassVar[int] = 6_524_609
  source: ClassVar[str] = 'the paper, section 3.4'
  l2_kernels: ClassVar[tuple[tuple[str, ...], ...]] = (('encoder', 'conv2', 'kernel'), ('dense', 'kernel'))

  @nn.compact
  def __call__(self, clips: jax.Array, train: bool = False, mask: jax.Array | None = None) -> jax.Array:
    features = encode_frames(clips, self.filters, self.dtype)
    last = Lstm(self.units, self.lstm_dropout, self.lstm_dropout, self.dtype, name='lstm')(features, train, mask)
    return classify(last, self.hidden, self.dropout, train, self.dtype)


def encode_frames(clips: jax.Array, filters: tuple[int, int], dtype: jnp.dtype) -> jax.Array:
  """Adds a `FrameEncoder` to the calling module: [B, T, H, W, C] -> [B, T, F]."""
  batch, times, *shape = clips.shape
  frames = clips.astype(dtype).reshape(batch * times, *shape)
  return FrameEncoder(filters, dtype, name='encoder')(frames).reshape(batch, times, -1)


def classify(x: jax.Array, hidden: int, dropout: float, train: bool, dtype: jnp.dtype) -> jax.Array:
  """Adds the dense head to the calling module: [..., F] -> logits float32 [...]."""
  x = nn.relu(nn.Dense(hidden, dtype=dtype, kernel_init=glorot, name='dense')(x))
  x = nn.Dropout(dropout, deterministic=not train)(x)
  return nn.Dense(1, dtype=jnp.float32, kernel_init=glorot, name='logit')(x.astype(jnp.float32))[..., 0]


def max_pool_2x2(x: jax.Array) -> jax.Array:
  """2x2 max pooling of [..., H, W, C]; an odd last row or column is dropped.

  Written as a reshape: its gradient is several times faster in XLA on CPU than that of a window reduction.
  """
  *batch, h, w, c = x.shape
  x = x[..., : h // 2 * 2, : w // 2 * 2, :]
  return x.reshape(*batch, h // 2, 2, w // 2, 2, c).max(axis=(-4, -2))
