"""Your own videos (data_builders/video_folder/README.md says how to lay them out).

tfds build data_builders/video_folder --config=flow_lips_60x64 --manual_dir=FOLDER
python run.py --config=configs/video_folder.py --workdir=runs/video_folder
"""

from configs import default


def get_config():
  """The default on the dataset video_folder, with the threshold chosen on its validation split."""
  config = default.get_config()
  config.data.dataset = 'video_folder'
  config.eval.threshold = 'balanced_accuracy'
  return config
