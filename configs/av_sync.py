"""Does the mouth make the sound that is heard? Two towers, from the real videos of a dataset with sound.

tfds build data_builders/video_folder --config=contiguous_lips_sound_60x64 --manual_dir=FOLDER
python run.py --config=configs/av_sync.py --workdir=runs/av_sync
"""

from configs import default


def get_config():
  """Landmarks of the lips, .36 s at a time: minutes on two CPU cores; docs/av_sync.md has what came out."""
  config = default.get_config()
  config.data.dataset = 'video_folder'
  config.data.builder_config = 'contiguous_lips_sound_60x64'
  config.model.name = 'av_sync'
  config.model.av_sync.look = 'lips'
  config.model.av_sync.window = 9
  config.contrastive.moments = 24
  config.augment.contrast = 0.2
  config.augment.noise = 0.02
  config.augment.shift = 0.05
  config.augment.scale = 0.1
  config.train.batch_size = 16
  config.train.epochs = 40
  config.train.early_stopping_patience = 8
  config.train.learning_rate = 5e-4
  config.train.weight_decay = 0.05
  config.train.gradient_clip = 1.0
  config.train.schedule = 'cosine'
  config.train.warmup_epochs = 2.0
  return config
