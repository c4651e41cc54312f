"""The paper's main experiment: Celeb-DF v2, lips of the 60 most active frames.

    python run.py --config=configs/celeb_of.py --workdir=runs/celeb_of

The paper reports accuracy .913, balanced accuracy .790, on a split by video (PAPER section 6); ours is by person,
and its crops follow the head. --config.data.builder_config=flow_lips_box_60x64 takes the paper's crops.
"""

from configs import default


def get_config():
  """The default."""
  return default.get_config()
