"""Opened runs: their scores where several devices share the clips."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lipfake_jax.core.clip_spec import ClipSpec
from lipfake_jax.models.shipped import save_shipped

CODE = """
import sys
from pathlib import Path
import jax, numpy as np
from lipfake_jax.inference.run import open_shipped, score_arrays
run, clips = open_shipped(Path(sys.argv[1])), np.arange(5 * 68, dtype=np.float32).reshape(5, 68) / 1000
print([jax.device_count(), run.score(clips).tolist(), score_arrays(run.score, list(clips), 4).tolist()])
"""


@pytest.mark.slow
def test_devices_share_any_number_of_clips(tmp_path):
  """Three of them five clips. With these weights a clip's logit is the sum of its numbers."""
  zeros, ones = np.zeros(68, np.float32), np.ones(68, np.float32)
  params = {'mean': zeros, 'scale': ones, 'kernel': ones, 'bias': zeros[0], 'slope': ones[0], 'offset': zeros[0]}
  about = {
    'model': {'name': 'motion_svm', 'arguments': {}, 'aggregation': 'mean'}, 'clip': ClipSpec(motion=True).fields(),
    'decision': {}, 'limits': {'error': 0.1, 'real': 0.9, 'fake': 0.1}, 'digests': {'weights': 'b' * 64},
  }  # fmt: skip
  save_shipped({'params': params}, about, tmp_path)
  flags = f'{os.environ["XLA_FLAGS"]} --xla_force_host_platform_device_count=3'
  environment = {**os.environ, 'XLA_FLAGS': flags}
  root = Path(__file__).parents[2]
  command = [sys.executable, '-c', CODE, str(tmp_path)]
  ended = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=True)
  devices, scores, batched = json.loads(ended.stdout)
  sums = (np.arange(5 * 68).reshape(5, 68) / 1000).sum(1)
  assert devices == 3
  np.testing.assert_allclose([scores, batched], [sums, sums], rtol=1e-5)  # some roundings of float32
