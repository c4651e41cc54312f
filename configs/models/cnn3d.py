"""The small 3D CNN on demo_lips.

python run.py --config=configs/models/cnn3d.py --workdir=runs/models/cnn3d
"""

from configs import demo


def get_config():
  """The demo with 3D convolutions."""
  config = demo.get_config()
  config.model.name = 'cnn3d'
  config.model.cnn3d.dropout = 0.2
  config.train.epochs = 12
  return config
