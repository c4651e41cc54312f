"""The weights that are shipped: EfficientNet-Lite0 of ImageNet, trained on pseudo-fakes and the fakes of a folder.

tfds build data_builders/video_folder --config=contiguous_lower_face_16x128 --manual_dir=FOLDER
lipfake crossfit --config=configs/shipped.py --workdir=runs/shipped
"""

from configs import default


def get_config():
  """Some 48,000 frames, of all people but the test part's; docs/model_card.md has the time and what came out."""
  config = default.get_config()
  config.init_from = 'imagenet'
  config.data.dataset = 'video_folder'
  config.data.builder_config = 'contiguous_lower_face_16x128'
  config.model.name = 'effnet_frames'
  config.model.aggregation = 'mean_logit'
  config.pseudo.share = 0.65
  config.pseudo.strength = 0.8
  config.pseudo.spoil = 0.15
  config.pseudo.rounds = 45
  config.augment.flip = 0.0  # `degrade` mirrors and recolours
  config.augment.brightness = 0.0
  config.train.batch_size = 24
  config.train.relative = True
  config.train.freeze = 'stem'
  config.train.epochs = 1  # none is chosen: no person is left to choose by
  config.train.learning_rate = 2e-3
  config.train.min_learning_rate = 2e-5
  config.train.weight_decay = 0.02
  config.train.l2 = 0.0
  config.train.gradient_clip = 1.0
  config.train.schedule = 'cosine'
  config.train.warmup_epochs = 0.05
  config.eval.threshold = 'balanced_accuracy'
  return config
