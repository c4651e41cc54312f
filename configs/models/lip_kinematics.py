"""The lips' landmarks instead of their pixels, on demo_lips: a small recurrent network on how they move.

    python run.py --config=configs/models/lip_kinematics.py --workdir=runs/models/lip_kinematics

For what compression and colour can't hide, and for a second opinion: a thousandth of the numbers, seconds an epoch on a
CPU. On any other dataset: --config.data.dataset=NAME. Of the augmentations flip, drop and reverse act on lips.
"""

from configs import demo


def get_config():
  """The demo with landmarks, whose epochs take a second: more of them."""
  config = demo.get_config()
  config.model.name = 'lip_kinematics'
  config.model.lip_kinematics.dropout = 0.2
  config.train.epochs = 40
  config.train.early_stopping_patience = 10
  return config
