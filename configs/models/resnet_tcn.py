"""ResNet-18 and temporal convolutions on demo_lips: minutes an epoch on a CPU.

python run.py --config=configs/models/resnet_tcn.py --workdir=runs/models/resnet_tcn
"""

from configs import demo


def get_config():
  """The demo with the lip-reading network."""
  config = demo.get_config()
  config.model.name = 'resnet_tcn'
  return config
