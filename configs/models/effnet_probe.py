"""A line on what EfficientNet-Lite0's blocks of ImageNet see of the lips, on demo_lips.

tfds build data_builders/demo_lips --config=contiguous_lower_face_16x128
python run.py --config=configs/models/effnet_probe.py --workdir=runs/models/effnet_probe

Fitted at once: of the fields of `train` only `batch_size` and `imbalance` count ('none' or 'class_weights').
"""

from configs import demo


def get_config():
  """The demo with a pretrained encoder, which stays as it is, on lower faces of 128 pixels."""
  config = demo.get_config()
  config.model.name = 'effnet_probe'
  config.init_from = 'imagenet'
  config.data.builder_config = 'contiguous_lower_face_16x128'
  config.train.epochs = 1
  return config
