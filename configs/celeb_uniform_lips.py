"""The paper's second experiment: Celeb-DF v2, 30 evenly spaced frames of the lips at 32x32.

    python run.py --config=configs/celeb_uniform_lips.py --workdir=runs/celeb_uniform_lips

The paper reports accuracy .784, which is balanced accuracy .500: everything was called fake (PAPER section 6).
"""

from configs import default


def get_config():
  """The default on other clips."""
  config = default.get_config()
  config.data.builder_config = 'uniform_lips_30x32'
  return config
