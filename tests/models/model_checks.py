"""What every model promises, as checks that each model's tests call on a small one of their own."""

import functools
from pathlib import Path

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from lipfake_jax.models import create_model
from lipfake_jax.models.shipped import load_shipped, save_shipped


def random_clips(shape, seed=0):
  return np.random.default_rng(seed).uniform(0, 1, shape).astype(np.float32)


def count_parameters(model: nn.Module, shape) -> int:
  """Of a model for clips of this shape (T, H, W, C), without making them."""
  variables = jax.eval_shape(model.init, jax.random.key(0), jnp.zeros((1, *shape)))
  return sum(int(np.prod(leaf.shape)) for leaf in jax.tree.leaves(variables['params']))


def random_variables(model: nn.Module, clips, *arguments):
  """Variables of usual sizes, none of them the zero or one that would hide a mistake; made without compiling `init`."""
  rng = np.random.default_rng(1)

  def draw(path, leaf):
    if len(leaf.shape) > 1:
      inputs = np.prod(leaf.shape[:-1] if leaf.shape[-1] > 1 or len(leaf.shape) < 4 else leaf.shape[:-2])
      return np.float32(rng.normal(0, np.sqrt(2 / inputs), leaf.shape))
    centre = {'scale': 1, 'var': 1, 'slope': 0.25}.get(path[-1].key, 0)
    return np.float32(centre + rng.uniform(-0.1, 0.1, leaf.shape))

  def init(key, clips):
    return model.init(key, clips, *arguments)

  return jax.tree_util.tree_map_with_path(draw, jax.eval_shape(init, jax.random.key(0), clips))


def compiled(function, **settings):
  """`jax.jit` without optimizations, which would take longer than the function runs."""
  return jax.jit(function, **settings, compiler_options={'xla_backend_optimization_level': 0})


SMALL_PROBE = {'box': [0.2, 0.08, 0.8, 0.68], 'side': 32, 'cuts': [2, 3], 'stride': 2, 'penalty': 0.005}
SMALL_FRAMES = {'blocks': 6, 'depth': 7, 'neck': 8, 'stride': 2, 'dropout': 0.0}


def ship_small(folder: Path, name: str = 'effnet_probe', arguments=SMALL_PROBE):
  """`load_shipped`, of untrained weights of a small model, which compiles in no time."""
  _, meta = load_shipped()
  variables = random_variables(create_model(name, arguments), np.zeros((1, 2, 32, 32, 3), np.float32))
  model = {**meta['model'], 'name': name, 'arguments': arguments}
  save_shipped({'params': variables['params']}, {**meta, 'model': model}, folder)
  return functools.partial(load_shipped, folder)


class Small:
  """A small model, with variables and clips for it.

  Attributes:
    forward: `(variables, clips, mask=None)` to logits, compiled.
  """

  def __init__(self, name: str, arguments, shape):
    self.name, self.arguments, self.shape = name, arguments, shape
    self.model = create_model(name, arguments)
    self.clips = random_clips((2, *shape))
    self.variables = random_variables(self.model, self.clips)
    self.forward = compiled(lambda variables, clips, mask=None: self.model.apply(variables, clips, False, mask))

  def check_momentum(self):
    """Every running statistic goes ten times as far with a momentum of .9 as with one of .99."""

    def changes(momentum):
      model = create_model(self.name, {**self.arguments, 'dropout': 0.0, 'momentum': momentum})
      step = compiled(lambda variables, clips: model.apply(variables, clips, True, mutable=['batch_stats'])[1])
      before, after = self.variables['batch_stats'], step(self.variables, self.clips)['batch_stats']
      return jax.tree.leaves(jax.tree.map(lambda a, b: b - a, before, after))

    for fast, slow in zip(changes(0.9), changes(0.99), strict=True):
      assert np.abs(slow).max() > 1e-4
      np.testing.assert_allclose(fast, 10 * slow, atol=1e-5)

  def check_time_matters(self):
    """Frames in another order give another score of the clip."""
    scores = self.forward(self.variables, self.clips)
    order = np.random.default_rng(0).permutation(self.shape[0])
    assert scores.shape == (2,)
    assert np.abs(scores - self.forward(self.variables, self.clips[:, order])).max() > 1e-5

  def check_frames_are_scored_alone(self):
    """Frames in another order only give their scores in that order."""
    scores = self.forward(self.variables, self.clips)
    order = np.random.default_rng(0).permutation(self.shape[0])
    assert scores.shape == (2, self.shape[0])
    assert np.ptp(scores, axis=1).min() > 1e-5  # the frames do differ
    np.testing.assert_allclose(self.forward(self.variables, self.clips[:, order]), scores[:, order], atol=1e-5)
    others = np.concatenate([self.clips[:, :1], 1 - self.clips[:, 1:]], axis=1)
    np.testing.assert_allclose(self.forward(self.variables, others)[:, 0], scores[:, 0], atol=1e-5)
    mask = np.ones((2, self.shape[0]), bool)
    np.testing.assert_allclose(self.forward(self.variables, self.clips, mask), scores, atol=1e-5)

  def check_padding(self, short: int):
    """Padded frames change nothing: not their content, nor that they are there."""
    mask = np.arange(self.shape[0]) < np.array([[short], [self.shape[0]]])
    padded, whole = self.forward(self.variables, self.clips, mask), self.forward(self.variables, self.clips)
    np.testing.assert_allclose(padded[1], whole[1], atol=1e-5)
    assert np.abs(padded[0] - whole[0]) > 1e-5  # without the mask they do
    np.testing.assert_allclose(padded[0], self.forward(self.variables, self.clips[:, :short])[0], atol=1e-5)
    other = np.where(mask[:, :, None, None, None], self.clips, 1 - self.clips)
    np.testing.assert_array_equal(padded, self.forward(self.variables, other, mask))

  def check_padding_in_training(self, short: int):
    """Nor do padded frames reach the batch statistics; without dropout, which is drawn for the whole length."""
    without = {key: 0.0 for key in ('dropout',) if hasattr(self.model, key)}
    model = create_model(self.name, self.arguments | without)

    @compiled
    def statistics(clips, mask):
      return model.apply(self.variables, clips, True, mask, mutable='batch_stats')[1]

    padded = statistics(self.clips, np.arange(self.shape[0]) < np.full((2, 1), short))
    for ours, theirs in zip(*map(jax.tree.leaves, (padded, statistics(self.clips[:, :short], None))), strict=True):
      np.testing.assert_allclose(ours, theirs, atol=1e-5)

  def check_low_precision(self, tolerance=0.05):
    """In bfloat16, which has 8 bits, the logits differ a little; they and the variables are float32."""
    model = create_model(self.name, self.arguments, jnp.bfloat16)
    variables = jax.eval_shape(model.init, jax.random.key(0), self.clips)
    assert {leaf.dtype for leaf in jax.tree.leaves(variables)} == {jnp.dtype(jnp.float32)}
    logits, exact = compiled(model.apply)(self.variables, self.clips), self.forward(self.variables, self.clips)
    assert logits.dtype == exact.dtype == jnp.float32
    np.testing.assert_allclose(logits, exact, atol=tolerance * max(1, np.abs(exact).max()))
    assert (logits != exact).any()

  def check_dropout(self):
    """In training two draws differ."""

    @compiled
    def draw(key):
      return self.model.apply(self.variables, self.clips, True, rngs={'dropout': key}, mutable='batch_stats')[0]

    assert (draw(jax.random.key(0)) != draw(jax.random.key(1))).any()
