"""The shipped weights, trained on with somebody's own videos: a small difference from how they came about.

lipfake adapt --real=FOLDER --fake=FOLDER --out=runs/adapted
"""

from configs import shipped


def get_config():
  """A quarter of the rate, and fewer epochs. Model, clips and dataset are those of the shipped weights."""
  config = shipped.get_config()
  config.init_from = 'shipped'
  config.train.epochs = 4
  config.train.early_stopping_patience = 4
  config.train.selection = 'auc'
  config.train.learning_rate = 5e-4
  config.train.min_learning_rate = 5e-6
  return config
