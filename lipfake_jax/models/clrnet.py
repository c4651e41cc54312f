"""CLRNet: a residual network of 50 layers whose convolutions are convolutional LSTMs, for 5 consecutive frames.

Tariq, Lee and Woo 2020, 'A Convolutional LSTM based Residual Network for Deepfake Video Detection'. The paper draws the
blocks and leaves out kernels, filters and strides: those here are of its released Keras code (CLRNet50 with residual
units of version 2, [3, 4, 6, 3] bottleneck blocks), where paper and code disagree too. Of the code are

- pre-activation: batch normalization, ReLU, convolutional LSTM, dropout, three times a block;
- a first block of the network that starts with a 3x3 kernel, without activation, and a first stage with stride 2;
- max pooling of 3x3 with stride 3 after the first layer;
- no ReLU before the last mean; hard sigmoid gates, the default of its Keras; L2 on what weights the input.

Two classes under a softmax there are one logit here.

248,105,345 parameters:

    [B, 5, 64, 64, 3] -> 7x7 64, stride 2 -> 32x32 -> pool -> 11x11 -> 3 blocks of 64 -> 6x6x256 -> 4 of 128 -> 3x3x512
                      -> 6 of 256 -> 2x2x1024 -> 3 of 512 -> [B, 5, 1, 1, 2048] -> mean -> dropout -> dense 1 -> [B]

Padding comes last and time runs forward, so that it can reach batch statistics and the mean alone: those are masked.
"""

from collections.abc import Iterator
from typing import ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp

from lipfake_jax.models.cnn_lstm import forget_bias
from lipfake_jax.models.layers import along, conv_frames, keras_norm, mean_over_time


class Clrnet(nn.Module):
  """Clips float [B, T, H, W, C] in [0, 1] -> logits float32 [B].

  Attributes:
    filters: of the first layer and of the first stage; each stage has twice those of the one before.
    blocks: bottleneck blocks of each stage; the first of each halves height and width.
    dropout: after the first two layers of a block, and before the last layer.
    momentum: of the batch statistics, see `layers.keras_norm`; .9 for runs of less than some hundred steps.
    dtype: of the computation; batch statistics and the last layer are float32.
  """

  filters: int = 64
  blocks: tuple[int, ...] = (3, 4, 6, 3)
  dropout: float = 0.25
  momentum: float = 0.99
  dtype: jnp.dtype = jnp.float32

  input: ClassVar[str] = 'clip'
  input_shape: ClassVar[tuple[int, ...]] = (5, 64, 64, 3)
  n_params: ClassVar[int] = 248_105_345
  source: ClassVar[str] = 'CLRNet (Tariq et al. 2020)'

  @property
  def l2_kernels(self) -> tuple[tuple[str, ...], ...]:
    """The kernels on the input of every convolutional LSTM, 1e-4 in the released code."""
    layers = [(name, layer) for name, number in self.block_names() for layer in Block.layers(first=number == 1)]
    return (('stem', 'input', 'kernel'), *((*path, 'input', 'kernel') for path in layers))

  def block_names(self) -> Iterator[tuple[str, int]]:
    """Name and number in its stage of every block."""
    for stage, blocks in enumerate(self.blocks, 1):
      yield from ((f'stage{stage}_block{number}', number) for number in range(1, blocks + 1))

  @nn.compact
  def __call__(self, clips: jax.Array, train: bool = False, mask: jax.Array | None = None) -> jax.Array:
    x = ConvLstm(self.filters, 7, 2, self.dtype, name='stem')(clips.astype(self.dtype))
    x = nn.relu(keras_norm(train, self.dtype, 'stem_norm', self.momentum)(x, mask=along(mask, x)))
    x = nn.max_pool(x, (3, 3), (3, 3), 'SAME')
    filters = self.filters // 2
    for name, number in self.block_names():
      first_of_all, filters = name == 'stage1_block1', filters * (2 if number == 1 else 1)
      block = Block(filters, number == 1, first_of_all, self.dropout, self.momentum, self.dtype, name=name)
      x = block(x, train, mask)
    x = keras_norm(train, self.dtype, 'norm', self.momentum)(x, mask=along(mask, x))
    features = mean_over_time(x.mean(axis=(2, 3)), mask)
    features = nn.Dropout(self.dropout, deterministic=not train)(features)
    return nn.Dense(1, dtype=jnp.float32, kernel_init=nn.initializers.he_normal(), name='logit')(features)[:, 0]


