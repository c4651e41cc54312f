"""EfficientNet-Lite0: its shapes, its frames and differences, and that it is PyTorch's with ImageNet's weights."""

import importlib.util

import flax.linen as nn
import jax
import numpy as np
import pytest

from lipfake_jax.core.errors import UserError
from lipfake_jax.models import create_model, imagenet
from lipfake_jax.models.effnet import Lite0, list_blocks, look_beside
from tests.models.model_checks import Small, compiled, count_parameters

SMALL = {'blocks': 4, 'depth': 5, 'neck': 8, 'stride': 2}
SHAPE = (6, 16, 16, 3)


@pytest.fixture(scope='module')
def frames():
  return Small('effnet_frames', SMALL, SHAPE)


@pytest.fixture(scope='module')
def lstm():
  return Small('effnet_lstm', {**SMALL, 'units': 4}, SHAPE)


def test_sizes():
  """Filters are those of the paper's table."""
  assert [block[3] for block in list_blocks()] == [16, *[24] * 2, *[40] * 2, *[80] * 3, *[112] * 3, *[192] * 4, 320]
  for name in ('effnet_frames', 'effnet_lstm'):
    model = create_model(name, {})
    assert count_parameters(model, model.input_shape) == model.n_params


def test_every_second_frame_is_scored_with_the_one_before(frames):
  """Of six frames the second, fourth and sixth; none but the third and the fourth reach the second score."""
  scores = frames.forward(frames.variables, frames.clips)
  assert scores.shape == (2, 3)
  for number in range(6):
    changed = frames.clips.copy()
    changed[:, number] = changed[:, number] ** 2
    moved = np.abs(frames.forward(frames.variables, changed) - scores).max(axis=0) > 1e-6
    assert moved.tolist() == [number // 2 == position for position in range(3)]


def test_one_frame_has_no_difference(frames):
  """It is scored as one that nothing moved before."""
  one = frames.forward(frames.variables, frames.clips[:, :1])
  twice = frames.forward(frames.variables, frames.clips[:, :1].repeat(2, axis=1))
  np.testing.assert_allclose(one, twice, atol=1e-5)


def test_the_lstm_sees_the_order_of_frames(lstm):
  lstm.check_time_matters()


def test_padding(lstm):
  lstm.check_padding(short=4)


@pytest.mark.parametrize('model', ['frames', 'lstm'])
def test_low_precision_and_dropout(model, request):
  small = request.getfixturevalue(model)
  small.check_low_precision(0.1)
  small.check_dropout()


def test_frames_in_patches_say_where(frames):
  """Each of 4x4 patches, of 16x16 pixels that four blocks halve twice and once more, has a logit of its own."""
  _, kept = jax.eval_shape(lambda: frames.model.apply(frames.variables, frames.clips, mutable='patches'))
  assert kept['patches']['logits'][0].shape == (2, 3, 2, 2)


def test_beside_the_stem_stand_residual_and_difference():
  """A frame of one colour has no residual; one brighter by .1 than before it differs by 4 * .1 in each pixel."""
  frames = np.full((1, 8, 8, 3), 0.5, np.float32)
  beside = np.asarray(look_beside(frames, frames - 0.1)).reshape(2, 2, 16, 2)
  np.testing.assert_allclose(beside[..., 0], 0, atol=1e-6)
  np.testing.assert_allclose(beside[..., 1], 0.4, atol=1e-5)
  frames[0, 2, 3] += 0.1  # in the first cell the pixel at 2 * 4 + 3; its neighbours see a fourth of it
  beside = np.asarray(look_beside(frames, frames)).reshape(2, 2, 16, 2)[..., 0]
  assert beside[0, 0, 11] == pytest.approx(0.8, abs=1e-5)
  assert beside[0, 0, 10] == pytest.approx(-0.2, abs=1e-5)
  assert beside[0, 1, 8] == pytest.approx(-0.2, abs=1e-5)


def test_sides_that_are_no_multiples_of_four_are_told():
  model = create_model('effnet_frames', SMALL)
  with pytest.raises(UserError, match='18x18 pixels: choose a multiple of 4'):
    model.init(jax.random.key(0), np.zeros((1, 2, 18, 18, 3), np.float32))


# PyTorch's logits of classes 0, 125, ..., 875 of the picture below, by the network of efficientnet_lite_pytorch 0.1.0.
LOGITS = (-0.55633, -0.53733, -2.68747, -1.50153, -2.96985, -1.27831, -1.42263, 0.1298)


@pytest.mark.skipif(importlib.util.find_spec(imagenet.PACKAGE) is None, reason='the weights of ImageNet are not here')
def test_equals_pytorch_on_imagenet():
  """1e-4: logits reach 7, and sums of float32 are taken in another order."""
  tensors = imagenet.read_tensors(imagenet.find_weights())
  numbers = np.arange(128 * 128 * 3).reshape(1, 128, 128, 3)
  picture = ((np.sin(numbers * 0.0137) + np.cos((numbers // 384) * 0.31)) / 2).astype(np.float32)
  features = compiled(Lite0(0, 16).apply)({'params': imagenet.load_imagenet()}, picture)
  top = imagenet.to_top(tensors)
  pooled = nn.relu6(features @ top['head'] + top['head_bias']).mean((1, 2))
  logits = np.asarray(pooled @ top['classes'] + top['class_bias'])[0]
  assert logits.argmax() == 753
  np.testing.assert_allclose(logits[::125], LOGITS, atol=1e-4)


def test_without_the_package_it_is_told(monkeypatch):
  monkeypatch.setattr(imagenet, 'PACKAGE', 'no_such_package')
  with pytest.raises(UserError, match=r'pip install no_such_package==0\.1\.0'):
    imagenet.load_imagenet()
