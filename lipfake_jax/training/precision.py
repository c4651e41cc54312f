"""Which number format the computation runs in; parameters and the last layer are always float32."""

import re

import jax
import jax.numpy as jnp

from lipfake_jax.core.errors import UserError

PRECISIONS: dict[str, jnp.dtype] = {'float32': jnp.float32, 'bfloat16': jnp.bfloat16, 'float16': jnp.float16}


def resolve_precision(name: str) -> str:
  """Turns 'auto' into what the first local device does best.

  A GPU by NVIDIA older than compute capability 8.0 (a T4 is 7.5) has matrix units for float16 and none for bfloat16;
  newer ones, those by AMD (`gfx90a`) and TPUs have them for bfloat16, which needs no loss scaling. A CPU computes in
  float32.

  Args:
    name: 'float32', 'bfloat16', 'float16' or 'auto'.

  Raises:
    UserError: any other name.
  """
  if name in PRECISIONS:
    return name
  if name != 'auto':
    raise UserError(f'precision {name!r}: choose auto, {", ".join(PRECISIONS)}')
  device = jax.local_devices()[0]
  if device.platform == 'cpu':
    return 'float32'
  generation = re.fullmatch(r'(\d+)\.\d+', str(getattr(device, 'compute_capability', '')))
  return 'float16' if generation and int(generation[1]) < 8 else 'bfloat16'
