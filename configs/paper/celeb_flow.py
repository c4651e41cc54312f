"""Row 3 of the paper: Celeb-DF v2, lips of the 60 most active frames, split by video.

    python run.py --config=configs/paper/celeb_flow.py --workdir=runs/paper_celeb_flow

As in the paper: a box about the lips in each frame, no video with fewer than 60 active frames, the 590 reals of
Celeb-real alone, and a test part that also chose the weights (paper_leaky; --config.data.split=identity is sound).
"""

from configs import default


def get_config():
  """The default on the paper's clips and split."""
  config = default.get_config()
  config.data.builder_config = 'flow_lips_box_drop_60x64'
  config.data.split = 'paper'
  config.data.exclude = ('YouTube-real',)
  return config
