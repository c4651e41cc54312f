"""What models can be fed with: each file here is one feature, which it describes as FEATURE.

A new one is a new file, and nothing else: extraction, datasets and models find it by its name. One that costs time or
room, and that few models want, has a switch of its name in `ClipSpec`, too.
"""

import importlib
import pkgutil

from lipfake_jax.clips.feature import Feature
from lipfake_jax.core.clip_spec import ClipSpec


def _find_features() -> dict[str, Feature]:
  files = [importlib.import_module(f'{__name__}.{file.name}') for file in pkgutil.iter_modules(__path__)]
  return {file.FEATURE.name: file.FEATURE for file in files}


FEATURES = _find_features()


def features_of(spec: ClipSpec) -> list[Feature]:
  """The features that clips of a spec have."""
  return [feature for feature in FEATURES.values() if feature.is_in(spec)]
