"""The built-in dataset: a self-check of the whole chain, in minutes on a laptop's CPU.

    make demo
"""

from configs import default


def get_config():
  """The default on demo_lips, with the higher learning rate that so few clips want."""
  config = default.get_config()
  config.data.dataset = 'demo_lips'
  config.train.learning_rate = 1e-3
  config.train.epochs = 10
  return config
