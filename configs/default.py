"""Every field of a run, with the paper's values. The other configs are small differences from this one.

A field is set on the command line as `--config.train.batch_size=8`.
"""

import ml_collections


def get_config() -> ml_collections.ConfigDict:
  """The paper's CNN-LSTM and training (PAPER sections 3.4 and 3.5) on Celeb-DF v2, lips chosen by flow."""
  config = ml_collections.ConfigDict()
  config.seed = 0  # of initial weights, data order, dropout and augmentation
  config.init_from = ''  # workdir of another run, whose best weights are the first ones of this; or imagenet, shipped

  config.data = ml_collections.ConfigDict()
  config.data.dataset = 'celeb_df_v2'  # a builder in data_builders/; 'a+b' for several
  config.data.builder_config = 'flow_lips_60x64'  # what a clip is: a name in lipfake_jax/core/clip_spec.py SPECS
  config.data.split = ''  # identity, official or paper, see lipfake_jax/data/splits.py; '' is the dataset's own
  config.data.split_seed = 0  # another seed is another split
  config.data.exclude = ()  # folders of the dataset, or methods, that are excluded: ('YouTube-real',), ('Wav2Lip*',)
  config.data.weights = ()  # with 'a+b': the share of an epoch that each gives; () takes every clip once
  config.data.cache = 'none'  # where training clips are read from: none (the disk), host or device (their memory)
  config.data.shuffle_labels = False  # a control: labels shuffled in training and validation; test must be chance

  config.model = ml_collections.ConfigDict()
  config.model.name = 'cnn_lstm'  # one of those below
  config.model.aggregation = 'mean'  # of a video's scores: mean, mean_logit, any, top_k, confident (aggregation.py)
  # Arguments of each model's module in lipfake_jax/models, where they are documented; only the named one's count.
  config.model.cnn_lstm = ml_collections.ConfigDict(
    {'filters': (32, 64), 'units': 128, 'hidden': 128, 'lstm_dropout': 0.3, 'dropout': 0.5}
  )
  config.model.cnn_gru = ml_collections.ConfigDict(
    {'filters': (32, 64), 'units': 128, 'hidden': 128, 'gru_dropout': 0.3, 'dropout': 0.5}
  )
  config.model.cnn3d = ml_collections.ConfigDict(
    {'filters': (32, 64, 96), 'kernels': ((3, 5, 5), (3, 5, 5), (3, 3, 3)), 'hidden': 128, 'dropout': 0.5}
  )
  config.model.r2plus1d = ml_collections.ConfigDict(
    {'stem': (45, 64), 'filters': (64, 128, 256, 512), 'blocks': (2, 2, 2, 2)}
  )
  config.model.clrnet = ml_collections.ConfigDict(
    {'filters': 64, 'blocks': (3, 4, 6, 3), 'dropout': 0.25, 'momentum': 0.99}
  )
  config.model.xception_frames = ml_collections.ConfigDict(
    {'stem': (32, 64), 'entry': (128, 256, 728), 'middle': 8, 'exit': (1024, 1536, 2048), 'dropout': 0.5}
    | {'momentum': 0.99}
  )
  config.model.cnn5_frames = ml_collections.ConfigDict(
    {'filters': (16, 32, 64, 128, 256), 'hidden': 128, 'dropout': 0.5}
  )
  config.model.resnet_tcn = ml_collections.ConfigDict(
    {'stem': 64, 'filters': (64, 128, 256, 512), 'blocks': (2, 2, 2, 2)}
    | {'hidden': 256, 'kernels': (3, 5, 7), 'layers': 4, 'dropout': 0.2}
  )
  config.model.effnet_frames = ml_collections.ConfigDict(
    {'blocks': 11, 'depth': 16, 'neck': 192, 'stride': 2, 'dropout': 0.3}
  )
  config.model.effnet_lstm = ml_collections.ConfigDict(
    {'blocks': 11, 'depth': 16, 'neck': 192, 'stride': 2, 'units': 32, 'lstm_dropout': 0.3, 'dropout': 0.3}
  )
  config.model.effnet_probe = ml_collections.ConfigDict(
    {'box': (0.2, 0.08, 0.8, 0.68), 'side': 96, 'cuts': (5, 8), 'stride': 2, 'penalty': 0.005}
  )
  config.model.lip_kinematics = ml_collections.ConfigDict({'units': 64, 'dropout': 0.5})
  config.model.motion_svm = ml_collections.ConfigDict({'c': 0.01, 'folds': 5})
  # Towers, which are trained without labels (lipfake_jax/training/contrastive.py).
  config.model.av_sync = ml_collections.ConfigDict(
    {
      'look': 'clip',
      'window': 5,
      'filters': (16, 32, 64, 96),
      'sound_filters': (16, 32, 64),
      'units': 256,
      'width': 128,
    }
  )
  config.model.poi = ml_collections.ConfigDict(
    {'step': 3, 'stem': 64, 'filters': (64, 128, 256, 512), 'blocks': (3, 4, 6, 3), 'width': 256}
  )

  config.train = ml_collections.ConfigDict()
  config.train.batch_size = 4  # clips a step, over all devices
  config.train.epochs = 20  # at most
  config.train.learning_rate = 1e-4  # AdamW's, at the start
  config.train.weight_decay = 1e-4  # AdamW's, on all parameters
  config.train.l2 = 1e-4  # penalty in the loss, on the kernels that the model names
  config.train.gradient_clip = 0.0  # largest norm of all gradients together; 0 is none
  config.train.relative = False  # steps in proportion to the size of each array's values
  config.train.freeze = ''  # parts of the model that keep their first weights, e.g. 'encoder' or 'encoder+lstm'
  config.train.accumulate = 1  # steps whose gradients make one update
  config.train.schedule = 'plateau'  # of the rate: plateau (below), or cosine, which falls to its floor over all epochs
  config.train.warmup_epochs = 0.0  # of a linear rise before cosine falls
  config.train.plateau_patience = 3  # epochs without a lower validation loss until the rate is cut
  config.train.plateau_factor = 0.5  # what it is multiplied by then
  config.train.min_learning_rate = 1e-6  # its floor
  config.train.selection = 'loss'  # of validation, chooses the best weights: loss, brier, auc or balanced_accuracy
  config.train.early_stopping_patience = 5  # epochs without a better one until training ends
  config.train.imbalance = 'none'  # none, class_weights, balanced (half of each epoch is fake) or logit_adjustment
  config.train.steps_per_dispatch = 1  # steps that the device does in a row, for GPUs that wait for the host
  config.train.precision = 'auto'  # float32, bfloat16, float16, or what the device does best

  # On training clips, one draw a clip; 0 is off. The paper has the first two.
  # lipfake_jax/training/augment.py says more; `lipfake inspect VIDEO --augment` shows each.
  config.augment = ml_collections.ConfigDict()
  config.augment.flip = 0.5  # probability of a mirror image
  config.augment.brightness = 0.1  # largest change, as a share of the full range, 0 to 1
  config.augment.contrast = 0.0  # largest change, as a share, 0 to 1
  config.augment.saturation = 0.0  # largest change, as a share, 0 to 1
  config.augment.noise = 0.0  # largest standard deviation, as a share of the full range, 0 to 1
  config.augment.blur = 0.0  # largest standard deviation of a Gaussian, pixels
  config.augment.shift = 0.0  # largest way in each direction, as a share of the side, 0 to 1
  config.augment.scale = 0.0  # largest change of size, as a share, 0 to under 1
  config.augment.drop = 0.0  # probability that a frame is lost and the one before it is seen again
  config.augment.reverse = 0.0  # probability that time runs backwards
  # What the paper's released code did (configs/paper/legacy.py).
  config.augment.per_frame = False  # each frame of a clip has a draw of its own
  config.augment.frozen = False  # a clip has the same draw in every epoch
  config.augment.validation = False  # validation clips are augmented too

  # Fakes made from real training clips while they are read; lipfake_jax/data/pseudo_batches.py says more.
  config.pseudo = ml_collections.ConfigDict()
  config.pseudo.share = 0.0  # of the fakes of a batch; 0 is none, 1 needs no fake at all
  config.pseudo.kinds = ml_collections.ConfigDict(  # how often each kind is made, relative to the others
    {'blend': 0.25, 'resynthesis': 0.2, 'generator': 0.1, 'moment': 0.08, 'frozen': 0.07, 'speed': 0.05}
    | {'reenactment': 0.07, 'portrait': 0.06, 'identity': 0.12}
  )
  config.pseudo.frames = 2  # of a clip that a batch holds
  config.pseudo.size = 112  # side of the crop that is cut from the clip's, pixels
  config.pseudo.strength = 1.0  # of what reals and fakes are both degraded by, 0 to 1
  config.pseudo.untouched = 0.0  # share of both that are not degraded at all
  config.pseudo.spoil = 0.0  # share of the others that are spoiled on top, as by `lipfake robustness`
  config.pseudo.rounds = 1  # how many times as many clips as there are make an epoch

  # Of towers alone.
  config.contrastive = ml_collections.ConfigDict()
  config.contrastive.moments = 16  # of each clip that a batch compares with each other (av_sync)
  config.contrastive.temperature = 0.1  # what squared distances are divided by in the loss (poi)
  config.contrastive.hidden_bands = 16  # of the sound: up to so many neighbouring ones of 64 are hidden in a clip

  config.eval = ml_collections.ConfigDict()
  config.eval.batch_size = 32  # clips at once, at most
  config.eval.threshold = 'fixed'  # fixed: 0.5; or chosen on validation: balanced_accuracy, eer, fpr:0.05 (decision.py)
  return config
