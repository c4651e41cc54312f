"""A line on what ImageNet's first blocks see of the lips: nothing but that line is trained.

    [B, T, S, S, 3] -> every `stride`-th frame and the one before it -> lips -> `side` pixels, EfficientNet-Lite0
    after each of `cuts`: channels' means over the picture; over each of three regions less that; how far they are from
    the frame before's, over the picture, and over the mouth less that
    -> features [B, T', F], each less its mean, by its deviation, within +-5 -> @ kernel + bias -> logits [B, T']

With a hundred people to learn from, an encoder that is trained learns the people. This one has seen none of them.
Fitted at once to frames of batches, with pseudo-fakes among them (`training.closed_form`).
"""

from typing import ClassVar

import cv2
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from lipfake_jax.models.effnet import HEAD_GAIN, Lite0, Logit

LIMIT = 5.0  # deviations, beyond which a feature says no more
SMALLEST = 1e-6  # deviation
MAX_ROUNDS = 2000  # of the solver, which needs some 120 on 12,000 frames
# In shares of a lower face of `clips.regions`: ellipses (x, y, half width, half height), and where the nose ends.
MOUTH, JAW, NOSE = (0.5, 0.4, 0.3, 0.22), (0.5, 0.48, 0.48, 0.45), 0.2
SAMPLES = 16  # a side, by which it is known how much of a cell is in a region


class EffnetProbe(nn.Module):
  """Clips float [B, T, S, S, 3] in [0, 1] -> logits float32 [B, T'], one a frame that is encoded.

  Attributes:
    box: left, top, right and bottom of the lips, in shares of the frame.
    side: of the encoder's picture, pixels.
    cuts: after how many of EfficientNet-Lite0's blocks features are taken.
    stride: every which frame is scored, each with its difference from the one before.
    penalty: weight of the kernel's squared length over two, beside the mean cross-entropy.
    dtype: of the encoder's computation; features and the line are float32.
  """

  box: tuple[float, float, float, float] = (0.2, 0.08, 0.8, 0.68)
  side: int = 96
  cuts: tuple[int, ...] = (5, 8)
  stride: int = 2
  penalty: float = 0.005
  dtype: jnp.dtype = jnp.float32

  input: ClassVar[str] = 'clip'
  l2_kernels: ClassVar[tuple[tuple[str, ...], ...]] = ()
  input_shape: ClassVar[tuple[int, ...]] = (16, 128, 128, 3)
  n_params: ClassVar[int] = 252_049
  source: ClassVar[str] = 'EfficientNet-Lite0 (Tan and Le 2019)'

  def setup(self):
    firsts = (0, *self.cuts)
    self.lite0 = [Lite0(first, last, self.dtype) for first, last in zip(firsts, self.cuts, strict=False)]
    self.scaling = Scaling()
    self.logit = Logit()

  def __call__(self, clips: jax.Array, train: bool = False, mask: jax.Array | None = None) -> jax.Array:
    del train, mask
    return self.judge(self.see(clips))

  def judge(self, features: jax.Array) -> jax.Array:
    """The logits of features: [..., F] -> [...]."""
    return self.logit(self.scaling(features))

  def see(self, clips: jax.Array) -> jax.Array:
    """The features, float32 [B, T', F]; of a clip of one frame that one's, as if nothing had moved."""
    before, frames = clips[:, : -1 : self.stride], clips[:, 1 :: self.stride]
    if clips.shape[1] == 1:
      before = frames = clips
    batch, times = frames.shape[:2]
    both = jnp.stack([before[:, :times], frames], axis=2)  # [B, T', 2, S, S, 3]
    x = 2 * cut_lips(both.reshape(-1, *frames.shape[2:]), self.box, self.side) - 1
    features = []
    for blocks in self.lite0:
      x = blocks(x)
      weights = draw_regions(self.box, x.shape[1])
      cells = x.astype(jnp.float32).reshape(batch, times, 2, -1, x.shape[-1])
      features += pool(cells[:, :, 1], cells[:, :, 0], weights)
    return jnp.concatenate(features, axis=-1)

  @nn.nowrap
  def fit(self, features: np.ndarray, labels: np.ndarray, balanced: bool) -> dict[str, dict[str, np.ndarray]]:
    """Finds all parameters but the encoder's; the same ones at every call.

    Args:
      features: float32 [N, F], of frames.
      labels: int [N], 1 for fake.
      balanced: both classes weigh the same, and p = .5 means that they are equally likely; otherwise as in the data.
    """
    from sklearn.linear_model import LogisticRegression  # here: whoever only predicts has no need of it

    mean, scale = features.mean(0), features.std(0) + SMALLEST
    scaled = np.clip((features - mean) / scale, -LIMIT, LIMIT).astype(np.float64)
    weights = 'balanced' if balanced else None
    solver = LogisticRegression(C=1 / (self.penalty * len(labels)), class_weight=weights, max_iter=MAX_ROUNDS)
    solver.fit(scaled, labels)
    line = {'kernel': solver.coef_[0] / HEAD_GAIN, 'bias': solver.intercept_[0] / HEAD_GAIN}
    found = {'scaling': {'mean': mean, 'scale': scale}, 'logit': line}
    return jax.tree.map(lambda value: np.asarray(value, np.float32), found)


