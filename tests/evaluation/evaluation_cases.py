"""Figures of made-up scores: the short form of `evaluations`, for tests of what is measured and said."""

import dataclasses

import numpy as np

from lipfake_jax.data.dataset import Split
from lipfake_jax.evaluation.measure import measure
from lipfake_jax.scoring.scores import clip_scores, video_scores
from lipfake_jax.scoring.verdict import Decision, to_logits
from tests.report import evaluations


def make_split(labels, name='test', rejections=(), **columns) -> Split:
  """Clips of the set 'faces': a video each, '000.mp4' and so on, two a person, unless columns say otherwise."""
  n = len(labels)
  usual = {
    'dataset': ['faces'] * n,
    'key': [f'{i:03}.mp4' for i in range(n)],
    'identity': [f'p{i // 2}' for i in range(n)],
  }
  split = evaluations.make_split(labels, rejections, **(usual | columns))
  spec = {'frames': 60, 'size': 64}
  return dataclasses.replace(split, dataset='faces', name=name, spec=spec, places=np.zeros((n, 2), np.int64))


def make_measured(labels, p_fake, decision=None, rejections=(), rule='mean', **columns):
  """(metrics, scores, split) of clips with these scores."""
  split = make_split(labels, rejections=rejections, **columns)
  logits = to_logits(np.asarray(p_fake))
  scores = video_scores(logits, split, rule)
  return measure(scores, clip_scores(logits, split, rule), decision or Decision(), split.rejections), scores, split
