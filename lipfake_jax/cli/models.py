"""Lists the models: input, parameters, source; measures speeds.

With --speed those of training and inference on this machine are measured.

  lipfake models
  lipfake models --speed --models=cnn_lstm,cnn3d --batch_size=8
"""

from collections.abc import Sequence

from lipfake_jax.cli.arguments import create_parser, split_commas
from lipfake_jax.core.errors import UserError


def main(arguments: Sequence[str]) -> None:
  """Prints a line a model, or its speeds here as Markdown, row by row."""
  parser = create_parser('models', __doc__)
  parser.add_argument('--models', metavar='NAMES', type=split_commas, help='NAME,... (default: all)')
  parser.add_argument('--speed', action='store_true', help='measure them (minutes)')
  parser.add_argument(
    '--batch_size', metavar='N', type=int, default=4, help='with --speed: clips a step, over all devices'
  )
  parser.add_argument(
    '--precision', metavar='NAME', default='auto', help='with --speed: auto, float32, bfloat16 or float16'
  )
  options = parser.parse_args(arguments)

  from lipfake_jax.models import MODELS

  names = options.models or list(MODELS)
  if unknown := [name for name in names if name not in MODELS]:
    raise UserError(f'--models: {", ".join(unknown)} is none of {", ".join(MODELS)}')
  if options.speed:
    _print_speeds(names, options.batch_size, options.precision)
  else:
    print(list_models(names))


def list_models(names: Sequence[str]) -> str:
  """A table for a terminal: name, input, trained parameters with default arguments, and where it comes from."""
  from lipfake_jax.models import create_model, describe_input

  lines = [f'{"model":17}{"input":16}{"parameters":>12}  source']
  for name in names:
    model = create_model(name, {})
    lines.append(f'{name:17}{describe_input(model):16}{model.n_params:>12,}  {model.source}')
  return '\n'.join(lines)


def _print_speeds(names: Sequence[str], batch_size: int, precision: str) -> None:
  import jax

  from lipfake_jax.experiments.model_table import describe_model
  from lipfake_jax.inference.host_memory import keep_freed_memory
  from lipfake_jax.training.precision import resolve_precision

  keep_freed_memory()
  precision = resolve_precision(precision)
  print(f'{jax.device_count()} x {jax.devices()[0].device_kind}, {precision}, batch {batch_size}\n')
  print('| model | input | parameters | GFLOP a clip, forward | training, clips/s | inference, clips/s |')
  print('|---|---|---|---|---|---|')
  for name in names:
    print(f'| {" | ".join(describe_model(name, batch_size, precision))} |', flush=True)
