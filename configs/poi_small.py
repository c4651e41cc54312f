"""The towers of configs/poi.py, small enough for two CPU cores and some hundred videos.

tfds build data_builders/video_folder --config=contiguous_face_sound_75x64 --manual_dir=FOLDER
python run.py --config=configs/poi_small.py --workdir=runs/poi_small
"""

from configs import poi


def get_config():
  """Faces of 64 pixels, a block a stage, an eighth of the filters."""
  config = poi.get_config()
  config.data.builder_config = 'contiguous_face_sound_75x64'
  config.model.poi.stem = 16
  config.model.poi.filters = (8, 16, 32, 64)
  config.model.poi.blocks = (1, 1, 1, 1)
  config.model.poi.width = 64
  config.train.batch_size = 32
  config.train.learning_rate = 1e-3
  config.train.epochs = 120
  config.train.early_stopping_patience = 120
  return config
