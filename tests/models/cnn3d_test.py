"""The 3D CNN: its size, its time axis and its masks."""

import pytest

from lipfake_jax.models import create_model
from tests.models.model_checks import Small, count_parameters

SMALL = {'filters': (4, 4, 6), 'hidden': 8}


@pytest.fixture(scope='module')
def small():
  return Small('cnn3d', SMALL, (8, 16, 16, 3))


def test_parameter_count():
  """7,232 + 153,664 + 165,984 for the convolutions, 12,416 + 129 for the head."""
  assert count_parameters(create_model('cnn3d', {}), (60, 64, 64, 3)) == 339_425


def test_the_order_of_frames_matters(small):
  small.check_time_matters()


def test_a_padded_clip_gives_what_the_shorter_one_does(small):
  small.check_padding(5)


@pytest.mark.slow
def test_low_precision(small):
  small.check_low_precision()
