"""Thresholds by hand, and the temperature against scikit-learn."""

import numpy as np
import pytest
from scipy import optimize
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from lipfake_jax.core.errors import UserError
from lipfake_jax.scoring.verdict import (
  Decision,
  calibrate,
  check_rule,
  choose_threshold,
  fit_line,
  fit_temperature,
  read_decision,
  to_logits,
  write_decision,
)


def test_balanced_accuracy_lies_in_the_gap():
  assert choose_threshold([0, 0, 1, 1], [0.1, 0.3, 0.7, 0.9], 'balanced_accuracy') == pytest.approx(0.5)
  # 40 reals at most .2, one at .6; fakes at .4 and over: cutting under .4 costs one real, over .6 more fakes.
  labels = np.array([0] * 41 + [1] * 3)
  p = np.array([0.2] * 40 + [0.6] + [0.4, 0.5, 0.9])
  assert choose_threshold(labels, p, 'balanced_accuracy') == pytest.approx(0.3)


def test_equal_errors():
  # At .45 one of four reals is called fake and one of four fakes is missed: .75 balanced. At .27 it is .875.
  labels, p = [0, 0, 0, 0, 1, 1, 1, 1], [0.1, 0.2, 0.24, 0.7, 0.3, 0.6, 0.8, 0.9]
  assert choose_threshold(labels, p, 'eer') == pytest.approx(0.45)
  assert choose_threshold(labels, p, 'balanced_accuracy') == pytest.approx(0.27)


def test_a_limit_of_false_alarms():
  labels = np.array([0] * 20 + [1] * 3)
  p = np.append(np.arange(20) / 20, [0.97, 0.92, 0.5])  # reals at 0, .05, ... .95
  assert choose_threshold(labels, p, 'fpr:0.05') == pytest.approx((0.92 + 0.9) / 2)  # one real of 20 above it
  assert choose_threshold(labels, p, 'fpr:0.04') == pytest.approx((0.97 + 0.95) / 2)  # none
  called = p > choose_threshold(labels, p, 'fpr:0.25')
  assert called[:20].mean() <= 0.25


def test_a_fixed_threshold_asks_for_nothing():
  assert choose_threshold([1, 1], [0.1, 0.2], 'fixed') == 0.5


def test_one_class_has_no_threshold():
  with pytest.raises(ValueError, match='both classes'):
    choose_threshold(np.ones(3), np.ones(3), 'eer')


@pytest.mark.parametrize('rule', ['best', 'fpr:', 'fpr:x', 'fpr:1', 'fpr:0', 'fpr:-0.1', '0.05'])
def test_unknown_rules(rule):
  with pytest.raises(UserError, match='choose one of fixed, balanced_accuracy, eer, fpr:X'):
    check_rule(rule)


def test_temperature_is_that_of_the_lowest_log_loss():
  rng = np.random.default_rng(0)
  logits = rng.normal(0, 1.5, 2000)
  labels = rng.random(2000) < 1 / (1 + np.exp(-logits))
  too_sure = 1 / (1 + np.exp(-3 * logits))
  found = fit_temperature(labels, too_sure)
  assert found == pytest.approx(3, rel=0.1)
  best = optimize.minimize_scalar(lambda t: log_loss(labels, calibrate(too_sure, t)), bounds=(1, 6), method='bounded')
  assert found == pytest.approx(best.x, rel=0.01)  # smoothing two labels in 2000 hardly counts


def test_few_videos_told_apart_are_no_certainty():
  temperature = fit_temperature([0, 0, 0, 1, 1, 1], [1e-6] * 3 + [1 - 1e-6] * 3)
  np.testing.assert_allclose(calibrate(np.array([1e-6, 1 - 1e-6]), temperature), [0.2, 0.8], atol=1e-3)  # 1/5 and 4/5


def test_calibration_keeps_order_and_ends():
  p = np.array([0, 0.2, 0.5, 0.9, 1])
  calibrated = calibrate(p, 2.0)
  assert (np.diff(calibrated) > 0).all()
  assert calibrated[2] == 0.5
  assert calibrated[3] == pytest.approx(3 / 4)  # odds of 9 become odds of 3
  assert 0 < calibrated[0] < calibrated[4] < 1


def test_kept_with_the_run(tmp_path):
  assert read_decision(tmp_path) == Decision(0.5, 'fixed', 1.0)
  write_decision(tmp_path, Decision(0.3, 'eer', 2.5))
  assert read_decision(tmp_path) == Decision(0.3, 'eer', 2.5)


def test_the_line_through_logits_is_a_logistic_regression_of_smoothed_labels():
  labels, p = np.array([0, 0, 0, 1, 1]), np.array([0.6, 0.7, 0.95, 0.9, 0.97])
  logits = np.tile(to_logits(p), 2)[:, None]
  target = np.where(labels, 3 / 4, 1 / 5)  # classes of 2 and 3
  known = LogisticRegression(C=np.inf, tol=1e-8).fit(
    logits, np.repeat([1, 0], 5), sample_weight=np.append(target, 1 - target)
  )
  # Both stop near the same minimum, which is flat.
  assert fit_line(labels, p) == pytest.approx((known.coef_.item(), known.intercept_.item()), abs=1e-3)
