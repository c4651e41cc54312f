"""Row 4 of the paper: M2FRED / WAV2LIP, lips of the 60 most active frames, split by video.

    python run.py --config=configs/paper/m2fred_flow.py --workdir=runs/paper_m2fred_flow

The paper's row counts 2989 clips, which is the whole set, training part included (PAPER section 6). That figure is
--mode=eval --eval_datasets=m2fred_wav2lip:all; the run itself reports the second part alone.
"""

from configs.paper import celeb_flow


def get_config():
  """celeb_flow on another dataset."""
  config = celeb_flow.get_config()
  config.data.dataset = 'm2fred_wav2lip'
  return config
