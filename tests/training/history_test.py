import json

import numpy as np
from matplotlib import pyplot as plt
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from lipfake_jax.data.dataset import DataChoice, open_split
from lipfake_jax.training import history
from lipfake_jax.training.augment import Augmentation
from lipfake_jax.training.optimizer import Progress

ROW = {
  'epoch': 3,
  'step': 15,
  'clips_per_s': 8.0,
  'learning_rate': 1e-4,
  'skipped_steps': 0,
  'train_loss': 0.5,
  'validation_loss': 0.6,
  'validation_auc': 0.75,
  'validation_balanced_accuracy': 0.7,
  'validation_called_fake': 1.0,
}


def test_the_line_of_an_epoch():
  line = history.epoch_line(ROW, Progress(1e-4, best=-0.8, stale=2), 'auc')
  assert line == (
    'epoch   3  train loss 0.500  validation loss 0.600  AUC 0.750  balanced accuracy 0.700  rate 1.0e-04'
    '  8.0 clips/s  best auc 0.800 in epoch 1'
  )
  assert history.epoch_line({**ROW, 'skipped_steps': 2}, Progress(1e-4), 'auc').endswith('2 steps skipped (overflow)')


def test_epochs_are_appended_and_forgotten(tmp_path):
  with history.open_board(tmp_path, write=True) as board:
    for epoch in (1, 2, 3):
      history.append({**ROW, 'epoch': epoch}, tmp_path, board)
  history.trim(tmp_path, 2)
  assert [row['epoch'] for row in history.read_rows(tmp_path)] == [1, 2]
  assert json.loads((tmp_path / 'metrics.jsonl').read_text().splitlines()[0]) == {**ROW, 'epoch': 1}


def test_another_process_writes_nothing(tmp_path):
  with history.open_board(tmp_path, write=False) as board:
    board.add_scalar('loss', 1.0, 0)
  assert not list(tmp_path.rglob('*events*'))


def test_clips_are_pictured_a_row_each(tmp_path, tiny_data):
  """Unaugmented: the 6 frames of a clip of 16x16 pixels stand 10 times in a row, some twice; three clips a class."""
  split = open_split(DataChoice('tiny_clips', 'tiny'), 'train', tiny_data)
  with history.open_board(tmp_path, write=True) as board:
    history.add_clips(board, split, Augmentation(0.0, 0.0), seed=0)
  events = EventAccumulator(str(tmp_path / 'tensorboard')).Reload()
  assert events.Tags()['images'] == ['clips/real', 'clips/fake']
  (picture,) = events.Images('clips/fake')
  assert (picture.height, picture.width) == (3 * 16, 10 * 16)


def test_lips_are_pictured_too(tmp_path, tiny_data):
  split = open_split(DataChoice('tiny_clips', 'tiny'), 'train', tiny_data, feature='lips')
  with history.open_board(tmp_path, write=True) as board:
    history.add_clips(board, split, Augmentation(0.0, 0.0), seed=0)
  (picture,) = EventAccumulator(str(tmp_path / 'tensorboard')).Reload().Images('clips/fake')
  assert (picture.height, picture.width) == (3 * 64, 10 * 64)
  dots = history.draw_lips(np.array([[[0, 0], [0.3, 0.6], [-9, 0]]]))
  assert np.argwhere(dots[0, ..., 0] == 0).tolist() == [[32, 0], [32, 32], [47, 39]]  # rows and columns of 63 / 2.4


def test_what_makes_no_picture_is_not_pictured(tmp_path, tiny_data):
  split = open_split(DataChoice('tiny_clips', 'tiny_motion'), 'train', tiny_data, feature='motion')
  with history.open_board(tmp_path, write=True) as board:
    history.add_clips(board, split, Augmentation(0.0, 0.0), seed=0)
  assert not EventAccumulator(str(tmp_path / 'tensorboard')).Reload().Tags()['images']


ROWS = [
  {**ROW, 'epoch': epoch, 'train_loss': 0.7 / epoch, 'validation_loss': 0.6 / epoch, 'validation_auc': epoch / 8,
   'learning_rate': 1e-4 / epoch} for epoch in range(1, 9)
]  # fmt: skip


def test_curves_are_the_rows():
  """A panel each: of every line its label and its values; the epoch that is used is marked in all."""
  panels = history.plot_curves(ROWS, best=6).axes
  drawn = {axis.get_title(): {line.get_label(): line for line in axis.lines} for axis in panels}
  assert {title: set(lines) for title, lines in drawn.items()} == {
    'loss': {'train loss', 'validation loss', 'weights used'},
    'validation': {'validation auc', 'validation balanced accuracy', 'weights used'},
    'learning rate': {'learning rate', 'weights used'},
  }
  assert all(list(lines['weights used'].get_xdata()) == [6, 6] for lines in drawn.values())
  for lines in drawn.values():
    for name in set(lines) - {'weights used'}:
      assert list(lines[name].get_xdata()) == list(range(1, 9))
      assert list(lines[name].get_ydata()) == [row[name.replace(' ', '_')] for row in ROWS]
  assert panels[1].get_ylim() == (-0.02, 1.02)
  assert panels[2].get_yscale() == 'log'


def test_a_rate_of_zero_has_no_logarithm():
  panels = history.plot_curves([{**row, 'learning_rate': 0.0} for row in ROWS], best=1).axes
  assert panels[2].get_yscale() == 'linear'


def test_the_picture_of_the_curves(tmp_path):
  (tmp_path / 'metrics.jsonl').write_text(''.join(json.dumps(row) + '\n' for row in ROWS))
  path = history.draw_curves(tmp_path, best=6)
  assert path == tmp_path / 'curves.png'
  assert plt.imread(path).shape == (350, 1200, 4)  # 12 x 3.5 inches of 100 pixels
