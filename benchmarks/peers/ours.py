"""This project's model and training step, as a run has them: bytes to the device, augmentation there, all devices.

Needs jax, flax, optax, absl-py and ml-collections; with --dataset also what reads it.
"""

import itertools
import sys
import time
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from protocol import CLIP, serve

sys.path.insert(0, str(Path(__file__).parents[2]))
from lipfake_jax.inference.host_memory import keep_freed_memory
from lipfake_jax.inference.parallel_eval import parallel_eval_step
from lipfake_jax.models import create_model
from lipfake_jax.models.flops import count_flops
from lipfake_jax.training import parallel
from lipfake_jax.training.augment import Augmentation
from lipfake_jax.training.losses import cross_entropy
from lipfake_jax.training.optimizer import create_optimizer, create_schedule
from lipfake_jax.training.precision import PRECISIONS
from lipfake_jax.training.state import create_train_state

ROUNDS = 5


def prepare(options):
  keep_freed_memory()
  model = create_model('cnn_lstm', {}, PRECISIONS[options.precision])
  state = create_train_state(model, CLIP, create_optimizer(1e-4), 1e-4, options.precision, seed=0)
  schedule = create_schedule('plateau', 1, 0, 0.0)
  step = parallel.parallel_train_step(Augmentation(), model.l2_kernels, 1e-4, schedule)
  evaluate = parallel_eval_step(model.apply)
  batches = parallel.to_devices(_read(options))
  clips = np.random.default_rng(0).integers(0, 256, (options.batch_size, *CLIP), np.uint8)
  key = jax.random.key(0)

  def train(count):
    nonlocal state
    done = 0
    while done < count:
      state, metrics = step(state, next(batches), key, None)
      done += options.steps_per_dispatch
    jax.block_until_ready(metrics)

  def infer(count):
    for _ in range(count):
      evaluate(state.variables, clips)

  def device_bytes():
    return (jax.local_devices()[0].memory_stats() or {}).get('peak_bytes_in_use', 0)

  return train, infer, device_bytes


def describe(options):
  """The device, the work of a step on it, and what the device does at best."""
  peak_flops, peak_bytes = _peaks(PRECISIONS[options.precision])
  flops, moved = _work(options)
  return {
    'jax': jax.__version__,
    'device': jax.local_devices()[0].device_kind,
    'devices': jax.local_device_count(),
    'flops': flops,
    'bytes': moved,
    'peak_flops': peak_flops,
    'peak_bytes': peak_bytes,
  }


def _read(options):
  """Batches without end: of a dataset, epoch after epoch, or of noise."""
  if not options.dataset:
    size, count = options.batch_size, options.steps_per_dispatch
    clips = np.random.default_rng(0).integers(0, 256, (count, size, *CLIP), np.uint8)
    labels = np.broadcast_to(np.arange(size, dtype=np.int32) % 2, (count, size))
    return itertools.repeat({'clip': clips, 'label': labels, 'weight': np.ones((count, size), np.float32)})
  from lipfake_jax.core.clip_spec import SPECS
  from lipfake_jax.data.batches import stack_batches, train_batches
  from lipfake_jax.data.dataset import DataChoice, open_split

  split = open_split(DataChoice(options.dataset, next(iter(SPECS))), 'all', options.data_dir or None)
  epochs = (train_batches(split, options.batch_size, 0, epoch) for epoch in itertools.count())
  ones = {'weight': np.ones(options.batch_size, np.float32)}
  return stack_batches(
    ({**batch, **ones} for batch in itertools.chain.from_iterable(epochs)), options.steps_per_dispatch
  )


def _work(options):
  """Floating-point operations of one step, forward and backward, and the bytes that it cannot do without.

  These are the clips; each convolution's output, written once and read once; parameters and their two moments, read and
  written, gradients, written and read, and the weights, read twice more.
  """
  model = create_model('cnn_lstm', {}, PRECISIONS[options.precision])
  clips = jax.ShapeDtypeStruct((options.batch_size, *CLIP), jnp.float32)
  labels = jax.ShapeDtypeStruct((options.batch_size,), jnp.float32)
  params = jax.eval_shape(model.init, jax.random.key(0), clips)['params']

  def loss(params, clips, labels):
    logits: Any = model.apply({'params': params}, clips, False)
    return cross_entropy(logits, labels, jnp.ones_like(labels))

  flops = count_flops(jax.value_and_grad(loss), params, clips, labels)
  _, seen = jax.eval_shape(lambda p, x: model.apply({'params': p}, x, False, capture_intermediates=True), params, clips)
  kept = [seen['intermediates']['encoder'][name]['__call__'][0] for name in ('conv1', 'conv2')]
  activations = sum(leaf.size * leaf.dtype.itemsize for leaf in kept)
  weights = 4 * sum(leaf.size for leaf in jax.tree.leaves(params))
  return flops, clips.size + 2 * activations + 10 * weights


def _peaks(dtype):
  """What the device reaches on a product of two large matrices, FLOP/s, and on adding 1 to a large array, bytes/s."""
  on_cpu = jax.local_devices()[0].platform == 'cpu'
  side, length = (2048, 1 << 26) if on_cpu else (8192, 1 << 30)
  matrix, array = jnp.ones((side, side), dtype), jnp.ones(length // 4, jnp.float32)
  product, add = jax.jit(lambda a: a @ a), jax.jit(lambda a: a + 1)
  return 2 * side**3 / _best_time(product, matrix), 2 * array.nbytes / _best_time(add, array)


def _best_time(function, argument):
  times = []
  for _ in range(ROUNDS):
    started = time.perf_counter()
    jax.block_until_ready(function(argument))
    times.append(time.perf_counter() - started)
  return min(times)


if __name__ == '__main__':
  serve(prepare, describe, dataset='', data_dir='', steps_per_dispatch=1)