class Block(nn.Module):
  """A bottleneck of three convolutional LSTMs beside a shortcut: [B, T, H, W, C] -> [B, T, H', W', 4 filters].

  The first of a stage, the paper's CL block, has stride 2 and a fourth on its shortcut; the others are its ID blocks.
  """

  filters: int
  first: bool
  first_of_all: bool
  dropout: float
  momentum: float
  dtype: jnp.dtype = jnp.float32

  @staticmethod
  def layers(first: bool) -> tuple[str, ...]:
    """The names of its convolutional LSTMs."""
    return ('lstm1', 'lstm2', 'lstm3') + (('shortcut',) if first else ())

  @nn.compact
  def __call__(self, x: jax.Array, train: bool, mask: jax.Array | None) -> jax.Array:
    def activate(y: jax.Array, name: str) -> jax.Array:
      return nn.relu(keras_norm(train, self.dtype, name, self.momentum)(y, mask=along(mask, y)))

    def drop(y: jax.Array) -> jax.Array:
      return nn.Dropout(self.dropout, deterministic=not train)(y)

    stride = 2 if self.first else 1
    y = x if self.first_of_all else activate(x, 'norm1')
    y = drop(ConvLstm(self.filters, 3 if self.first_of_all else 1, stride, self.dtype, name='lstm1')(y))
    y = drop(ConvLstm(self.filters, 3, 1, self.dtype, name='lstm2')(activate(y, 'norm2')))
    y = ConvLstm(4 * self.filters, 1, 1, self.dtype, name='lstm3')(activate(y, 'norm3'))
    if self.first:
      x = ConvLstm(4 * self.filters, 1, stride, self.dtype, name='shortcut')(x)
      x = keras_norm(train, self.dtype, 'shortcut_norm', self.momentum)(x, mask=along(mask, x))
    return x + y


class ConvLstm(nn.Module):
  """The hidden states of a convolutional LSTM (Shi et al. 2015): [B, T, H, W, C] -> [B, T, H', W', filters].

  As Keras' ConvLSTM2D: no peepholes; the stride is that of the convolution of the input, done for all frames at once.
  """

  filters: int
  kernel: int
  stride: int = 1
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, sequence: jax.Array) -> jax.Array:
    kernel, strides = (self.kernel, self.kernel), (self.stride, self.stride)
    projection = nn.Conv(
      4 * self.filters,
      kernel,
      strides,
      dtype=self.dtype,
      kernel_init=nn.initializers.he_normal(),
      bias_init=forget_bias,
      conv_general_dilated=conv_frames,
      name='input',
    )
    projected = projection(sequence)
    state = jnp.zeros((*projected[:, 0].shape[:-1], self.filters), projected.dtype)
    # Unrolled: in a loop XLA sums the kernels' gradients up frame by frame, and a training step takes 3 times as long.
    times = sequence.shape[1]  # a symbol where a file is made for any number of frames
    scan = nn.scan(
      ConvLstmCell,
      variable_broadcast='params',
      split_rngs={'params': False},
      in_axes=1,
      out_axes=1,
      unroll=times if isinstance(times, int) else 1,
    )
    return scan(self.filters, kernel, self.dtype, name='cell')((state, state), projected)[1]


class ConvLstmCell(nn.Module):
  """One step, its input already convolved. Gates in Keras' order: input, forget, candidate, output."""

  filters: int
  kernel: tuple[int, int]
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, carry: tuple[jax.Array, jax.Array], projected: jax.Array):
    hidden, cell = carry
    recurrent = nn.Conv(
      4 * self.filters,
      self.kernel,
      use_bias=False,
      dtype=self.dtype,
      kernel_init=nn.initializers.orthogonal(),
      conv_general_dilated=conv_frames,
      name='recurrent',
    )
    i, f, g, o = jnp.split(projected + recurrent(hidden), 4, axis=-1)
    cell = hard_sigmoid(f) * cell + hard_sigmoid(i) * jnp.tanh(g)
    hidden = hard_sigmoid(o) * jnp.tanh(cell)
    return (hidden, cell), hidden


def hard_sigmoid(x: jax.Array) -> jax.Array:
  """The straight line of slope 0.2 that Keras had in place of a sigmoid until version 3."""
  return jnp.clip(0.2 * x + 0.5, 0, 1)
