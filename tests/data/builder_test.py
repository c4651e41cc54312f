"""From listed videos to a built dataset: real builds by the `tfds` command, and what they tell."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds

from data_builders.conftest import ROOT, tfds_build, tfds_command, touch
from lipfake_jax.clips import extraction
from lipfake_jax.core.vocabulary import VideoRecord
from lipfake_jax.data.builder import count_rejections, rejection_table
from lipfake_jax.data.dataset import DataChoice, open_split
from tests.conftest import copy_video, write_video


def some_rejections(n_real, n_fake):
  """Of ten reals and twenty fakes some are rejected."""
  labels = ['real'] * 10 + ['fake'] * 20
  records = [VideoRecord(Path(f'{i}'), f'{i}', label) for i, label in enumerate(labels)]
  lost = [*records[:n_real], *records[10 : 10 + n_fake]]
  reasons = ['no_face'] + ['too_short'] * 30
  return records, [{'key': r.key, 'label': r.label, 'reason': why} for r, why in zip(lost, reasons, strict=False)]


def test_rejections_are_counted_by_reason_and_class():
  counts = count_rejections(*some_rejections(1, 2))
  assert counts == {
    'videos': {'real': 10, 'fake': 20},
    'accepted': {'real': 9, 'fake': 18},
    'rejected: no_face': {'real': 1, 'fake': 0},
    'rejected: too_short': {'real': 0, 'fake': 2},
  }
  table = [line.split() for line in rejection_table(counts).splitlines()]
  assert table[:2] == [['real', 'fake'], ['videos', '10', '20']]
  assert len(table) == 5  # a tenth of either class is no warning


def test_a_class_that_loses_more_is_a_warning():
  assert 'warning' not in rejection_table(count_rejections(*some_rejections(1, 1)))  # 10 % and 5 %
  warning = rejection_table(count_rejections(*some_rejections(0, 2))).splitlines()[-1]
  assert warning.startswith('warning: 0.0% of the reals and 10.0% of the fakes were rejected')


CLIPS = '--config=uniform_lips_30x32'


@pytest.mark.slow
def test_tfds_build_makes_a_dataset_of_a_folder(tmp_path, face_video, blank_video, text_video):
  root = tmp_path / 'v'
  sources = [face_video, face_video, blank_video, text_video]
  names = ['real/face.mp4', 'fake/face.mp4', 'fake/blank.mp4', 'real/text.mp4']
  for name, source in zip(names, sources, strict=True):
    copy_video(source, root / name, boxes=name == 'fake/face.mp4')
  data_dir = str(tmp_path / 'data')
  done = tfds_build('video_folder', CLIPS, f'--manual_dir={root}', f'--data_dir={data_dir}')
  assert done.returncode == 0, done.stderr
  builder = tfds.core.read_only_builder.builder_from_files(
    'video_folder/uniform_lips_30x32', data_dir=str(tmp_path / 'data')
  )
  rows = list(builder.as_data_source('clips'))
  assert {row['key'].decode(): int(row['label']) for row in rows} == {'real/face.mp4': 0, 'fake/face.mp4': 1}
  assert rows[0]['clip'].shape == (30, 32, 32, 3)
  assert rows[0]['clip'].std() > 10  # pixels, not blanks
  assert (rows[0]['lips'].shape, rows[0]['lips'].dtype) == ((30, 64, 2), np.float32)
  assert 0.1 < rows[0]['lips'].std() < 1  # of a mouth's width
  rejections = {r['key']: (r['reason'], r['label']) for r in builder.info.metadata['rejections']}
  assert rejections == {'fake/blank.mp4': ('no_face', 'fake'), 'real/text.mp4': ('unreadable', 'real')}
  assert builder.info.metadata['rejection_counts']['rejected: no_face'] == {'real': 0, 'fake': 1}
  assert (rows[0]['codec'], rows[0]['width'], rows[0]['height']) == (b'h264', 512, 400)
  assert rows[0]['mouth_width'] == pytest.approx(72, abs=3)
  assert json.loads(json.dumps(builder.info.metadata['spec']))['frames'] == 30
  table = builder.info.metadata['clips']
  # The table's rows are the clips.
  assert [row['key'].decode() for row in rows] == table['key']
  assert [float(row['mouth_width']) for row in rows] == pytest.approx(table['mouth_width'])
  assert table['sha256'] == [extraction.digest_file(root / key) for key in table['key']]


@pytest.mark.slow
@pytest.mark.parametrize('names', [['real/readme.txt'], ['real/text.mp4']])
def test_tfds_build_of_nothing_says_so_without_a_traceback(tmp_path, names):
  root = touch(tmp_path / 'v', *names)
  root.mkdir(exist_ok=True)
  failed = tfds_build('video_folder', CLIPS, f'--manual_dir={root}', f'--data_dir={tmp_path / "data"}')
  assert failed.returncode == 2
  assert str(root) in failed.stderr
  assert 'Traceback' not in failed.stderr


@pytest.fixture(scope='module')
def many_videos(tmp_path_factory, portrait):
  """Twelve different videos of one face, six real and six fake, each a second long."""
  root = tmp_path_factory.mktemp('many')
  for i in range(12):
    images = [np.roll(portrait[60:380, 80:400], (j * (i + 1)) % 13, axis=1) for j in range(32)]
    write_video(root / ('real', 'fake')[i % 2] / f'{i}.mp4', images)
  return root


def content(data_dir: Path) -> dict[str, bytes]:
  """What a build left: the examples of each shard, and the description files, by name."""
  folder = data_dir / 'video_folder' / 'uniform_lips_30x32' / '1.0.0'
  return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope='module')
def undisturbed(tmp_path_factory, many_videos) -> Path:
  """The data folder of a build that was left alone."""
  data_dir = tmp_path_factory.mktemp('undisturbed')
  done = tfds_build('video_folder', CLIPS, f'--manual_dir={many_videos}', f'--data_dir={data_dir}')
  assert done.returncode == 0, done.stderr
  return data_dir


@pytest.mark.slow
def test_a_dataset_is_reused_for_its_own_videos_alone(tmp_path, face_video):
  """Without --config the default config is built, and no other; another folder's videos need --overwrite."""
  for folder, name in (('first', 'a.mp4'), ('second', 'b.mp4')):
    for label in ('real', 'fake'):
      copy_video(face_video, tmp_path / folder / label / name, boxes=label == 'fake')

  def build(folder, *more):
    return tfds_build('video_folder', f'--manual_dir={tmp_path / folder}', f'--data_dir={tmp_path / "data"}', *more)

  done = build('first')
  assert done.returncode == 0, done.stderr
  assert 'config flow_lips_60x64; others by --config=NAME: flow_lips_even_60x64, ' in done.stdout
  assert [path.name for path in (tmp_path / 'data' / 'video_folder').glob('[!.]*')] == ['flow_lips_60x64']
  assert build('first').returncode == 0
  refused = build('second')
  assert refused.returncode == 2
  assert '2 only in the dataset: fake/a.mp4, real/a.mp4; 2 only in the folder: fake/b.mp4, real/b.mp4' in refused.stderr
  assert 'build with --overwrite' in refused.stderr
  assert 'Traceback' not in refused.stderr
  assert build('second', '--overwrite').returncode == 0
  split = open_split(DataChoice('video_folder', 'flow_lips_60x64'), 'all', str(tmp_path / 'data'))
  assert split.table['key'] == ['fake/b.mp4', 'real/b.mp4']


