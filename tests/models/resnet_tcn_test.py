"""ResNet and temporal convolutions: the size as published, a temporal block in NumPy, the time axis and the masks."""

import numpy as np
import pytest

from lipfake_jax.models import create_model
from lipfake_jax.models.resnet_tcn import TemporalBlock, to_gray
from tests.models.model_checks import Small, compiled, count_parameters, random_clips, random_variables

SMALL = {'stem': 4, 'filters': (4, 6), 'blocks': (1, 1), 'hidden': 4, 'layers': 2}


@pytest.fixture(scope='module')
def small():
  return Small('resnet_tcn', SMALL, (9, 16, 16, 3))


def test_parameter_count():
  """ResNet-18 without its first layer has 11,166,976. With a head of 500 words it is the 36.4 million of the paper."""

  def tcn(inputs):
    convolutions = 15 * 256 * (inputs + 768) + 2 * 768
    return convolutions + 2 * 2 * 768 + 3 * 768 + (inputs + 1) * 768  # batch normalization, PReLU, shortcut

  front, slopes = 5 * 7 * 7 * 64 + 3 * 64, 2 * 2 * (64 + 128 + 256 + 512)
  body = front + 11_166_976 + slopes + tcn(512) + 3 * tcn(768)
  total = count_parameters(create_model('resnet_tcn', {}), (60, 64, 64, 3))
  assert total == body + 769 == 35_990_785
  assert round((body + 500 * 769) / 1e6, 1) == 36.4


def test_gray():
  clip = np.zeros((1, 1, 1, 1, 3), 'f4')
  clip[..., 1] = 1
  assert float(to_gray(clip).squeeze()) == pytest.approx(0.587)
  assert to_gray(clip[..., :1]).tolist() == clip[..., :1].tolist()


def test_temporal_block_in_numpy():
  block, x = TemporalBlock(2, (3, 5), 2, 0.2), random_clips((1, 7, 3)) - np.float32(0.5)
  variables = random_variables(block, x, False, None)
  p, stats = variables['params'], variables['batch_stats']

  def prelu(y, name):
    return np.where(y < 0, p[name]['slope'] * y, y)

  y = x[0]
  for number in (1, 2):
    branches = []
    for kernel in (3, 5):
      name, reach = f'conv{number}_{kernel}', kernel - 1  # half the kernel, dilated by two
      wide = np.pad(y, ((reach, reach), (0, 0)))
      z = sum(wide[2 * tap : 2 * tap + 7] @ p[name]['kernel'][tap] for tap in range(kernel)) + p[name]['bias']
      norm, moments = p[f'{name}_norm'], stats[f'{name}_norm']
      z = (z - moments['mean']) / np.sqrt(moments['var'] + 1e-5) * norm['scale'] + norm['bias']
      branches.append(prelu(z, f'{name}_prelu'))
    y = np.concatenate(branches, axis=-1)
  expected = prelu(x[0] @ p['shortcut']['kernel'] + p['shortcut']['bias'] + y, 'prelu')
  ours = compiled(lambda variables, x: block.apply(variables, x, False, None))(variables, x)
  np.testing.assert_allclose(ours[0], expected, atol=1e-5)


@pytest.mark.slow
def test_the_order_of_frames_matters(small):
  small.check_time_matters()


@pytest.mark.slow
def test_a_padded_clip_gives_what_the_shorter_one_does(small):
  small.check_padding(6)


@pytest.mark.slow
def test_padding_stays_out_of_batch_statistics(small):
  small.check_padding_in_training(6)


@pytest.mark.slow
def test_dropout_is_for_training(small):
  small.check_dropout()


@pytest.mark.slow
def test_low_precision(small):
  small.check_low_precision()
