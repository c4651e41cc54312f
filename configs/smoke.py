"""One short epoch of a tiny model, to see that everything runs: seconds, figures without meaning.

python run.py --config=configs/smoke.py --workdir=runs/smoke
"""

from configs import demo


def get_config():
  """The demo with a small model and one epoch."""
  config = demo.get_config()
  config.model.cnn_lstm.update({'filters': (4, 8), 'units': 8, 'hidden': 8})
  config.train.batch_size = 8
  config.train.epochs = 1
  return config