@pytest.mark.slow
def test_ctrl_c_ends_a_build_with_one_line_and_leaves_nothing_unfinished(tmp_path, many_videos):
  """It reaches every process of the command, as from a terminal."""
  arguments = (f'--manual_dir={many_videos}', f'--data_dir={tmp_path}')
  command = tfds_command('video_folder', CLIPS, *arguments)
  build = subprocess.Popen(
    command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
  )
  deadline = time.monotonic() + 120
  while not list(tmp_path.glob('clip_cache/clips/*/*.npz')) and build.poll() is None and time.monotonic() < deadline:
    time.sleep(0.02)
  os.killpg(build.pid, signal.SIGINT)
  errors = build.communicate(timeout=60)[1]
  assert build.returncode == 130
  assert re.search(r'interrupted: \d+ of 12 videos are extracted and kept; the same command goes on from there', errors)
  assert 'Traceback' not in errors
  assert {path.suffix for path in (tmp_path / 'clip_cache').rglob('*.*')} <= {'.npz', '.bin'}
  assert not list(tmp_path.glob('video_folder/uniform*/*'))


@pytest.mark.slow
def test_a_built_dataset_is_split_again_without_extraction(undisturbed):
  """Nor is it rewritten: the split is a choice at reading."""
  files = {path: path.stat().st_mtime_ns for path in undisturbed.rglob('*') if path.is_file()}
  keys = {
    split: open_split(DataChoice('video_folder', 'uniform_lips_30x32', split), 'train', str(undisturbed)).table['key']
    for split in ('identity', 'paper')
  }
  assert keys['identity'] != keys['paper']
  assert {path: path.stat().st_mtime_ns for path in undisturbed.rglob('*') if path.is_file()} == files


@pytest.mark.slow
def test_a_build_that_was_killed_goes_on_to_the_same_bytes(tmp_path, many_videos, undisturbed):
  """Killed with no warning, once some videos are finished; the second run does not extract them again."""
  arguments = (f'--manual_dir={many_videos}', f'--data_dir={tmp_path}')
  build = subprocess.Popen(
    tfds_command('video_folder', CLIPS, *arguments),
    cwd=ROOT,
    stderr=subprocess.DEVNULL,
    stdout=subprocess.DEVNULL,
    start_new_session=True,
  )
  try:
    deadline = time.monotonic() + 120
    while len(list(tmp_path.glob('clip_cache/clips/*/*.npz'))) < 3 and time.monotonic() < deadline:
      time.sleep(0.02)
  finally:
    os.killpg(build.pid, signal.SIGKILL)
    build.wait()
  finished = {path: path.stat().st_mtime_ns for path in tmp_path.glob('clip_cache/clips/*/*.npz')}
  assert 3 <= len(finished) < 12
  assert not (tmp_path / 'video_folder' / 'uniform_lips_30x32' / '1.0.0').exists()
  done = tfds_build('video_folder', CLIPS, *arguments)
  assert done.returncode == 0, done.stderr
  assert {path: path.stat().st_mtime_ns for path in finished} == finished
  assert len(list(tmp_path.glob('clip_cache/clips/*/*.npz'))) == 12
  assert content(tmp_path) == content(undisturbed)


@pytest.mark.slow
def test_beam_yields_the_same_dataset(tmp_path, many_videos, undisturbed):
  """On Beam's DirectRunner with two worker processes."""
  options = '--beam_pipeline_options=runner=DirectRunner,direct_num_workers=2,direct_running_mode=multi_processing'
  done = tfds_build('video_folder', CLIPS, f'--manual_dir={many_videos}', f'--data_dir={tmp_path}', options)
  assert done.returncode == 0, done.stderr
  assert 'extracting' not in done.stderr  # no process of the local pool's
  assert content(tmp_path) == content(undisturbed)
