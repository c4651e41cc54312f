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
