"""What is done to weights before they are shipped."""

import numpy as np
import pytest

from lipfake_jax.experiments.ship import bend_head
from lipfake_jax.models.effnet import Logit


def test_the_last_layer_is_scaled_and_shifted():
  weights = {'params': {'logit': {'kernel': np.array([0.1, -0.2]), 'bias': np.array(0.05)}, 'stem': 1}}
  features = np.array([3.0, 1.0])
  before = Logit().apply({'params': weights['params']['logit']}, features)
  assert before == pytest.approx(1.5)  # 10 (.3 - .2 + .05)
  bent = bend_head(weights, 0.5, -2.0)
  assert Logit().apply({'params': bent['params']['logit']}, features) == pytest.approx(-1.25)
  assert bent['params']['stem'] == 1
