"""What a run tells of its epochs: lines on the terminal, metrics.jsonl, TensorBoard, and a picture of the curves.

In: one row of figures an epoch. A row of metrics.jsonl is the same for a run that was stopped and gone on with as for
one that was not, but for its speed.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from tensorboardX import SummaryWriter

from lipfake_jax.core.vocabulary import LABELS
from lipfake_jax.data.batches import read_batch
from lipfake_jax.data.dataset import Split
from lipfake_jax.inference.parallel_eval import to_float
from lipfake_jax.training.augment import Augmentation, augment_clips
from lipfake_jax.training.optimizer import Progress

mpl.use('Agg')
from matplotlib import pyplot as plt  # after the choice of a backend that needs no screen

Row = dict[str, Any]
PICTURED_CLIPS, PICTURED_FRAMES = 3, 10  # of each class, in TensorBoard
PICTURED_SIDE, PICTURED_WIDTHS = 64, 2.4  # of a picture of lips: pixels, and widths of the mouth


def open_board(workdir: Path, write: bool) -> SummaryWriter:
  """TensorBoard's event file of a run; without `write` it takes all and keeps nothing."""
  return SummaryWriter(str(workdir / 'tensorboard'), write_to_disk=write)


def read_rows(workdir: Path) -> list[Row]:
  """The rows of metrics.jsonl; a last line that was not written to its end does not count."""
  path = workdir / 'metrics.jsonl'
  lines = path.read_text().splitlines(keepends=True) if path.exists() else []
  return [json.loads(line) for line in lines if line.endswith('\n')]


def trim(workdir: Path, epochs: int) -> None:
  """Forgets what was logged after the checkpoint that a run goes on from."""
  kept = [row for row in read_rows(workdir) if row['epoch'] <= epochs]
  (workdir / 'metrics.jsonl').write_text(''.join(json.dumps(row) + '\n' for row in kept))


def append(row: Row, workdir: Path, board: SummaryWriter) -> None:
  """One epoch into metrics.jsonl and TensorBoard."""
  with open(workdir / 'metrics.jsonl', 'a') as file:
    file.write(json.dumps(row) + '\n')
  for name, value in row.items():
    if value is not None and name not in ('epoch', 'step'):
      board.add_scalar(name, value, row['step'])


def epoch_line(row: Row, progress: Progress, selection: str) -> str:
  """One epoch for the terminal."""
  skipped = f'  {row["skipped_steps"]} steps skipped (overflow)' if row['skipped_steps'] else ''
  best = f'best {selection} {abs(progress.best):.3f} in epoch {row["epoch"] - progress.stale}'
  return (
    f'epoch {row["epoch"]:3}  train loss {row["train_loss"]:.3f}  validation loss {row["validation_loss"]:.3f}'
    f'  AUC {row["validation_auc"]:.3f}  balanced accuracy {row["validation_balanced_accuracy"]:.3f}'
    f'  rate {row["learning_rate"]:.1e}  {row["clips_per_s"]:.1f} clips/s  {best}{skipped}'
  )


def collapse_warning(row: Row, epochs: int) -> str:
  """What the paper's first two experiments did not see (PAPER section 6)."""
  called = 'fake' if row['validation_called_fake'] else 'real'
  return (
    f'warning: for {epochs} epochs all of validation has been called {called}: the model has collapsed to one class,'
    ' and its accuracy is the share of that class; try train.imbalance, another learning rate, or more data'
  )


def add_clips(board: SummaryWriter, split: Split, augmentation: Augmentation, seed: int) -> None:
  """A few training clips as the model sees them, augmented, in TensorBoard: a row each, time from left to right.

  None where a clip is no sequence, but a row of numbers.
  """
  if len(split.clip_shape) < 3:
    return
  for label, name in enumerate(LABELS):
    positions = np.flatnonzero(split.labels == label)[:PICTURED_CLIPS]
    clips = to_float(jnp.asarray(read_batch(split, positions)['clip']))
    augmented = np.asarray(augment_clips(clips, jax.random.key(seed), jnp.arange(len(clips)), augmentation))
    frames = np.linspace(0, clips.shape[1] - 1, PICTURED_FRAMES).round().astype(int)
    pictures = augmented[:, frames]
    rows = [np.concatenate(clip, axis=1) for clip in (pictures if pictures.ndim == 5 else draw_lips(pictures))]
    board.add_image(f'clips/{name}', np.concatenate(rows), 0, dataformats='HWC')


def draw_lips(lips: np.ndarray) -> np.ndarray:
  """A picture of each frame's landmarks, black dots on white: float [..., K, 2] -> float32 [..., S, S, 3] in [0, 1]."""
  places = np.round((lips / PICTURED_WIDTHS + 0.5) * (PICTURED_SIDE - 1)).astype(int).clip(0, PICTURED_SIDE - 1)
  pictures = np.ones((*lips.shape[:-2], PICTURED_SIDE, PICTURED_SIDE, 3), np.float32)
  for picture, (columns, rows) in zip(
    pictures.reshape(-1, *pictures.shape[-3:]), places.reshape(-1, *lips.shape[-2:]).swapaxes(1, 2), strict=True
  ):
    picture[rows, columns] = 0
  return pictures


def draw_curves(workdir: Path, best: int) -> Path:
  """Writes curves.png of a run, see `plot_curves`."""
  figure, path = plot_curves(read_rows(workdir), best), workdir / 'curves.png'
  figure.savefig(path, dpi=100)
  plt.close(figure)
  return path


def plot_curves(rows: Sequence[Row], best: int) -> Figure:
  """Losses, both without any penalty, validation's AUC and balanced accuracy, and the learning rate, epoch by epoch.

  Args:
    rows: of a run's epochs.
    best: the epoch whose weights are used; it is marked.
  """
  epochs = [row['epoch'] for row in rows]
  panels: Sequence[tuple[str, Sequence[str]]] = (
    ('loss', ('train_loss', 'validation_loss')),
    ('validation', ('validation_auc', 'validation_balanced_accuracy')),
    ('learning rate', ('learning_rate',)),
  )
  figure, axes = plt.subplots(1, len(panels), figsize=(12, 3.5), layout='constrained')
  for axis, (title, names) in zip(axes, panels, strict=True):
    for name in names:
      axis.plot(epochs, [row[name] for row in rows], marker='o', markersize=3, label=name.replace('_', ' '))
    axis.axvline(best, color='gray', linestyle=':', label='weights used')
    axis.set(title=title, xlabel='epoch')
    axis.xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
    axis.legend()
  axes[1].set_ylim(-0.02, 1.02)
  if all(row['learning_rate'] > 0 for row in rows):
    axes[2].set_yscale('log')
  return figure
