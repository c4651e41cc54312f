"""Pseudo-fakes of a clip beside the real, as a picture: would you see it?

In: a clip of the lower face. Out: a PNG with a row a kind. `lipfake inspect VIDEO --pseudo-fakes` writes it.
"""

from pathlib import Path

import matplotlib as mpl
import numpy as np

from lipfake_jax.clips.clips import Clip
from lipfake_jax.data.pseudo_fakes import KINDS, make_pseudo_fake
from lipfake_jax.report.clip_picture import contact_sheet

mpl.use('Agg')
from matplotlib import pyplot as plt  # after the choice of a backend that needs no screen

SHOWN = 8  # frames in a row


def draw_pseudo_fakes(clip: Clip, output: Path, other: np.ndarray | None = None, seed: int = 0) -> None:
  """Writes a picture: the clip as it is, then for each kind the fake and its mask, frames in time order.

  Args:
    clip: of at least two frames.
    output: the PNG.
    other: uint8 [M, S, S, 3], another person's clip; by default the mirror image of this one stands for it.
    seed: of all draws; another gives other fakes.
  """
  other = clip.frames[:, :, ::-1] if other is None else other
  times = np.linspace(0, len(clip.frames) - 1, min(SHOWN, len(clip.frames))).astype(int)
  rows = [('real', clip.frames[times])]
  for number, kind in enumerate(KINDS):
    rng = np.random.default_rng((seed, number))
    frames, mask = make_pseudo_fake(clip.frames, times, other, kind, rng)
    shown = np.repeat(np.rint(255 * mask).astype(np.uint8)[None, ..., None], 3, axis=-1)
    rows.append((kind, np.concatenate([frames, shown])))
  figure, axes = plt.subplots(len(rows), 1, figsize=(13, 1.5 * len(rows)))
  for row, (title, frames) in zip(axes, rows, strict=True):
    row.imshow(contact_sheet(frames))
    row.set(xticks=[], yticks=[])
    row.set_ylabel(title, rotation=0, ha='right', va='center')
  figure.tight_layout()
  figure.savefig(output, dpi=110)
  plt.close(figure)
