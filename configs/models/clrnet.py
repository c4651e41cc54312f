"""CLRNet on demo_lips: clips of 5 consecutive frames, several a video; a GPU's job.

python run.py --config=configs/models/clrnet.py --workdir=runs/models/clrnet
"""

from configs import demo


def get_config():
  """The demo with convolutional LSTMs, on windows of 5 frames."""
  config = demo.get_config()
  config.model.name = 'clrnet'
  config.data.builder_config = 'contiguous_lips_5x64'
  config.model.clrnet.momentum = 0.9  # the demo has few steps
  config.train.batch_size = 32  # short clips, and many of them; the time goes to 248 million parameters
  config.train.epochs = 1  # up to 12 windows of each video
  return config
