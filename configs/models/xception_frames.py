"""Xception on the single frames of demo_lips: a GPU's job, minutes an epoch on a CPU.

python run.py --config=configs/models/xception_frames.py --workdir=runs/models/xception_frames
"""

from configs import demo


def get_config():
  """The demo with Xception; a video is fake if one frame is."""
  config = demo.get_config()
  config.model.name = 'xception_frames'
  config.model.aggregation = 'any'
  config.model.xception_frames.momentum = 0.9  # the demo has few steps
  config.train.epochs = 2
  return config
