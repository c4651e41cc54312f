"""That benchmarks run and add up; what they measure is no test's business."""

import json
import os
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
  number = r'[\d.e+-]+'
  row = re.search(
    rf'^\| cnn_lstm, ours \| 1 \| float32 \| {number} \| {number} \| 1.00 \| {number} \| - \| {number} \| 1.00 \|',
    output,
    re.MULTILINE,
  )
  assert row, output
  assert 'batch 1, float32: 9.0 GFLOP' in output  # GFLOP: forward, and backward but for the clip's own gradient


@pytest.mark.slow
def test_models_and_feeds_are_rows_of_their_own():
  command = [sys.executable, 'benchmarks/train.py', '--synthetic', '--once', '--rounds=1', '--seconds=0.01']
  command += ['--models=lip_kinematics', '--batch_sizes=2', '--feeds=device', '--together=models']
  output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
  for name in ('ours', 'ours, from device'):
    assert f'| lip_kinematics, {name} | 2 | float32 |' in output


@pytest.mark.slow
def test_the_losses_of_a_cpu_are_those_of_a_cpu():
  command = [sys.executable, 'benchmarks/curve.py', '--model=lip_kinematics', '--batch_size=2', '--steps=2']
  output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
  assert re.search(r'^\| 2 \| (\d\.\d{6}) \| \1 \|$', output, re.MULTILINE), output
  assert 'the losses of 2 steps differ by at most 0.0e+00' in output


def test_the_script_for_a_gpu_names_what_it_had_no_time_for():
  environment = {**os.environ, 'PYTHON': sys.executable, 'MINUTES': '0'}
  done = subprocess.run(
    ['benchmarks/gpu.sh', '--tiny'], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
  )
  assert done.returncode == 1
  assert done.stdout.count('Left out: no time is left.') == 6
  assert 'Left out: torch.compile' in done.stdout


def test_the_script_for_a_gpu_refuses_what_it_does_not_know():
  done = subprocess.run(['benchmarks/gpu.sh', '--fast'], cwd=ROOT, capture_output=True, text=True, check=False)
  assert (done.returncode, done.stderr) == (2, 'gpu.sh: unknown --fast: there is --tiny\n')


def test_fused_detectors_are_measured_on_the_test_rows(tmp_path):
  """The second is perfect and speaks of half of the test videos; where it is silent the first, at chance, is left."""
  rows = ['key,part,label,group,pixels,sound']
  for part in ('validation', 'test'):
    for number in range(16):
      label, silent = number % 2, part == 'test' and number >= 8
      sound = '' if silent else 2 * label - 1
      rows.append(f'{part}{number},{part},{label},{part} {number // 4},{number // 2 % 2 - 0.5},{sound}')
  rows.append(',cost,,,0.25,1.5')
  path = tmp_path / 'scores.csv'
  path.write_text('\n'.join(rows))
  command = [sys.executable, 'benchmarks/fused.py', str(path)]
  output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
  assert re.findall(r'^\| (.+?) \| ([\d.]+) .* \| (\d+%) \| (.+) \| (.+) \|$', output, re.MULTILINE) == [
    ('pixels', '0.500', '100%', '8, 8', '0.25'),
    ('sound', '1.000', '50%', '4, 4', '1.50'),
    ('all fused', '0.875', '100%', '8, 8', '1.75'),
  ]
  assert 'all fused less pixels, on the 16 videos that both speak of: +0.375 (' in output
  assert re.search(
    r'^8 videos by pixels and sound: [+-]\d\.\d\d \+0\.00 pixels \+\d\.\d\d sound$', output, re.MULTILINE
  )


def test_answers_of_commands_become_rows(tmp_path):
  """From what was kept of the commands: of ann, who has six real videos, five are references."""
  keep = tmp_path / 'keep'
  keep.mkdir()
  files = [*(str(tmp_path / f'real{number}.mp4') for number in range(6)), str(tmp_path / 'fake.mp4')]
  labels = ['real'] * 6 + ['fake']
  lines = [f'{Path(file).name},{label},ann,test' for file, label in zip(files, labels, strict=True)]
  (tmp_path / 'list.csv').write_text('\n'.join(['path,label,identity,split', *lines, 'other.mp4,real,bob,train']))
  (tmp_path / 'given.csv').write_text(f'path,logit,cpu_s\n{files[0]},2.5,7\n{files[1]},,7\nelsewhere.mp4,1,7')
  seen = [{'video': {'path': file, 'duration_s': 7.0}, 'p_fake': 0.5} for file in files]
  seen[6]['p_fake'] = None
  faces = [{'confidence': 0.25}, {'confidence': 0.5}]
  timed = [{'video': file, 'people': faces if file == files[0] else []} for file in files]
  checked = [{'video': file, 'score': 3.0, 'limit': 1.0} for file in files[5:]]
  answers = {'detect': (seen, 49), 'sync check': (timed, 98), 'enroll ann': ([], 7), 'check ann': (checked, 42)}
  for name, (documents, cpu_s) in answers.items():
    (keep / f'{name}.json').write_text(json.dumps({'cpu_s': cpu_s, 'documents': documents}))
  command = [sys.executable, 'benchmarks/collect.py', str(tmp_path / 'list.csv'), f'--keep={keep}', '--sync=a']
  subprocess.run([*command, '--person=b', '--given', f'closures={tmp_path / "given.csv"}'], cwd=ROOT, check=True)
  assert (keep / 'scores.csv').read_text().splitlines() == [
    'key,part,label,group,pixels,closures,av_sync,poi',
    f'{files[0]},test,0,ann,0.0,2.5,-0.5,',
    *(f'{file},test,0,ann,0.0,,,' for file in files[1:5]),
    f'{files[5]},test,0,ann,0.0,,,2.0',
    f'{files[6]},test,1,ann,,,,2.0',
    ',cost,,,1.0,1.0,2.0,1.0',
  ]
