"""The paper's main experiment: Celeb-DF v2, lips of the 60 most active frames.

    python run.py --config=configs/celeb_of.py --workdir=runs/celeb_of

The paper reports accuracy .913, balanced accuracy .790, on a split by video (PAPER section 6); ours is by person,
and its crops follow the head. configs/paper/celeb_flow.py is the paper's way. Without the data, a miniature with
rendered videos: lipfake dummy celeb_df_v2 FOLDER
"""

from configs import default


def get_config():
  """The default without the 300 reals of YouTube-real, as in the paper."""
  config = default.get_config()
  config.data.exclude = ('YouTube-real',)
  return config
