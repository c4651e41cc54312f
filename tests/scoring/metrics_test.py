"""Metrics against scikit-learn, against the paper's tables, and by hand."""

import numpy as np
import pytest
from sklearn import metrics as reference

from lipfake_jax.scoring.metrics import always_fake, count_metrics, evaluate_scores, rank_metrics, roc_curve

# PAPER section 6: TP, TN, FP, FN -> accuracy, precision, recall, F1, MSE as printed; None for a dash.
PAPER_ROWS = {
  'Celeb, face 60': ((1006, 0, 298, 0), ('.771', '.771', '1.000', '.871', '.229')),
  'Celeb, lips 32x32x30': ((932, 0, 257, 0), ('.784', '.784', '1.000', '.879', '.216')),
  'Celeb, lips': ((814, 106, 70, 18), ('.913', '.921', '.978', '.949', '.087')),
  'M2F/WAV2LIP, lips': ((2392, 226, 296, 75), ('.876', '.890', '.970', '.928', '.124')),
  'Celeb + M2F/WAV2LIP, lips': ((1545, 302, 47, 10), ('.970', '.970', '.994', '.982', '.030')),
  'Celeb -> M2/WAV2': ((2412, 4, 573, 0), ('.808', '.808', '1.000', '.894', '.192')),
  'Celeb -> XM2VTS': ((0, 1202, 0, 0), ('1.000', None, None, None, '.000')),
  'M2/WAV2 -> Celeb': ((2758, 6, 580, 13), ('.823', '.826', '.995', '.903', '.177')),
  'M2/WAV2 -> XM2VTS': ((0, 1192, 10, 0), ('.992', None, None, None, '.008')),
  'both -> XM2VTS': ((0, 1202, 0, 0), ('1.000', None, None, None, '.000')),
}


@pytest.mark.parametrize('row', PAPER_ROWS)
def test_the_papers_tables_follow_from_their_counts(row):
  counts, printed = PAPER_ROWS[row]
  ours = count_metrics(*counts)
  figures = [ours[name] for name in ('accuracy', 'precision', 'recall', 'f1', 'mse')]
  assert [None if v is None else f'{v:.3f}'.removeprefix('0') for v in figures] == list(printed)


@pytest.mark.parametrize(
  ('row', 'balanced'),
  [
    ('Celeb, face 60', '.500'),
    ('Celeb, lips', '.790'),
    ('M2F/WAV2LIP, lips', '.701'),
    ('Celeb + M2F/WAV2LIP, lips', '.929'),
    ('Celeb -> M2/WAV2', '.503'),
    ('M2/WAV2 -> Celeb', '.503'),
  ],
)
def test_balanced_accuracy_shows_what_the_tables_hide(row, balanced):
  counts, _ = PAPER_ROWS[row]
  assert f'{count_metrics(*counts)["balanced_accuracy"]:.3f}'.removeprefix('0') == balanced


def scores(seed, n=200, ties=False):
  rng = np.random.default_rng(seed)
  labels = rng.random(n) < 0.7
  p = np.clip(rng.normal(0.4 + 0.2 * labels, 0.2), 0, 1)
  return labels, np.round(p, 1) if ties else p


@pytest.mark.parametrize('ties', [False, True])
@pytest.mark.parametrize('seed', range(3))
def test_equal_to_scikit_learn(seed, ties):
  labels, p = scores(seed, ties=ties)
  called, ours = p > 0.45, evaluate_scores(labels, p, threshold=0.45)
  expected = {
    'accuracy': reference.accuracy_score(labels, called),
    'balanced_accuracy': reference.balanced_accuracy_score(labels, called),
    'precision': reference.precision_score(labels, called),
    'recall': reference.recall_score(labels, called),
    'specificity': reference.recall_score(~labels, ~called),
    'f1': reference.f1_score(labels, called),
    'mcc': reference.matthews_corrcoef(labels, called),
    'mse': reference.mean_squared_error(labels, called),
    'brier': reference.brier_score_loss(labels, p),
    'log_loss': reference.log_loss(labels, p),
    'auc': reference.roc_auc_score(labels, p),
    'ap': reference.average_precision_score(labels, p),
  }
  assert {name: ours[name] for name in expected} == pytest.approx(expected, rel=1e-9)
  tn, fp, fn, tp = reference.confusion_matrix(labels, called).ravel()
  assert (ours['tn'], ours['fp'], ours['fn'], ours['tp']) == (tn, fp, fn, tp)


