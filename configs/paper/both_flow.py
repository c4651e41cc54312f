"""Row 5 of the paper: Celeb-DF v2 and M2FRED / WAV2LIP together, lips of the 60 most active frames, split by video.

python run.py --config=configs/paper/both_flow.py --workdir=runs/paper_both_flow
"""

from configs.paper import celeb_flow


def get_config():
  """celeb_flow on two datasets, every clip of both once an epoch."""
  config = celeb_flow.get_config()
  config.data.dataset = 'celeb_df_v2+m2fred_wav2lip'
  return config
