"""Metrics of scores against labels, in plain NumPy. Fake is the positive class.

An undefined metric (no fakes, or one class only) is None. `balanced_accuracy`, `auc` and `mcc` are what to look at:
accuracy and F1 are high for a detector that calls everything fake where most videos are (PAPER section 6).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

Metrics = dict[str, Any]  # a number, or None where undefined
COUNTS = ('n', 'n_real', 'n_fake', 'tp', 'tn', 'fp', 'fn')
BINS = 10  # of the calibration error
TPR_AT_FPR = {'tpr_at_fpr_1': 0.01, 'tpr_at_fpr_5': 0.05}


def evaluate_scores(labels: np.ndarray, p_fake: np.ndarray, threshold: float = 0.5) -> Metrics:
  """All metrics of one set of videos.

  Args:
    labels: int [N], 0 real, 1 fake.
    p_fake: float [N], probabilities in [0, 1].
    threshold: a video is called fake where p_fake > threshold.

  Returns:
    The keys of `count_metrics`, `probability_metrics` and `rank_metrics`, and 'threshold'.
  """
  labels, p_fake = np.asarray(labels).astype(bool), np.asarray(p_fake, np.float64)
  called = p_fake > threshold
  counts = count_metrics(
    tp=int((called & labels).sum()),
    tn=int((~called & ~labels).sum()),
    fp=int((called & ~labels).sum()),
    fn=int((~called & labels).sum()),
  )
  return {**counts, **probability_metrics(labels, p_fake), **rank_metrics(labels, p_fake), 'threshold': threshold}


def count_metrics(tp: int, tn: int, fp: int, fn: int) -> Metrics:
  """What follows from the confusion matrix alone.

  `mse` is the paper's: the squared error of the decisions, which is 1 - accuracy. Without fakes precision, recall and
  F1 are undefined, as in the paper's tables; precision also where nothing is called fake. MCC is 0 where the decisions
  are all the same (its usual convention).
  """
  n, n_real, n_fake = tp + tn + fp + fn, tn + fp, tp + fn
  recall, specificity = _ratio(tp, n_fake), _ratio(tn, n_real)
  both = recall is not None and specificity is not None
  product = float(tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
  mcc = (tp * tn - fp * fn) / product**0.5 if product else 0.0
  return {
    'n': n,
    'n_real': n_real,
    'n_fake': n_fake,
    'tp': tp,
    'tn': tn,
    'fp': fp,
    'fn': fn,
    'accuracy': _ratio(tp + tn, n),
    'balanced_accuracy': (recall + specificity) / 2 if both else None,
    'majority_accuracy': _ratio(max(n_real, n_fake), n),
    'precision': _ratio(tp, tp + fp) if n_fake else None,
    'recall': recall,
    'specificity': specificity,
    'f1': _ratio(2 * tp, 2 * tp + fp + fn) if n_fake else None,
    'mcc': mcc if both else None,
    'mse': _ratio(fp + fn, n),
  }


def probability_metrics(labels: np.ndarray, p_fake: np.ndarray) -> Metrics:
  """Brier score, log loss (natural) and expected calibration error (BINS bins of equal width) of probabilities."""
  if not len(labels):
    return {'brier': None, 'log_loss': None, 'ece': None}
  eps = np.finfo(np.float64).eps
  clipped = np.clip(p_fake, eps, 1 - eps)
  bins = np.minimum((p_fake * BINS).astype(int), BINS - 1)
  gaps = np.bincount(bins, weights=p_fake - labels, minlength=BINS)
  return {
    'brier': float(np.mean((p_fake - labels) ** 2)),
    'log_loss': float(-np.mean(np.where(labels, np.log(clipped), np.log1p(-clipped)))),
    'ece': float(np.abs(gaps).sum() / len(labels)),
  }


def rank_metrics(labels: np.ndarray, scores: np.ndarray) -> Metrics:
  """Area under the ROC curve, average precision, equal error rate, and the share of fakes that is found while at most
  1 % or 5 % of the reals are called fake; all need both classes, ties count half."""
  labels = np.asarray(labels).astype(bool)
  if labels.all() or not labels.any():
    return dict.fromkeys(('auc', 'ap', 'eer', *TPR_AT_FPR))
  fpr, tpr, _ = roc_curve(labels, scores)
  true, false = tpr * labels.sum(), fpr * (~labels).sum()
  precision = true[1:] / (true[1:] + false[1:])
  return {
    'auc': float((np.diff(fpr) * (tpr[1:] + tpr[:-1]) / 2).sum()),
    'ap': float((np.diff(tpr) * precision).sum()),
    'eer': _equal_error(fpr, 1 - tpr),
    **{name: float(tpr[fpr <= limit].max()) for name, limit in TPR_AT_FPR.items()},
  }


def roc_curve(labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """Rates at every distinct score, from calling nothing fake to calling all fake.

  Args:
    labels: bool [N], with both classes.
    scores: float [N], higher is more fake.

  Returns:
    fpr and tpr, float64 [K + 1] from (0, 0) to (1, 1), and the scores at or above which a video is called fake,
    float64 [K + 1], the first infinite.
  """
  order = np.argsort(-scores, kind='stable')
  last = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)  # ties move together
  true = np.append(0, np.cumsum(labels[order])[last])
  false = np.append(0, np.cumsum(~labels[order])[last])
  return false / false[-1], true / true[-1], np.append(np.inf, scores[order][last])


def always_fake(metrics: Mapping[str, Any]) -> Metrics:
  """The counts' metrics of calling every video of the same set fake: what a detector has to beat."""
  return count_metrics(tp=int(metrics['n_fake']), tn=0, fp=int(metrics['n_real']), fn=0)


def _ratio(part: float, whole: float) -> Any:
  """None where there is nothing to share."""
  return part / whole if whole else None


def _equal_error(fpr: np.ndarray, fnr: np.ndarray) -> float:
  """Where the two rates cross, on the straight line between neighbouring points of the curve."""
  after = int(np.argmax(fpr >= fnr))
  gap_before, gap_after = (fnr - fpr)[after - 1], (fpr - fnr)[after]
  share = gap_before / (gap_before + gap_after)
  return float(fpr[after - 1] + share * (fpr[after] - fpr[after - 1]))
