"""Where a training step of the paper's model goes, stage by stage, beside what the processor does at best.

  python benchmarks/stages.py

Each row is a network that ends a stage later than the one before it, forward and backward, and costs what that adds; so
the rows sum up to the network. Below them stands what the real step adds to it: bytes to floats, augmentation, losses
and the optimizer. FLOP are those of convolutions and products, forward and backward; what is computed twice to save
memory counts once. The ceiling is a product of two 2048x2048 matrices. Medians of rounds, in turns.
"""

import argparse
import functools
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from lipfake_jax.inference.host_memory import keep_freed_memory
from lipfake_jax.models.cnn_lstm import CnnLstm, Lstm, ThinConv, classify, max_pool_2x2
from lipfake_jax.models.flops import count_flops
from lipfake_jax.training import parallel
from lipfake_jax.training.augment import Augmentation
from lipfake_jax.training.optimizer import create_optimizer, create_schedule
from lipfake_jax.training.state import create_train_state

SIDE = 2048  # of the ceiling's matrices
STAGES = ('convolution 1, pooling', 'convolution 2, pooling', 'LSTM, dense layers')

Work = Callable[[], Any]


class Cut(nn.Module):
  """The paper's model as far as so many of its `STAGES` go: clips float [B, T, H, W, C] -> what there is then."""

  stages: int

  @nn.compact
  def __call__(self, clips: jax.Array) -> jax.Array:
    batch, times, *shape = clips.shape
    model = CnnLstm()

    def recur(x: jax.Array) -> jax.Array:
      lstm = Lstm(model.units, model.lstm_dropout, model.lstm_dropout, name='lstm')
      last = lstm(x.reshape(batch, times, -1), True)
      return classify(last, model.hidden, model.dropout, True, jnp.float32)

    steps: list[Callable[[jax.Array], jax.Array]] = [
      lambda x: max_pool_2x2(nn.relu(ThinConv(model.filters[0], name='conv1')(x))),
      lambda x: max_pool_2x2(nn.relu(nn.Conv(model.filters[1], (3, 3), padding='VALID', name='conv2')(x))),
      recur,
    ]
    x = clips.reshape(batch * times, *shape)
    for step in steps[: self.stages]:
      x = step(x)
    return x


def make_work(batch_size: int) -> tuple[dict[str, Work], dict[str, float]]:
  """What is timed, and its FLOP."""
  rng = np.random.default_rng(0)
  clips = rng.integers(0, 256, (batch_size, *CnnLstm.input_shape), np.uint8)
  floats, keys = jnp.asarray(clips / 255, jnp.float32), {'params': jax.random.key(0), 'dropout': jax.random.key(1)}
  work: dict[str, Work] = {}
  flops: dict[str, float] = {}
  for count, name in enumerate(STAGES, 1):
    module = Cut(count)
    variables = jax.jit(module.init)(keys, floats)

    def energy(variables: Any, module: nn.Module = module) -> jax.Array:
      there: Any = module.apply(variables, floats, rngs=keys)
      return (there**2).mean()

    run = jax.jit(jax.value_and_grad(energy))
    flops[name] = count_flops(run, variables)
    work[name] = functools.partial(run, variables)
  work['the whole step'] = make_step(clips)
  square = jnp.asarray(rng.random((SIDE, SIDE)), jnp.float32)
  product = jax.jit(jnp.matmul)
  work['matrix product'], flops['matrix product'] = lambda: product(square, square), 2 * SIDE**3
  return work, flops


def make_step(clips: np.ndarray) -> Work:
  """The step that a run does; it gives its memory up, so that the state goes on from call to call."""
  model = CnnLstm()
  state = create_train_state(model, model.input_shape, create_optimizer(1e-4), 1e-4, 'float32', seed=0)
  step = parallel.parallel_train_step(Augmentation(), model.l2_kernels, 1e-4, create_schedule('plateau', 1, 0, 0.0))
  count, kept, key = len(clips), [state], jax.random.key(0)
  labels = np.arange(count, dtype=np.int32)[None] % 2
  batch = {'clip': clips[None], 'label': labels, 'weight': np.ones((1, count), np.float32)}
  batches = parallel.to_devices(iter(lambda: batch, None))

  def run() -> Any:
    kept[0], metrics = step(kept[0], next(batches), key, None)
    return metrics

  return run


def time_work(work: Mapping[str, Work], rounds: int) -> dict[str, float]:
  """Seconds of each, the median of rounds."""
  seconds: dict[str, list[float]] = {name: [] for name in work}
  for number in range(rounds + 2):
    for name, run in work.items():
      began = time.perf_counter()
      jax.block_until_ready(run())
      if number >= 2:
        seconds[name].append(time.perf_counter() - began)
  return {name: statistics.median(rows) for name, rows in seconds.items()}


def main() -> None:
  """Prints a Markdown table."""
  parser = argparse.ArgumentParser(description='Where a training step goes.')
  parser.add_argument('--batch_size', type=int, default=4)
  parser.add_argument('--rounds', type=int, default=15)
  options = parser.parse_args()
  keep_freed_memory()
  work, flops = make_work(options.batch_size)
  seconds = time_work(work, options.rounds)
  ceiling = flops['matrix product'] / seconds['matrix product']
  print(f'a matrix product: {ceiling / 1e9:.0f} GFLOP/s\n')
  print('| stage | ms | GFLOP | GFLOP/s | of the ceiling |\n|---|---|---|---|---|')
  before = (0.0, 0.0)
  for name in STAGES:
    spent, done = seconds[name] - before[0], flops[name] - before[1]
    before = (seconds[name], flops[name])
    print(
      f'| {name} | {1e3 * spent:.0f} | {done / 1e9:.1f} | {done / spent / 1e9:.0f} | {done / spent / ceiling:.0%} |'
    )
  whole, done = seconds['the whole step'], before[1]
  rate = done / whole
  print(f'| augmentation, losses, optimizer | {1e3 * (whole - before[0]):.0f} | | | |')
  print(f'| **the whole step** | {1e3 * whole:.0f} | {done / 1e9:.1f} | {rate / 1e9:.0f} | {rate / ceiling:.0%} |')


if __name__ == '__main__':
  main()
