"""Does the mouth make the sound that is heard? Two towers, from the real videos of a dataset with sound.

tfds build data_builders/video_folder --config=contiguous_lips_sound_60x64 --manual_dir=FOLDER
python run.py --config=configs/av_sync.py --workdir=runs/av_sync
"""

from configs import default


def get_config():
  """Minutes on two CPU cores; docs/av_sync.md has what came out."""
  config = default.get_config()
  config.data.dataset = 'video_folder'
  config.data.builder_config = 'contiguous_lips_sound_60x64'
  config.model.name = 'av_sync'
  config.augment.contrast = 0.2
  config.augment.noise = 0.02
  config.augment.shift = 0.05
  config.augment.scale = 0.1
  config.train.batch_size = 16
  config.train.epochs = 60
  config.train.early_stopping_patience = 60
  config.train.learning_rate = 1e-3
  config.train.weight_decay = 0.05
  config.train.gradient_clip = 1.0
  config.train.schedule = 'cosine'
  config.train.warmup_epochs = 2.0
  return config
