"""An LSTM over EfficientNet-Lite0 on demo_lips, from its weights of ImageNet.

tfds build data_builders/demo_lips --config=contiguous_lower_face_16x128
python run.py --config=configs/models/effnet_lstm.py --workdir=runs/models/effnet_lstm
"""

from configs import demo


def get_config():
  """The demo with a pretrained encoder under an LSTM, on lower faces of 128 pixels."""
  config = demo.get_config()
  config.model.name = 'effnet_lstm'
  config.init_from = 'imagenet'
  config.data.builder_config = 'contiguous_lower_face_16x128'
  config.train.relative = True  # batch statistics are folded into kernels of very different sizes
  config.train.freeze = 'stem'
  config.train.batch_size = 8
  return config
