"""Row 2 of the paper: Celeb-DF v2, 30 evenly spaced frames of the lips at 32x32, split by video.

python run.py --config=configs/paper/celeb_lips.py --workdir=runs/paper_celeb_lips
"""

from configs.paper import celeb_flow


def get_config():
  """celeb_flow on other clips."""
  config = celeb_flow.get_config()
  config.data.builder_config = 'uniform_lips_30x32'
  return config
