"""The paper's released code, with all that a close reading found in it (PAPER section 6): for comparison, not for use.

    python run.py --config=configs/paper/legacy.py --workdir=runs/paper_legacy

On top of celeb_flow: of the active frames 60 evenly spaced ones, and an augmentation that flips and brightens every
frame by itself, once for all epochs, on validation data too, which is also what is reported. Flow is measured on the
lips: over whole frames, as the paper's formula has it, no talking head passes the threshold and no video would remain.

    lipfake ablation --config=configs/paper/legacy.py --workdir=runs/ablation

mends these one at a time.
"""

from configs.paper import celeb_flow


def get_config():
  """celeb_flow with the released code's frames and augmentation."""
  config = celeb_flow.get_config()
  config.data.builder_config = 'flow_lips_box_even_drop_60x64'
  config.augment.per_frame = True
  config.augment.frozen = True
  config.augment.validation = True
  return config
