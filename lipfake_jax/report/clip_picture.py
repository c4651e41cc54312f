"""What a clip is made of, as a picture, which `lipfake inspect VIDEO` writes.

It shows the selected crops in time order, and the activity of every frame with the threshold and the chosen ones.
"""

import dataclasses
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np

from lipfake_jax.clips.analysis import Analysis, analyse_video, measure_activity
from lipfake_jax.clips.clips import Clip, Rejection, cut_clips
from lipfake_jax.clips.landmarks import FaceModels
from lipfake_jax.clips.video import VideoError
from lipfake_jax.core.clip_spec import ClipSpec
from lipfake_jax.core.errors import UserError
from lipfake_jax.core.names import printable

mpl.use('Agg')
from matplotlib import pyplot as plt  # after the choice of a backend that needs no screen

COLUMNS = 15  # crops in a row of the sheet
GAP = 2  # pixels between them
MAX_NAME = 240  # bytes of a picture's name without its ending


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


def draw_clip(analysis: Analysis, outcome: list[Clip] | Rejection, spec: ClipSpec, title: str) -> plt.Figure:
  """The picture of one video; of a rejected one, its activity alone, with the reason in the title.

  A name is no formula, whatever dollars it has.
  """
  clips = [] if isinstance(outcome, Rejection) else outcome
  heights = [3] * len(clips) + [2]
  figure, rows = plt.subplots(
    len(heights), 1, figsize=(13, 0.4 + 1.5 * sum(heights)), height_ratios=heights, squeeze=False
  )
  for axes, clip in zip(rows[:, 0], clips, strict=False):
    axes.axis('off')
    axes.imshow(contact_sheet(clip.frames))
    facts = f'mouth {clip.mouth_width:.0f} px, face in {clip.face_share:.0%} of the frames'
    axes.set_title(
      f'{clip.key}: {spec.frames} frames by {spec.rule}, in time order; {facts}', loc='left', parse_math=False
    )
  bottom = rows[-1, 0]
  if isinstance(outcome, Rejection):
    bottom.set_title(f'{title}: {outcome.reason}, {outcome.detail}', loc='left', parse_math=False)
  _draw_activity(bottom, analysis, clips, spec)
  figure.tight_layout()
  return figure


def inspect_video(path: Path, spec: ClipSpec, models: FaceModels, output: Path) -> list[Clip] | Rejection:
  """Writes the picture of one video, of which every frame's activity is measured in full.

  Raises:
    UserError: the file can't be read as a video.
  """
  spec = dataclasses.replace(spec, screen=False)
  try:
    analysis = analyse_video(path, spec, models)
  except (VideoError, FileNotFoundError) as error:
    raise UserError(f'{path}: {error}') from error
  everywhere = [measure_activity(analysis, track, spec, np.ones(len(track), bool)) for track in analysis.tracks]
  analysis = dataclasses.replace(analysis, tracks=everywhere)
  name = printable(path.name)
  outcome = cut_clips(analysis, spec, name)
  figure = draw_clip(analysis, outcome, spec, name)
  figure.savefig(output, dpi=110)
  plt.close(figure)
  return outcome


def name_pictures(videos: Sequence[Path]) -> list[str]:
  """A name for the picture of each video, without its ending: the video's own, or where two videos' are alike, the path
  below the folder that all of them are in. No two are the same."""
  names = [video.stem for video in videos]
  if len({name.casefold() for name in names}) < len(names):
    places = [os.path.abspath(video) for video in videos]
    root = os.path.commonpath([os.path.dirname(place) for place in places])
    names = [os.path.relpath(place, root) for place in places]
  return [_fit_name(name) for name in names]


def _fit_name(name: str) -> str:
  """The name, cut short where no room is left for an ending: a file's name has at most 255 bytes."""
  folder, last = os.path.split(name)
  if len(os.fsencode(last)) > MAX_NAME:
    last = f'{last[:40]}-{hashlib.sha256(os.fsencode(last)).hexdigest()[:8]}'
  return os.path.join(folder, last)


def draw_augmentations(clip: Clip, output: Path, draws: int = 2) -> None:
  """Writes a picture of a clip under each augmentation alone: a row for every draw, frames in time order."""
  import jax  # not above: nothing else here needs it

  from lipfake_jax.training.augment import EXAMPLES, Augmentation, augment_clip

  shown = np.linspace(0, len(clip.frames) - 1, COLUMNS).astype(int)
  rows = [('as it is', clip.frames)]
  none = Augmentation(flip=0.0, brightness=0.0)
  for name, value in EXAMPLES.items():
    for draw in range(draws):
      spec = dataclasses.replace(none, **{name: value})  # type: ignore[arg-type]  # a number
      changed = augment_clip(jax.numpy.asarray(clip.frames) / 255, jax.random.key(draw), spec)
      rows.append((f'{name}={value:g}', np.round(np.asarray(changed) * 255).astype(np.uint8)))
  figure, axes = plt.subplots(len(rows), 1, figsize=(13, 1.05 * len(rows)))
  for row, (title, frames) in zip(axes, rows, strict=True):
    row.imshow(contact_sheet(frames[shown]))
    row.set(xticks=[], yticks=[])
    row.set_ylabel(title, rotation=0, ha='right', va='center')
  figure.tight_layout()
  figure.savefig(output, dpi=110)
  plt.close(figure)


def _draw_activity(axes: plt.Axes, analysis: Analysis, clips: list[Clip], spec: ClipSpec) -> None:
  for track in analysis.tracks:
    gaps = np.flatnonzero(np.diff(track.indices) > 1) + 1  # where the line breaks
    times, activity = np.insert(track.times, gaps, np.nan), np.insert(track.activity, gaps, np.nan)
    axes.plot(times, activity, linewidth=1, label=f'face {track.number}')
  for clip in clips:
    axes.plot(clip.times, clip.activity, '.', color='#c4513d', label=f'{len(clip.times)} chosen')
  if spec.rule in ('top_k', 'even'):
    axes.axhline(spec.threshold, color='k', linestyle='--', linewidth=1, label=f'threshold {spec.threshold:g}')
  unit = 'px at a mouth of 64, per 1/25 s' if spec.normalise else 'px per frame'
  axes.set(xlabel='seconds', ylabel=f'mean flow on {spec.flow_on}, {unit}', xlim=(0, None), ylim=(0, None))
  if analysis.tracks:
    axes.legend(loc='upper right')