def test_roc_curve_equals_scikit_learns():
  labels, p = scores(0, ties=True)
  fpr, tpr, cuts = roc_curve(labels, p)
  expected = reference.roc_curve(labels, p, drop_intermediate=False)
  for ours, theirs in zip((fpr, tpr, cuts), expected, strict=True):
    np.testing.assert_allclose(ours, theirs)


def test_equal_error_rate_by_hand():
  # Real .1 .2 .6, fake .4 .7 .8: at a cut between .4 and .6 one of three is wrong in each class.
  ours = evaluate_scores(np.array([0, 0, 0, 1, 1, 1]), np.array([0.1, 0.2, 0.6, 0.4, 0.7, 0.8]))
  assert ours['eer'] == pytest.approx(1 / 3)
  assert ours['auc'] == pytest.approx(8 / 9)  # one of nine pairs is in the wrong order
  perfect = evaluate_scores(np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.8, 0.9]))
  assert (perfect['eer'], perfect['auc'], perfect['ap']) == (0, 1, 1)


def test_calibration_error_by_hand():
  # Bin [.8, .9): two videos at .85, one fake: gap .35. Bin [.1, .2): two at .15, none fake: gap .15. Half weight each.
  ours = evaluate_scores(np.array([1, 0, 0, 0]), np.array([0.85, 0.85, 0.15, 0.15]))
  assert ours['ece'] == pytest.approx(0.25)


def test_labels_may_be_integers():
  labels, p = scores(0)
  assert rank_metrics(labels.astype(np.int32), p) == rank_metrics(labels, p)


def test_one_class_has_no_rank_metrics():
  real_only = evaluate_scores(np.zeros(4), np.array([0.1, 0.2, 0.7, 0.4]))
  undefined = {
    'balanced_accuracy',
    'precision',
    'recall',
    'f1',
    'mcc',
    'auc',
    'ap',
    'eer',
    'tpr_at_fpr_1',
    'tpr_at_fpr_5',
  }
  assert {name for name, value in real_only.items() if value is None} == undefined
  assert real_only['specificity'] == 0.75
  assert real_only['log_loss'] == pytest.approx(-np.log([0.9, 0.8, 0.3, 0.6]).mean())


def test_sure_mistakes_cost_a_lot_but_not_infinity():
  assert evaluate_scores(np.array([0, 1]), np.array([1.0, 0.0]))['log_loss'] == pytest.approx(-np.log(2.0**-52))


def test_always_fake_is_chance_in_balanced_accuracy():
  trivial = always_fake({'n_real': 30, 'n_fake': 70})
  assert (trivial['accuracy'], trivial['balanced_accuracy'], trivial['mcc']) == (0.7, 0.5, 0)
  assert trivial['f1'] == pytest.approx(140 / 170)


def test_recall_at_few_false_alarms_by_hand():
  # 100 reals at 0, .01, ... .99; fakes at .985 (under one real: 1 % false alarms), .945 (five reals above), .5.
  labels = np.array([0] * 100 + [1, 1, 1])
  p = np.append(np.arange(100) / 100, [0.985, 0.945, 0.5])
  ours = evaluate_scores(labels, p)
  assert ours['tpr_at_fpr_1'] == pytest.approx(1 / 3)
  assert ours['tpr_at_fpr_5'] == pytest.approx(2 / 3)
