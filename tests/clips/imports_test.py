"""What the room brings along: each worker process of an extraction loads it."""

import subprocess
import sys

LOAD_ALL = """
import importlib, pkgutil, sys
from lipfake_jax import clips
names = [file.name for file in pkgutil.walk_packages(clips.__path__, 'lipfake_jax.clips.')]
assert {'lipfake_jax.clips.video', 'lipfake_jax.clips.features.pixels', 'lipfake_jax.clips.beam'} <= set(names)
for name in names:
  importlib.import_module(name)
print(sorted({'jax', 'tensorflow'} & set(sys.modules)))
"""

LOAD_FEATURES = """
import sys
from lipfake_jax.clips import features
print(sorted({'av', 'cv2', 'mediapipe'} & set(sys.modules)))
"""


def run(code: str) -> str:
  """What a process of its own prints."""
  return subprocess.run([sys.executable, '-c', code], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def test_no_module_loads_jax_or_tensorflow():
  assert run(LOAD_ALL) == '[]'


def test_what_features_are_is_read_without_a_decoder():
  """Training reads their names and shapes, on machines that decode nothing."""
  assert run(LOAD_FEATURES) == '[]'
