"""That the training benchmark runs and adds up; what it measures is no test's business."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_the_training_benchmark_prints_its_table():
  command = [sys.executable, 'benchmarks/train.py', '--synthetic', '--rounds=1', '--seconds=0.1', '--batch_sizes=1']
  output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
  row = re.search(r'^\| ours \| 1 \| float32 \| ([\d.]+) \| 1.00 \| ([\d.]+) \| 1.00 \|', output, re.MULTILINE)
  assert row, output
  assert 'batch 1, float32: 9.0 GFLOP' in output  # GFLOP: forward, and backward but for the clip's own gradient


def test_fused_detectors_are_measured_on_the_test_rows(tmp_path):
  """The second is perfect and speaks of half of the test videos; where it is silent the first, at chance, is left."""
  rows = ['key,part,label,group,pixels,sound']
  for part in ('validation', 'test'):
    for number in range(16):
      label, silent = number % 2, part == 'test' and number >= 8
      sound = '' if silent else 2 * label - 1
      rows.append(f'{part}{number},{part},{label},{part} {number // 4},{number // 2 % 2 - 0.5},{sound}')
  path = tmp_path / 'scores.csv'
  path.write_text('\n'.join(rows))
  command = [sys.executable, 'benchmarks/fused.py', str(path)]
  output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
  assert re.findall(r'^\| (.+?) \| ([\d.]+) .* \| (\d+%) \|$', output, re.MULTILINE) == [
    ('pixels', '0.500', '100%'),
    ('sound', '1.000', '50%'),
    ('all fused', '0.875', '100%'),
  ]