class Scaling(nn.Module):
  """Features less their mean, by their deviation, within +-LIMIT: [..., F]."""

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    mean = self.param('mean', nn.initializers.zeros, (x.shape[-1],))
    scale = self.param('scale', nn.initializers.ones, (x.shape[-1],))
    return jnp.clip((x - mean) / scale, -LIMIT, LIMIT)


def cut_lips(frames: jax.Array, box: tuple[float, float, float, float], side: int) -> jax.Array:
  """What is in the box (see `EffnetProbe`), by cubic interpolation: [N, S, S, C] -> [N, side, side, C]."""
  left, top, right, bottom = (round(frames.shape[1] * edge) for edge in box)
  rows, columns = (jnp.asarray(_stretch(length, side), frames.dtype) for length in (bottom - top, right - left))
  return jnp.einsum('ph,nhwc,qw->npqc', rows, frames[:, top:bottom, left:right], columns)


def _stretch(length: int, side: int) -> np.ndarray:
  """[side, length]: OpenCV's cubic interpolation as a matrix."""
  return cv2.resize(np.eye(length, dtype=np.float32), (length, side), interpolation=cv2.INTER_CUBIC)


def draw_regions(box: tuple[float, float, float, float], cells: int) -> np.ndarray:
  """Mouth, jaw and nose as weights of the cells of a square grid over the box: float32 [cells^2, 3], sums of 1."""
  left, top, right, bottom = box
  steps = (np.arange(cells * SAMPLES) + 0.5) / (cells * SAMPLES)
  x, y = left + (right - left) * steps[None], top + (bottom - top) * steps[:, None]
  mouth = _inside(MOUTH, x, y)
  regions = np.stack([mouth, _inside(JAW, x, y) & ~mouth, np.broadcast_to(y < NOSE, mouth.shape)], axis=-1)
  shares = regions.reshape(cells, SAMPLES, cells, SAMPLES, -1).mean((1, 3)).reshape(cells**2, -1)
  return (shares / shares.sum(0)).astype(np.float32)


def _inside(ellipse: tuple[float, float, float, float], x: np.ndarray, y: np.ndarray) -> np.ndarray:
  middle_x, middle_y, width, height = ellipse
  return ((x - middle_x) / width) ** 2 + ((y - middle_y) / height) ** 2 < 1


def pool(now: jax.Array, before: jax.Array, regions: np.ndarray) -> list[jax.Array]:
  """Cells of a frame and of the one before, [..., N, C], to features [..., C], [..., 3 C], [..., C] and [..., C].

  Means over the picture; over `regions` [N, 3] less that; of how far they moved; and of the first region's, less that.
  """
  mean, moved = now.mean(-2), jnp.abs(now - before)
  by_region = jnp.einsum('...nc,nr->...rc', now, regions) - mean[..., None, :]
  change = moved.mean(-2)
  in_mouth = jnp.einsum('...nc,n->...c', moved, regions[:, 0]) - change
  return [mean, by_region.reshape(*mean.shape[:-1], -1), change, in_mouth]
