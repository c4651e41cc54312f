"""Compiled programs, kept from one run to the next."""

import hashlib
import os
import re
import sys
from pathlib import Path


def keep_compiled() -> None:
  """Has JAX keep what it compiles in a cache of the user's, so that the next run starts sooner.

  JAX_COMPILATION_CACHE_DIR names another folder, as everywhere in JAX. Each kind of processor has a folder of its own:
  homes are shared between machines, and code for one may crash on another. JAX is not loaded for this.
  """
  if 'JAX_COMPILATION_CACHE_DIR' in os.environ:
    return
  home = Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache')
  features = re.search(r'^flags.*$', Path('/proc/cpuinfo').read_text(), re.MULTILINE)
  processor = hashlib.sha256(features.group().encode()).hexdigest()[:8] if features else 'any'
  folder = str(home / 'lipfake_jax' / f'compiled-{processor}')
  os.environ['JAX_COMPILATION_CACHE_DIR'] = folder  # JAX reads it once, when it is loaded
  if 'jax' in sys.modules:
    sys.modules['jax'].config.update('jax_compilation_cache_dir', folder)
