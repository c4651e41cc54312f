"""The weights that come with the package: a file of arrays, and a JSON beside it that says what they are.

Arrays are float16 in NumPy's own format, read without pickle, and only if the file's SHA-256 is the JSON's. In: the
folder `weights`. Out: variables and meta, as a checkpoint gives them. Next stage: `inference.run`.
"""

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import jax
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from lipfake_jax.core.errors import UserError

FOLDER = Path(__file__).parent / 'weights'
NAME = 'lips'
SHIPPED = 'shipped'


def load_shipped(folder: Path = FOLDER) -> tuple[dict[str, Any], dict[str, Any]]:
  """Variables, float32, and meta: what checkpoints tell of themselves, and 'decision', 'limits', 'version', 'sha256'.

  Raises:
    UserError: the files are missing, or the arrays are not those that were shipped.
  """
  weights, about = (folder / f'{NAME}{suffix}' for suffix in ('.npz', '.json'))
  if not weights.is_file() or not about.is_file():
    raise UserError(f'{folder}: the shipped weights are not there: install the package anew, or name a run of your own')
  meta, data = json.loads(about.read_text()), weights.read_bytes()
  if (found := hashlib.sha256(data).hexdigest()) != meta['sha256']:
    raise UserError(f'{weights}: its SHA-256 is {found}, not {meta["sha256"]}: install the package anew')
  with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
    flat = {name: arrays[name].astype(np.float32) for name in arrays.files}
  return unflatten_dict(flat, sep='/'), meta


def save_shipped(variables: Any, meta: dict[str, Any], folder: Path) -> None:
  """Writes both files: the variables as float16, and the meta with their digest."""
  flat = flatten_dict(jax.device_get(variables), sep='/')
  buffer = io.BytesIO()
  np.savez(buffer, **{name: np.asarray(leaf, np.float16) for name, leaf in flat.items()})
  folder.mkdir(parents=True, exist_ok=True)
  (folder / f'{NAME}.npz').write_bytes(buffer.getvalue())
  described = {**meta, 'sha256': hashlib.sha256(buffer.getvalue()).hexdigest()}
  (folder / f'{NAME}.json').write_text(json.dumps(described, indent=2) + '\n')
