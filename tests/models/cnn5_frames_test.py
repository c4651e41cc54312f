"""The five-layer CNN: its size, and that its frames are scored one by one."""

import pytest

from lipfake_jax.models import create_model
from tests.models.model_checks import Small, count_parameters

SMALL = {'filters': (2, 2, 4, 4, 8), 'hidden': 8}


@pytest.fixture(scope='module')
def small():
  return Small('cnn5_frames', SMALL, (4, 32, 32, 3))


def test_parameter_count():
  """448 + 4,640 + 18,496 + 73,856 + 295,168 for the convolutions, 131,200 + 129 for the head."""
  assert count_parameters(create_model('cnn5_frames', {}), (60, 64, 64, 3)) == 523_937


def test_frames_are_scored_alone(small):
  small.check_frames_are_scored_alone()


@pytest.mark.slow
def test_dropout_is_for_training(small):
  small.check_dropout()


@pytest.mark.slow
def test_low_precision(small):
  small.check_low_precision()
