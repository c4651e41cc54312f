"""Evaluations that are made up: scores of a run that nobody trained, on clips that nobody filmed."""

import functools
from collections.abc import Sequence
from unittest import mock

import numpy as np
from tensorflow_datasets.proto import tf_example_pb2

from lipfake_jax.core.vocabulary import LABELS
from lipfake_jax.data.dataset import Split
from lipfake_jax.evaluation import measure as measure_module
from lipfake_jax.evaluation.measure import Evaluation, measure
from lipfake_jax.scoring.intervals import bootstrap
from lipfake_jax.scoring.scores import clip_scores, video_scores
from lipfake_jax.scoring.verdict import Decision, to_logits

FRAMES, SIZE = 20, 8
ABOUT = {
  'model': 'cnn_lstm', 'arguments': {'units': 128}, 'aggregation': 'mean', 'trained on': ['set_a'], 'seed': 7,
  'clip': {'frames': FRAMES}, 'code': '0123456789ab', 'versions': {'python': '3.11.7', 'jax': '0.7.1'},
  'hardware': 'a computer', 'weights': 'sha256:aa', 'videos': 'sha256:bb', 'config': {'train.epochs': 4, 'seed': 7},
}  # fmt: skip
IDENTITY = {'weights': ABOUT['weights'], 'data': 'sha256:dd'}


def make_split(labels: Sequence[int], rejections: Sequence[dict] = (), **columns: list) -> Split:
  """A split of clips whose frame t is filled with the value 10 t; `columns` replaces what is plausible."""
  n = len(labels)
  frames = np.broadcast_to(10 * np.arange(FRAMES, dtype=np.uint8)[:, None, None, None], (FRAMES, SIZE, SIZE, 3))
  example = tf_example_pb2.Example()
  example.features.feature['clip'].bytes_list.value.append(frames.tobytes())
  known = {
    'key': [f'v{i:02}.mp4' for i in range(n)], 'identity': [f'person {i // 2}' for i in range(n)],
    'method': [('original', 'swap')[label] for label in labels], 'original': [''] * n, 'dataset': ['set_a'] * n,
    'second_identity': [''] * n, 'group': [''] * n,
    'sha256': [f'{i:064x}' for i in range(n)], 'folder': [''] * n, 'codec': ['h264'] * n,
    'mouth_width': [50.0] * n, 'sharpness': [100.0] * n, 'mean_activity': [0.5] * n, 'face_share': [1.0] * n,
    'fps': [25.0] * n, 'duration': [3.0] * n, 'width': [640] * n, 'height': [480] * n,
  }  # fmt: skip
  return Split(
    dataset='set_a', builder_config='tiny', name='test', rule='identity', sources=([example.SerializeToString()] * n,),
    places=np.array([(0, i) for i in range(n)]), labels=np.array(labels, np.int32), table={**known, **columns},
    spec={'frames': FRAMES, 'size': SIZE}, rejections=list(rejections), feature='lips',
  )  # fmt: skip


def make_evaluation(
  labels: Sequence[int],
  p_fake: Sequence[float],
  decision: Decision = Decision(),  # noqa: B008, it is frozen
  rejections: Sequence[dict] = (),
  warnings: Sequence[str] = (),
  title: str = 'cnn_lstm trained on set_a, tested on set_a (test, split: identity)',
  metadata: dict | None = None,
  **columns: list,
) -> Evaluation:
  """An evaluation of clips with these scores."""
  split, logits = make_split(labels, rejections, **columns), to_logits(np.array(p_fake))
  videos = video_scores(logits, split, 'mean')
  with mock.patch.object(measure_module, 'bootstrap', functools.partial(bootstrap, rounds=100)):  # ten times as fast
    metrics = measure(videos, clip_scores(logits, split, 'mean'), decision, split.rejections)
  more = {'warnings': list(warnings), 'metadata': metadata, **IDENTITY}
  return Evaluation(title, videos, metrics | more, split, decision, ABOUT)


def reject(label: int, reason: str = 'no_face') -> dict:
  """A video that gave no clip."""
  return {'dataset': 'set_a', 'key': 'gone.mp4', 'label': LABELS[label], 'reason': reason, 'detail': ''}
