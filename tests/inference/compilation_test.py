import os
import subprocess
import sys

import pytest

LOAD, KEEP = 'import jax', 'from lipfake_jax.inference.compilation import keep_compiled; keep_compiled()'
COMPILE = 'jax.jit(lambda x: x @ x)(jax.numpy.ones((8, 8)))'


@pytest.mark.slow
@pytest.mark.parametrize('lines', [(LOAD, KEEP, COMPILE), (KEEP, LOAD, COMPILE)], ids=['after JAX', 'before it'])
def test_programs_are_kept_for_the_next_process(tmp_path, lines):
  environment = {name: value for name, value in os.environ.items() if name != 'JAX_COMPILATION_CACHE_DIR'}
  environment |= {'XDG_CACHE_HOME': str(tmp_path), 'JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS': '0'}
  subprocess.run([sys.executable, '-c', '\n'.join(lines)], env=environment, check=True)
  (folder,) = (tmp_path / 'lipfake_jax').iterdir()  # one kind of processor
  assert [path.name for path in folder.iterdir() if path.name.startswith('jit__lambda')]
