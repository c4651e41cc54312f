"""What a clip is made of, as a picture: `python -m lipfake_jax.inspect VIDEO` writes a PNG.

It shows the selected crops in time order, and the activity of every frame with the threshold and the chosen ones.
"""

import argparse
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np

from lipfake_jax.clips import SPECS, Analysis, Clip, ClipSpec, Rejection, analyse_video, cut_clip
from lipfake_jax.errors import UserError
from lipfake_jax.video import VideoError

mpl.use('Agg')
from matplotlib import pyplot as plt  # after the choice of a backend that needs no screen

COLUMNS = 15  # crops in a row of the sheet
GAP = 2  # pixels between them


def contact_sheet(frames: np.ndarray) -> np.ndarray:
  """Crops side by side, row by row in time order, on white: uint8 [T, S, S, 3] -> uint8 [rows, columns, 3]."""
  total, side = len(frames), frames.shape[1]
  columns, step = min(COLUMNS, total), side + GAP
  rows = -(-total // columns)
  sheet = np.full((rows * step - GAP, columns * step - GAP, 3), 255, np.uint8)
  for position, frame in enumerate(frames):
    top, left = position // columns * step, position % columns * step
    sheet[top : top + side, left : left + side] = frame
  return sheet


def draw_clip(analysis: Analysis, outcome: Clip | Rejection, spec: ClipSpec, title: str) -> plt.Figure:
  """The picture of one video; of a rejected one, its activity alone, with the reason in the title."""
  chosen = outcome if isinstance(outcome, Clip) else None
  figure, (top, bottom) = plt.subplots(2, 1, figsize=(13, 8), height_ratios=(3 if chosen else 0.01, 2))
  top.axis('off')
  if chosen:
    top.imshow(contact_sheet(chosen.frames))
    top.set_title(f'{title}: {spec.frames} frames by {spec.rule}, in time order', loc='left')
  else:
    top.set_title(f'{title}: {outcome.reason}, {outcome.detail}', loc='left')  # type: ignore[union-attr]
  _draw_activity(bottom, analysis, chosen, spec)
  figure.tight_layout()
  return figure


def inspect_video(path: Path, spec: ClipSpec, output: Path) -> Clip | Rejection:
  """Writes the picture of one video.

  Raises:
    UserError: the file can't be read as a video.
  """
  try:
    analysis = analyse_video(path, spec)
  except (VideoError, FileNotFoundError) as error:
    raise UserError(f'{path}: {error}') from error
  outcome = cut_clip(analysis, spec, path.name)
  figure = draw_clip(analysis, outcome, spec, path.name)
  figure.savefig(output, dpi=110)
  plt.close(figure)
  return outcome


def _draw_activity(axes: plt.Axes, analysis: Analysis, chosen: Clip | None, spec: ClipSpec) -> None:
  axes.plot(analysis.times, analysis.activity, color='0.4', linewidth=1, label='activity')
  if not analysis.usable.all():
    missing = ~analysis.usable
    axes.plot(analysis.times[missing], np.zeros(missing.sum()), 'x', color='0.6', label='no face')
  if chosen:
    axes.plot(chosen.times, chosen.activity, '.', color='#c4513d', label=f'{len(chosen.times)} chosen')
  if spec.rule != 'uniform':
    axes.axhline(spec.threshold, color='k', linestyle='--', linewidth=1, label=f'threshold {spec.threshold:g}')
  axes.set(xlabel='seconds', ylabel=f'mean flow on {spec.flow_on}, px per frame', xlim=(0, None), ylim=(0, None))
  axes.legend(loc='upper right')


def main(arguments: list[str] | None = None) -> int:
  """The command; returns its exit code: 2 if a file could not be read, after all the others were."""
  parser = argparse.ArgumentParser(prog='python -m lipfake_jax.inspect', description=__doc__)
  parser.add_argument('videos', nargs='+', metavar='VIDEO', type=Path)
  parser.add_argument('--config', choices=SPECS, default='flow_lips_60x64', help='what a clip is')
  parser.add_argument('--out', type=Path, default=Path('.'), help='folder for the pictures (default: here)')
  options = parser.parse_args(arguments)
  options.out.mkdir(parents=True, exist_ok=True)
  failed = False
  for video in options.videos:
    output = options.out / f'{video.stem}.inspect.png'
    try:
      outcome = inspect_video(video, SPECS[options.config], output)
    except UserError as error:
      print(f'error: {error}', file=sys.stderr)
      failed = True
      continue
    print(f'{output}' + (f' ({outcome.reason}: {outcome.detail})' if isinstance(outcome, Rejection) else ''))
  return 2 if failed else 0


if __name__ == '__main__':
  sys.exit(main())
