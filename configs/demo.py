"""The built-in dataset: a self-check of the whole chain, in minutes on a laptop's CPU.

    make demo

On two CPU cores, everything included but the installation: under 5 minutes, test AUC over 0.95.
"""

from configs import default


def get_config():
  """The default on demo_lips, for few clips and few steps: a higher learning rate, less dropout."""
  config = default.get_config()
  config.data.dataset = 'demo_lips'
  config.train.learning_rate = 3e-4
  config.train.epochs = 4
  config.model.cnn_lstm.lstm_dropout = 0.0
  config.model.cnn_lstm.dropout = 0.2
  config.eval.threshold = 'balanced_accuracy'
  return config
