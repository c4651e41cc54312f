"""The CNN-LSTM of the paper on demo_lips: `make demo`'s model.

python run.py --config=configs/models/cnn_lstm.py --workdir=runs/models/cnn_lstm
"""

from configs import demo


def get_config():
  """The demo."""
  config = demo.get_config()
  config.model.name = 'cnn_lstm'
  return config
