"""Is this the way a person moves and sounds? Two towers, from the real videos of many people, each in several videos.

tfds build data_builders/video_folder --config=contiguous_face_sound_75x224 --manual_dir=FOLDER
python run.py --config=configs/poi.py --workdir=runs/poi
"""

from configs import default


def get_config():
  """The networks of Cozzolino et al. 2023 in their size, for a GPU; configs/poi_small.py is for two CPU cores."""
  config = default.get_config()
  config.data.dataset = 'video_folder'
  config.data.builder_config = 'contiguous_face_sound_75x224'
  config.model.name = 'poi'
  config.augment.contrast = 0.2
  config.augment.shift = 0.05
  config.augment.scale = 0.1
  config.train.batch_size = 32
  config.train.epochs = 60
  config.train.early_stopping_patience = 60
  config.train.weight_decay = 0.01
  config.train.gradient_clip = 1.0
  config.train.schedule = 'cosine'
  config.train.warmup_epochs = 2.0
  return config
