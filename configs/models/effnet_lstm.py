"""An LSTM over EfficientNet-Lite0 on demo_lips, from its weights of ImageNet.

tfds build data_builders/demo_lips --config=contiguous_lower_face_16x128
python run.py --config=configs/models/effnet_lstm.py --workdir=runs/models/effnet_lstm
"""

from configs.models import effnet_frames


def get_config():
  """As `effnet_frames`, with a score a clip."""
  config = effnet_frames.get_config()
  config.model.name = 'effnet_lstm'
  return config
