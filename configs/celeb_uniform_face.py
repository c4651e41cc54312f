"""The paper's first experiment: Celeb-DF v2, 60 evenly spaced frames of the whole face.

    python run.py --config=configs/celeb_uniform_face.py --workdir=runs/celeb_uniform_face

The paper reports accuracy .771, which is balanced accuracy .500: everything was called fake (PAPER section 6).
"""

from configs import default


def get_config():
  """The default on other clips."""
  config = default.get_config()
  config.data.builder_config = 'uniform_face_60x64'
  return config
