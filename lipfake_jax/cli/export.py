"""Writes weights for other programs: as ONNX, StableHLO or TFLite.

The file tells what its clips are and how it decides, and is kept only if its logits
are the run's. `lipfake detect --weights=lips.onnx` needs no JAX.

  lipfake export shipped --to=onnx --out=lips.onnx
  lipfake export runs/mine --to=tflite --out=mine.tflite --video=talk.mp4
"""

import os
from collections.abc import Sequence
from pathlib import Path

from lipfake_jax.cli.arguments import create_parser
from lipfake_jax.core.errors import UserError

FORMATS = ('onnx', 'stablehlo', 'tflite')  # of `export_formats`, which loads JAX


def main(arguments: Sequence[str]) -> None:
  """Prints what the file takes, its size, how far its logits are from the run's, and the time of both."""
  parser = create_parser('export', __doc__)
  parser.add_argument('weights', metavar='RUN', help="'shipped', or a run's workdir")
  parser.add_argument('--to', metavar='FORMAT', required=True, choices=FORMATS, help=', '.join(FORMATS))
  parser.add_argument('--out', metavar='FILE', type=Path, required=True, help='the file to write')
  parser.add_argument(
    '--video', metavar='VIDEO', type=Path, help="what both are compared on (default: two of the demo's, rendered)"
  )
  options = parser.parse_args(arguments)
  if options.out.is_dir():
    raise UserError(f'--out={options.out}: it is a folder: name a file')
  if options.video and not options.video.is_file():
    raise UserError(f'--video={options.video}: no such file')
  if options.weights.lower().endswith('.onnx'):
    raise UserError(f'{options.weights}: it is exported already: name the run that it was made of')

  from lipfake_jax.inference.detect import open_weights
  from lipfake_jax.inference.export import TOLERANCE, export_run

  made = export_run(open_weights(options.weights), options.to, options.out, options.video)
  print(f'{options.out}: {options.to}, {made.n_bytes / 1e6:.1f} MB, for clips [{", ".join(made.entry)}]')
  print(f'{made.n_clips} clips: logits differ by at most {made.difference:.1g} (limit {TOLERANCE:g})')
  cores, load, ms = len(os.sched_getaffinity(0)), os.getloadavg()[0], made.ms
  print(f'a clip on {cores} cores, load {load:.1f}: {ms["file"]:.0f} ms, JAX {ms["run"]:.0f} ms')
