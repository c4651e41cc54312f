"""Made-up scores, as an evaluation finds them, for the tests of what is said of them."""

import numpy as np

from lipfake_jax.decision import Decision
from lipfake_jax.evaluate import measure
from lipfake_jax.input_pipeline import Split
from lipfake_jax.scores import clip_scores, video_scores


def make_split(labels, name='test', rejections=(), **columns) -> Split:
  """A split of clips without pixels: one video each, two videos a person, unless columns say otherwise."""
  n = len(labels)
  table = {
    'dataset': ['faces'] * n, 'key': [f'{i:03}.mp4' for i in range(n)], 'identity': [f'p{i // 2}' for i in range(n)],
    'second_identity': [''] * n, 'original': [''] * n, 'method': [('original', 'swap')[int(label)] for label in labels],
    'folder': ['all'] * n, 'codec': ['h264'] * n, 'sha256': [f'{i:064x}' for i in range(n)], 'fps': [25.0] * n,
    'duration': [3.0] * n,
    'mouth_width': [50.0] * n, 'sharpness': [100.0] * n, 'mean_activity': [0.5] * n, 'width': [640] * n,
    'height': [480] * n, 'face_share': [1.0] * n,
  }  # fmt: skip
  table['clip'] = table['key']
  return Split(
    dataset='faces',
    name=name,
    rule='identity',
    sources=(),
    places=np.zeros((n, 2), np.int64),
    labels=np.asarray(labels, np.int32),
    table={**table, **columns},
    spec={'frames': 60, 'size': 64},
    rejections=list(rejections),
    feature='clip',
  )


def make_measured(labels, p_fake, decision=None, rejections=(), rule='mean', **columns):
  """(metrics, scores, split) of clips with these scores."""
  split = make_split(labels, rejections=rejections, **columns)
  p = np.asarray(p_fake, np.float64)
  logits = np.log(p) - np.log1p(-p)
  scores = video_scores(logits, split, rule)
  return measure(scores, clip_scores(logits, split, rule), decision or Decision(), split.rejections), scores, split
