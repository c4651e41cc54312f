"""Row 1 of the paper: Celeb-DF v2, 60 evenly spaced frames of the whole face, split by video.

python run.py --config=configs/paper/celeb_face.py --workdir=runs/paper_celeb_face
"""

from configs.paper import celeb_flow


def get_config():
  """celeb_flow on other clips."""
  config = celeb_flow.get_config()
  config.data.builder_config = 'uniform_face_60x64'
  return config
