"""What a figure comes from: configuration, seed, versions, hardware, and digests of weights and data.

In: a run and what it was tested on. Out: a table for the report, enough to make the figure again, or to see why not.
"""

import hashlib
import importlib.metadata
import json
import os
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
from flax.traverse_util import flatten_dict

from lipfake_jax.data.dataset import Split, digest_split
from lipfake_jax.inference.run import digest_weights

PACKAGES = ('jax', 'jaxlib', 'flax', 'optax', 'orbax-checkpoint', 'numpy', 'opencv-python', 'mediapipe', 'av')


def describe_run(workdir: Path, meta: dict[str, Any], split: Split) -> dict[str, Any]:
  """Of one evaluation.

  Args:
    workdir: of the run.
    meta: what its checkpoint tells.
    split: what was tested.

  Returns:
    'model', 'arguments', 'parameters', 'trained on', 'seed', 'clip', 'code', 'versions', 'hardware', 'weights' and
    'videos' (digests), 'config' (every field of the run by name; empty where config.json is gone).
  """
  config = _read_config(workdir)
  return {
    'model': meta['model']['name'],
    'arguments': meta['model']['arguments'],
    'aggregation': meta['model']['aggregation'],
    'trained on': [data['dataset'] for data in reversed([meta['data'], *meta['before']])],
    'seed': config.get('seed'),
    'clip': meta['clip'],
    'code': _git_revision(),
    'versions': {'python': platform.python_version()} | {name: importlib.metadata.version(name) for name in PACKAGES},
    'hardware': describe_hardware(),
    'weights': digest_weights(meta),
    'videos': f'sha256:{digest_videos(split)}',
    'config': config,
  }


def describe_hardware() -> str:
  """Processor, cores and JAX's devices, for people."""
  devices = ', '.join(sorted({device.device_kind for device in jax.devices()}))
  return f'{_processor()}, {len(os.sched_getaffinity(0))} cores; JAX on {jax.device_count()} x {devices}'


def write_figures(path: Path, meta: dict[str, Any], split: Split, figures: Mapping[str, Any]) -> None:
  """Writes figures of a run on a split as JSON, with the digests by which a page knows whether they are its own."""
  path.parent.mkdir(parents=True, exist_ok=True)
  path.write_text(json.dumps({'weights': digest_weights(meta), 'data': digest_split(split), **figures}, indent=2))


def digest_videos(split: Split) -> str:
  """SHA-256 over the digests of the split's videos, in any order of them."""
  return hashlib.sha256('\n'.join(sorted(set(split.table['sha256']))).encode()).hexdigest()


def _read_config(workdir: Path) -> dict[str, Any]:
  path = workdir / 'config.json'
  return flatten_dict(json.loads(path.read_text()), sep='.') if path.exists() else {}


def _processor() -> str:
  lines = Path('/proc/cpuinfo').read_text().splitlines() if Path('/proc/cpuinfo').exists() else []
  return next((line.partition(':')[2].strip() for line in lines if line.startswith('model name')), platform.machine())


def _git_revision() -> str:
  """The code's revision, '+' after it where files differ from it; 'unknown' outside of a repository."""
  command = ['git', '-C', str(Path(__file__).parent), 'describe', '--always', '--abbrev=12', '--dirty=+']
  found = subprocess.run(command, capture_output=True, text=True, check=False)
  return found.stdout.strip() or 'unknown'
