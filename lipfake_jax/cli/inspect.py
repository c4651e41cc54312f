"""Draws what a clip is made of: crops in time order, and motion.

Writes VIDEO.inspect.png: the selected crops, and the activity of every frame with
the threshold and the chosen frames. With --augment also VIDEO.augment.png: what each
augmentation of training does to the clip. With --pseudo-fakes also
VIDEO.pseudo_fakes.png: the fakes that training makes of real clips, beside the real.

  lipfake inspect a.mp4
  lipfake inspect folder/ 'b*.mp4' --config=uniform_face_60x64 --augment --out=pictures
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lipfake_jax.cli.arguments import create_parser
from lipfake_jax.core.errors import UserError
from lipfake_jax.core.names import note_lines, printable, printable_lines

if TYPE_CHECKING:
  from lipfake_jax.clips.landmarks import FaceModels
  from lipfake_jax.core.clip_spec import ClipSpec

DEFAULT_CONFIG = 'flow_lips_60x64'
LOWER_FACE = 'contiguous_lower_face_16x128'  # clips that pseudo-fakes are made of


def main(arguments: Sequence[str]) -> None:
  """Draws each video; one that can't be read is told, and ends the command with 2 after all the others."""
  parser = create_parser('inspect', __doc__)
  parser.add_argument('videos', nargs='+', metavar='VIDEO', help='a file, a folder of them, or a pattern')
  parser.add_argument(
    '--config', metavar='NAME', default=DEFAULT_CONFIG, help='what a clip is, as builders call it (%(default)s)'
  )
  parser.add_argument('--augment', action='store_true', help='also draw what each augmentation does to the clip')
  parser.add_argument(
    '--pseudo-fakes', action='store_true', help='also draw the fakes that training would make of the lower face'
  )
  parser.add_argument(
    '--out', metavar='FOLDER', type=Path, default=Path('.'), help='folder for the pictures (default: here)'
  )
  options = parser.parse_args(arguments)

  from lipfake_jax.clips.landmarks import open_face_models
  from lipfake_jax.core.clip_spec import SPECS
  from lipfake_jax.data.files import find_sources
  from lipfake_jax.report.clip_picture import name_pictures

  if options.config not in SPECS:
    raise UserError(f'--config={options.config}: choose one of {", ".join(SPECS)}')
  files, spec = find_sources(options.videos), SPECS[options.config]
  outputs = [options.out / name for name in name_pictures(files.found)]
  with open_face_models() as models:
    drawn = [
      _draw(video, spec, models, out, options.augment, options.pseudo_fakes)
      for video, out in zip(files, outputs, strict=True)
    ]
  for line in note_lines(files.named()):
    print(line)
  if not all(drawn):
    sys.exit(2)


def _draw(video: Path, spec: 'ClipSpec', models: 'FaceModels', out: Path, augment: bool, pseudo: bool) -> bool:
  """Draws into files that begin with `out`; whether the video could be read."""
  from lipfake_jax.clips.clips import Rejection
  from lipfake_jax.report.clip_picture import draw_augmentations, inspect_video

  out.parent.mkdir(parents=True, exist_ok=True)
  output = out.with_name(f'{out.name}.inspect.png')
  try:
    outcome = inspect_video(video, spec, models, output)
  except UserError as error:
    print(f'error: {printable_lines(str(error))}', file=sys.stderr)
    return False
  if isinstance(outcome, Rejection):
    print(f'{printable(str(output))} ({outcome.reason}: {outcome.detail})')
    return True
  print(printable(str(output)))
  if augment:
    output = out.with_name(f'{out.name}.augment.png')
    draw_augmentations(outcome[0], output)
    print(printable(str(output)))
  if pseudo:
    _draw_pseudo_fakes(video, models, out.with_name(f'{out.name}.pseudo_fakes.png'))
  return True


def _draw_pseudo_fakes(video: Path, models: 'FaceModels', output: Path) -> None:
  """Of the lower face, whatever else was drawn."""
  from lipfake_jax.clips.clips import Rejection, extract_clips
  from lipfake_jax.core.clip_spec import SPECS
  from lipfake_jax.report.pseudo_fake_picture import draw_pseudo_fakes

  clips = extract_clips(video, SPECS[LOWER_FACE], models)
  if isinstance(clips, Rejection):
    print(f'no pseudo-fakes of {printable(str(video))} ({clips.reason}: {clips.detail})')
    return
  draw_pseudo_fakes(clips[0], output)
  print(printable(str(output)))
