"""This project's models and training step, as a run has them: bytes to the device, augmentation there, all devices.

Needs jax, flax, optax and absl-py; with --dataset also what reads it.
"""

import itertools
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from protocol import serve

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
POOL = 512  # clips that a feed holds


def prepare(options):
  keep_freed_memory()
  model = _model(options)
  state, step = _state_and_step(options)
  evaluate = parallel_eval_step(model.apply)
  batches, cache = _feed(options)
  clips = _noise(options.batch_size, model)
  key = jax.random.key(0)

  def train(count):
    nonlocal state
    done = 0
    while done < count:
      state, metrics = step(state, next(batches), key, cache)
      done += options.steps_per_dispatch
    jax.block_until_ready(metrics)

  def infer(count):
    for _ in range(count):
      evaluate(state.variables, clips)

  def device_bytes():
    return (jax.local_devices()[0].memory_stats() or {}).get('peak_bytes_in_use', 0)

  return train, infer, device_bytes


def describe(options):
  """The device, the work of a step on it, what the device does at best, and the losses that were asked for."""
  peak_flops, peak_bytes = _peaks(PRECISIONS[options.precision])
  flops, moved = _work(options)
  return {
    'jax': jax.__version__,
    'device': jax.local_devices()[0].device_kind,
    'flops': flops,
    'bytes': moved,
    'peak_flops': peak_flops,
    'peak_bytes': peak_bytes,
    'losses': _losses(options),
  }


def _model(options):
  return create_model(options.model, {}, PRECISIONS[options.precision])


def _state_and_step(options):
  model = _model(options)
  state = create_train_state(model, model.input_shape, create_optimizer(1e-4), 1e-4, options.precision, seed=0)
  schedule = create_schedule('plateau', 1, 0, 0.0)
  return state, parallel.parallel_train_step(Augmentation(), model.l2_kernels, 1e-4, schedule)


def _noise(count, model):
  """Inputs of a model, [count, ...], the same on every machine."""
  rng = np.random.default_rng(0)
  if model.input == 'clip':
    return rng.integers(0, 256, (count, *model.input_shape), np.uint8)
  return rng.standard_normal((count, *model.input_shape), np.float32)


def _feed(options):
  """Batches [K, B, ...] without end on the devices, and all clips where the devices keep them, else None."""
  size, count = options.batch_size, options.steps_per_dispatch
  if options.dataset:
    return parallel.to_devices(_read(options)), None
  labels = np.broadcast_to(np.arange(size, dtype=np.int32) % 2, (count, size))
  fixed = {'label': labels, 'weight': np.ones((count, size), np.float32)}
  if not options.feed:
    clips = _noise(count * size, _model(options))
    return parallel.to_devices(itertools.repeat({**fixed, 'clip': clips.reshape(count, size, *clips.shape[1:])})), None
  clips, rng = _noise(max(POOL, size), _model(options)), np.random.default_rng(0)
  drawn = (rng.integers(0, len(clips), (count, size), np.int32) for _ in itertools.count())
  if options.feed == 'device':
    kept = parallel.replicate(clips)
    return parallel.to_devices({**fixed, 'position': positions} for positions in drawn), kept
  if options.feed == 'disk':
    clips = _on_disk(clips)
  return parallel.to_devices({**fixed, 'clip': clips[positions]} for positions in drawn), None


def _on_disk(clips):
  """The same in a file that is gone with this process."""
  file = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the array
  clips.tofile(file)
  file.flush()
  return np.memmap(file, clips.dtype, 'r', shape=clips.shape)


def _read(options):
  """Batches of a dataset, epoch after epoch."""
  from lipfake_jax.core.clip_spec import SPECS
  from lipfake_jax.data.batches import stack_batches, train_batches
  from lipfake_jax.data.dataset import DataChoice, open_split

  split = open_split(DataChoice(options.dataset, next(iter(SPECS))), 'all', options.data_dir or None)
  epochs = (train_batches(split, options.batch_size, 0, epoch) for epoch in itertools.count())
  ones = {'weight': np.ones(options.batch_size, np.float32)}
  return stack_batches(
    ({**batch, **ones} for batch in itertools.chain.from_iterable(epochs)), options.steps_per_dispatch
  )


def _losses(options):
  """The loss of each of the first steps, with fresh weights and a new batch at each; none by default."""
  if not options.losses:
    return []
  state, step = _state_and_step(options)
  clips = _noise(options.losses * options.batch_size, _model(options))
  clips = clips.reshape(options.losses, 1, options.batch_size, *clips.shape[1:])
  labels = np.arange(options.batch_size, dtype=np.int32)[None] % 2
  batches = ({'clip': clip, 'label': labels, 'weight': np.ones(labels.shape, np.float32)} for clip in clips)
  losses = []
  for batch in parallel.to_devices(batches):
    state, metrics = step(state, batch, jax.random.key(0), None)
    losses.append(float(metrics['objective'][0]))
  return losses


def _work(options):
  """Floating-point operations of one step, forward and backward, and the bytes that it cannot do without.

  These are the clips; each convolution's output, written once and read once; parameters and their two moments, read and
  written, gradients, written and read, and the weights, read twice more. They are known of the paper's model alone: 0
  of the others.
  """
  model = _model(options)
  clips = jax.ShapeDtypeStruct((options.batch_size, *model.input_shape), jnp.float32)
  labels = jax.ShapeDtypeStruct((options.batch_size,), jnp.float32)
  variables = jax.eval_shape(model.init, jax.random.key(0), clips)
  params = variables['params']

  rest = {name: part for name, part in variables.items() if name != 'params'}

  def loss(params, rest, clips, labels):
    logits: Any = model.apply({**rest, 'params': params}, clips, False)
    return cross_entropy(logits, labels, jnp.ones_like(labels))

  flops = count_flops(jax.value_and_grad(loss), params, rest, clips, labels)
  if options.model != 'cnn_lstm':
    return flops, 0
  _, seen = jax.eval_shape(lambda p, x: model.apply({'params': p}, x, False, capture_intermediates=True), params, clips)
  kept = [seen['intermediates']['encoder'][name]['__call__'][0] for name in ('conv1', 'conv2')]
  activations = sum(leaf.size * leaf.dtype.itemsize for leaf in kept)
  weights = 4 * sum(leaf.size for leaf in jax.tree.leaves(params))
  return flops, clips.size + 2 * activations + 10 * weights


def _peaks(dtype):
  """What the device reaches on a product of two large matrices, FLOP/s, and on adding 1 to a large array, bytes/s."""
  on_cpu = jax.local_devices()[0].platform == 'cpu'
  side, length = (2048, 1 << 26) if on_cpu else (8192, 1 << 30)
  matrix, array = jax.random.normal(jax.random.key(0), (side, side), dtype), jnp.ones(length // 4, jnp.float32)
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
  serve(
    prepare,
    describe,
    jax.local_device_count,
    model='cnn_lstm',
    dataset='',
    data_dir='',
    feed='',
    steps_per_dispatch=1,
    losses=0,
  )
