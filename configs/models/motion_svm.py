"""A video codec's motion instead of pixels, on demo_lips: a linear SVM on block types and motion vectors.

    tfds build data_builders/demo_lips --config=flow_lips_motion_60x64
    python run.py --config=configs/models/motion_svm.py --workdir=runs/models/motion_svm

Seconds on a CPU. On any other dataset, built with the same config: --config.data.dataset=NAME. It is fitted at once: of
the fields of `train` only `imbalance` counts ('none' or 'class_weights'), and no augmentation acts.
"""

from configs import demo


def get_config():
  """The demo with a codec's motion, which its dataset has to store."""
  config = demo.get_config()
  config.model.name = 'motion_svm'
  config.data.builder_config = 'flow_lips_motion_60x64'
  config.train.epochs = 1
  return config
