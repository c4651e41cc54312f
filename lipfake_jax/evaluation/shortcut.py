"""A control: how well videos can be told apart without a look at their frames.

In: the table of what a run was trained on, and of what it is tested on. Out: the figures of a logistic regression on
frame rate, size, codec and the like. A detector that is no better may have learned nothing else.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lipfake_jax.core.errors import UserError
from lipfake_jax.data.dataset import Split
from lipfake_jax.scoring.intervals import bootstrap
from lipfake_jax.scoring.metrics import evaluate_scores, rank_metrics
from lipfake_jax.scoring.scores import Scores, group_clips

# Of a video, see `clips.Clip`. `mean_activity` is not among them: it is what the lips do.
FACTS = ('fps', 'duration', 'width', 'height', 'face_share', 'mouth_width', 'sharpness', 'codec')
FLOOR = 1e-3  # of a number whose logarithm is taken: a single frame lasts 0 s
FEW = 2  # videos of a class in training


def metadata_control(train: Split, test: Split, scores: Scores) -> dict[str, Any] | None:
  """What the facts of a video tell of its class: a logistic regression, fitted on the training part alone.

  Args:
    train: the training part of a run.
    test: the part that it is tested on.
    scores: of the run there.

  Returns:
    'auc' and 'balanced_accuracy' (at 0.5) of the regression, 'alone': the AUC that each fact reaches by itself, and
    'lead': the run's AUC less the regression's, with its 'lead_interval' by paired bootstrap over people; None where
    either part lacks a class. Videos count, not clips: each by its first.

  Raises:
    UserError: the table of a part lacks a fact.
  """
  ours, theirs = train.labels[_first_clips(train)], scores.labels
  if min(np.bincount(ours, minlength=2)) < FEW or len(np.unique(theirs)) < 2:
    return None
  features = describe_videos(train, test)
  p_fake = fit_and_score(list(features.values()), ours)
  found = evaluate_scores(theirs, p_fake)

  def lead(chosen: np.ndarray) -> dict[str, float | None]:
    labels = theirs[chosen].astype(bool)
    run, metadata = (rank_metrics(labels, p[chosen])['auc'] for p in (scores.p_fake, p_fake))
    return {'lead': None if run is None else run - metadata}

  return {
    'auc': found['auc'],
    'balanced_accuracy': found['balanced_accuracy'],
    'alone': {name: evaluate_scores(theirs, fit_and_score([pair], ours))['auc'] for name, pair in features.items()},
    **lead(np.arange(len(theirs))),
    'lead_interval': bootstrap(lead, scores.groups)['lead'],
  }


def describe_videos(train: Split, test: Split) -> dict[str, tuple[np.ndarray, np.ndarray]]:
  """Each fact as columns: float64 [N, K] of the training videos, and [M, K] of the tested ones.

  Numbers are logarithms, of mean 0 and deviation 1 over the training videos. A codec is one column for each that
  training has, and all 0 where it has none of them.
  """
  from sklearn.preprocessing import OneHotEncoder, StandardScaler  # here: a second that only this needs

  features = {}
  for name in FACTS:
    ours, theirs = (_read_fact(split, name) for split in (train, test))
    scaler = OneHotEncoder(handle_unknown='ignore', sparse_output=False) if name == 'codec' else StandardScaler()
    features[name] = (scaler.fit_transform(ours), scaler.transform(theirs))
  return features


def fit_and_score(features: Sequence[tuple[np.ndarray, np.ndarray]], labels: np.ndarray) -> np.ndarray:
  """P(fake) of the tested videos, float64 [M], by scikit-learn's logistic regression at C = 1 with balanced classes.

  Args:
    features: float64 [N, K] and [M, K] each, put side by side.
    labels: int [N], of the training videos.
  """
  from sklearn.linear_model import LogisticRegression

  ours, theirs = (np.concatenate(columns, axis=1) for columns in zip(*features, strict=True))
  model = LogisticRegression(C=1.0, class_weight='balanced', max_iter=1000)
  return model.fit(ours, labels).predict_proba(theirs)[:, 1]


def _first_clips(split: Split) -> list[int]:
  """The position of each video's first clip, in the order of `video_scores`."""
  return [positions[0] for positions in group_clips(split)]


def _read_fact(split: Split, name: str) -> np.ndarray:
  """[N, 1]: of each video; the logarithm of a number."""
  if name not in split.table:
    raise UserError(
      f'{split.dataset} was built without {name!r} in its table: build it again, with --overwrite (the faces that were'
      ' found are kept)'
    )
  values = np.array(split.table[name])[_first_clips(split), None]
  return values if name == 'codec' else np.log(np.maximum(values, FLOOR))
