"""Five convolutions on the single frames of demo_lips.

python run.py --config=configs/models/cnn5_frames.py --workdir=runs/models/cnn5_frames
"""

from configs import demo


def get_config():
  """The demo with five convolutions a frame, and the mean of their scores."""
  config = demo.get_config()
  config.model.name = 'cnn5_frames'
  config.model.cnn5_frames.dropout = 0.2
  return config
