import os
import subprocess
import sys

import pytest

CODE = """
import jax, jax.numpy as jnp
from lipfake_jax.inference.compilation import keep_compiled
keep_compiled()
jax.jit(lambda x: x @ x)(jnp.ones((8, 8)))
"""


@pytest.mark.slow
def test_programs_are_kept_for_the_next_process(tmp_path):
  environment = {name: value for name, value in os.environ.items() if name != 'JAX_COMPILATION_CACHE_DIR'}
  environment |= {'XDG_CACHE_HOME': str(tmp_path), 'JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS': '0'}
  subprocess.run([sys.executable, '-c', CODE], env=environment, check=True)
  (folder,) = (tmp_path / 'lipfake_jax').iterdir()  # one kind of processor
  assert [path.name for path in folder.iterdir() if path.name.startswith('jit__lambda')]
