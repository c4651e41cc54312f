"""The shipped weights, trained on with somebody's own videos: a small difference from how they came about.

lipfake adapt --real=FOLDER --fake=FOLDER --out=runs/adapted
"""

from configs import shipped


def get_config():
  """The line alone moves, by small steps. Model, clips and dataset are those of the shipped weights."""
  config = shipped.get_config()
  config.init_from = 'shipped'
  config.pseudo.rounds = 1
  config.train.freeze = 'lite0_0+lite0_1+scaling'
  config.train.epochs = 4
  config.train.early_stopping_patience = 4
  config.train.selection = 'auc'
  config.train.schedule = 'cosine'
  config.train.learning_rate = 2e-4
  config.train.min_learning_rate = 2e-6
  config.train.weight_decay = 0.0
  config.train.l2 = 0.0
  return config
