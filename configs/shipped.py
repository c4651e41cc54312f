"""The weights that are shipped: a line on what ImageNet's blocks see of lips, fitted to a folder and to pseudo-fakes.

tfds build data_builders/video_folder --config=contiguous_lower_face_16x128 --manual_dir=FOLDER
lipfake crossfit --config=configs/shipped.py --workdir=runs/shipped
"""

from configs import default


def get_config():
  """Some 26,000 frames, of all people but the test part's; docs/model_card.md has the time and what came out."""
  config = default.get_config()
  config.init_from = 'imagenet'
  config.data.dataset = 'video_folder'
  config.data.builder_config = 'contiguous_lower_face_16x128'
  config.model.name = 'effnet_probe'
  config.model.aggregation = 'mean_logit'
  config.pseudo.share = 0.5
  config.pseudo.size = 128
  config.pseudo.strength = 0.8
  config.pseudo.untouched = 0.5
  config.pseudo.spoil = 0.15
  config.pseudo.rounds = 24
  config.augment.flip = 0.0  # `degrade` mirrors and recolours
  config.augment.brightness = 0.0
  config.train.batch_size = 24
  config.train.epochs = 1  # none is chosen: no person is left to choose by
  config.eval.threshold = 'balanced_accuracy'
  return config
