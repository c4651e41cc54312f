"""The tables and files of a run under perturbations."""

import csv

import pytest

from lipfake_jax.evaluation.robustness import measure_robustness
from lipfake_jax.report.robustness_tables import describe, markdown_table, write_curves
from tests.evaluation.robustness_test import VIDEOS, score


def test_a_table_has_a_row_a_perturbation_and_means(tmp_path):
  results = measure_robustness(score, VIDEOS, 0.25, ['blur', 'noise'], [1, 5])
  assert list(results['conditions']) == ['none', 'blur:1', 'blur:5', 'noise:1', 'noise:5']
  assert results['mean']['noise']['auc'] == pytest.approx((1 + 0.75) / 2)
  assert results['mean']['all']['auc'] == pytest.approx((1 + 1 + 1 + 0.75) / 4)
  assert markdown_table(results, 'auc').splitlines() == [
    '| AUC | none | 1 | 5 | mean |',
    '|---|---|---|---|---|',
    '| blur | 1.000 | 1.000 | 1.000 | 1.000 |',
    '| noise | 1.000 | 1.000 | 0.750 | 0.875 |',
    '| all | 1.000 |  |  | 0.938 |',
  ]
  text = describe(results, 'title')
  assert 'Videos without a verdict, of 8: noise:5 1.' in text
  assert '| AUC of all videos |' in text
  write_curves(tmp_path, results)
  with open(tmp_path / 'robustness.csv', newline='') as file:
    rows = list(csv.DictReader(file))
  assert [row['perturbation'] + row['level'] for row in rows] == ['none', 'blur1', 'blur5', 'noise1', 'noise5']
  assert (rows[4]['n'], rows[4]['without_verdict'], float(rows[4]['auc_all'])) == ('7', '1', 0.6875)
  assert (tmp_path / 'robustness.png').read_bytes().startswith(b'\x89PNG')
  assert '<svg' in (tmp_path / 'robustness.svg').read_text()


def test_no_auc_of_all_is_printed_where_none_is_missing():
  results = measure_robustness(score, VIDEOS, 0.25, ['blur'], [1])
  assert 'AUC of all' not in describe(results, '')
