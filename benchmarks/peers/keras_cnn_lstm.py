"""The paper's model and training step in Keras on TensorFlow, as the released code has it: TimeDistributed layers.

It is given its batch as floats, once, and augments nothing.
"""

import os

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
import keras
import numpy as np
import tensorflow as tf
from keras import layers, regularizers
from protocol import CLIP, serve


def prepare(options):
  policies = {'float32': 'float32', 'bfloat16': 'mixed_bfloat16', 'float16': 'mixed_float16'}
  keras.mixed_precision.set_global_policy(policies[options.precision])
  l2 = regularizers.l2(1e-4)
  model = keras.Sequential(
    [
      layers.Input(CLIP),
      layers.TimeDistributed(layers.Conv2D(32, 3, activation='relu')),
      layers.TimeDistributed(layers.MaxPooling2D()),
      layers.TimeDistributed(layers.Conv2D(64, 3, activation='relu', kernel_regularizer=l2)),
      layers.TimeDistributed(layers.MaxPooling2D()),
      layers.TimeDistributed(layers.Flatten()),
      layers.LSTM(128, dropout=0.3, recurrent_dropout=0.3),
      layers.Dense(128, activation='relu', kernel_regularizer=l2),
      layers.Dropout(0.5),
      layers.Dense(1, activation='sigmoid', dtype='float32'),
    ]
  )
  model.compile(optimizer=keras.optimizers.AdamW(1e-4, weight_decay=1e-4), loss='binary_crossentropy')
  rng = np.random.default_rng(0)
  clips = tf.constant(rng.random((options.batch_size, *CLIP), np.float32))
  labels = tf.constant(np.arange(options.batch_size) % 2)

  def train(count):
    for _ in range(count):
      model.train_on_batch(clips, labels)

  def infer(count):
    for _ in range(count):
      model.predict_on_batch(clips)

  def device_bytes():
    return tf.config.experimental.get_memory_info('GPU:0')['peak'] if tf.config.list_physical_devices('GPU') else 0

  return train, infer, device_bytes


if __name__ == '__main__':
  serve(prepare)
