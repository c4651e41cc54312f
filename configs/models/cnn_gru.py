"""The CNN-GRU on demo_lips: the paper's model with a GRU in place of the LSTM.

python run.py --config=configs/models/cnn_gru.py --workdir=runs/models/cnn_gru
"""

from configs import demo


def get_config():
  """The demo with a GRU, without its dropout on so few clips."""
  config = demo.get_config()
  config.model.name = 'cnn_gru'
  config.model.cnn_gru.gru_dropout = 0.0
  config.model.cnn_gru.dropout = 0.2
  return config
