"""R(2+1)D-18 on demo_lips: a GPU's job, minutes an epoch on a CPU.

python run.py --config=configs/models/r2plus1d.py --workdir=runs/models/r2plus1d
"""

from configs import demo


def get_config():
  """The demo with a factorised 3D residual network."""
  config = demo.get_config()
  config.model.name = 'r2plus1d'
  config.train.epochs = 1
  return config
