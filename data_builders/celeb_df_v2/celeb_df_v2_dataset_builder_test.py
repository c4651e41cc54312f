"""Celeb-DF v2: names, labels, persons and the list, with the traps that copies of the set hold."""

import json
import subprocess
import sys

import pytest

from data_builders.celeb_df_v2.dummy_data import FAKES, REALS, YOUTUBE
from data_builders.conftest import ROOT, tfds_build
from lipfake_jax.core.errors import UserError
from lipfake_jax.core.people import people
from lipfake_jax.core.vocabulary import PARTS
from lipfake_jax.data import splits


def by_key(listing):
  return {video.key: video for video in listing.videos}


def test_every_video_has_its_label_and_its_persons(names, survey):
  videos = by_key(survey('celeb_df_v2', names('celeb_df_v2')))
  assert len(videos) == len(REALS) + len(YOUTUBE) + len(FAKES)
  real, fake = videos['Celeb-real/id8_0000.mp4'], videos['Celeb-synthesis/id8_id16_0000.mp4']
  assert (real.label, real.identity, real.second_identity, real.method) == ('real', 'id8', '', 'original')
  assert (fake.label, fake.identity, fake.second_identity) == ('fake', 'id8', 'id16')
  assert (fake.method, fake.original) == ('Celeb-synthesis', 'Celeb-real/id8_0000.mp4')
  stranger = videos['YouTube-real/00001.mp4']
  assert (stranger.label, stranger.identity, stranger.folder) == ('real', '', 'YouTube-real')
  assert {video.dataset for video in videos.values()} == {'celeb_df_v2'}


def test_the_list_names_the_official_test_part(names, survey):
  """In the list 1 is real: taken the other way round, every label of the test part would be wrong."""
  listing = survey('celeb_df_v2', names('celeb_df_v2'))
  tested = {video.key: video.label for video in listing.videos if video.official == 'test'}
  assert tested == {video.path: video.label for video in [*REALS[::4], *FAKES[::4]]}
  assert {video.official for video in listing.videos} == {'train', 'test'}


def test_a_list_with_inverted_labels_is_refused(names, survey):
  root = names('celeb_df_v2')
  table = root / 'List_of_testing_videos.txt'
  table.write_text(''.join(f'{1 - int(line[0])}{line[1:]}\n' for line in table.read_text().splitlines()))
  with pytest.raises(UserError, match=r'List_of_testing_videos.txt, line 1: .* in the published list 1 is real'):
    survey('celeb_df_v2', root)


def test_entries_without_a_file_are_counted_and_named(names, survey):
  notes = survey('celeb_df_v2', names('celeb_df_v2')).notes
  missing = notes['entries of List_of_testing_videos.txt without a file']
  assert missing == ['celeb-synthesis/id59_id60_0009.mp4', 'youtube-real/00299.mp4']


@pytest.mark.parametrize(
  'moves',
  [
    {'YouTube-real': 'Youtube-real'},
    {'Celeb-real': 'Celeb-real.tmp/videos', 'Celeb-synthesis': 'Celeb-synthesis.tmp/videos'},
    {'Celeb-real': 'Celeb-DF-v2/Celeb-real', 'Celeb-synthesis': 'Celeb-DF-v2/Celeb-synthesis',
     'YouTube-real': 'Celeb-DF-v2/YouTube-real'},
  ],
  ids=['spelling', 'videos level', 'outer level'],
)  # fmt: skip
def test_variants_of_the_layout_are_the_same_dataset(names, survey, moves):
  root = names('celeb_df_v2')
  usual = survey('celeb_df_v2', root)
  for old, new in moves.items():
    (root / new).parent.mkdir(exist_ok=True)
    (root / old).rename(root / new)
    if '.tmp' in new:
      (root / new).parent.rename(root / old)
  moved = survey('celeb_df_v2', root)
  for fields in ('label', 'identity', 'second_identity', 'official', 'folder'):
    assert [getattr(video, fields) for video in moved.videos] == [getattr(video, fields) for video in usual.videos]
  assert all((root / video.key).exists() for video in moved.videos)
  assert [video.key for video in moved.videos] != [video.key for video in usual.videos]  # keys are the paths


def test_youtube_and_the_list_are_optional(names, survey):
  root = names('celeb_df_v2')
  (root / 'List_of_testing_videos.txt').unlink()
  for path in (root / 'YouTube-real').iterdir():
    path.unlink()
  (root / 'YouTube-real').rmdir()
  listing = survey('celeb_df_v2', root)
  assert len(listing.videos) == len(REALS) + len(FAKES)
  assert listing.notes['file missing, without which there is no official split'] == ['List_of_testing_videos.txt']
  assert {video.official for video in listing.videos} == {''}


def test_other_files_are_left_out_and_named(names, survey):
  root = names('celeb_df_v2')
  (root / 'Celeb-synthesis' / 'holiday.mp4').touch()
  notes = survey('celeb_df_v2', root).notes
  assert notes['files whose names are none of the set, left out'] == ['Celeb-synthesis/holiday.mp4']


def test_a_wrong_layout_says_what_is_there_and_what_should_be(names, survey):
  root = names('celeb_df_v2')
  (root / 'Celeb-real').rename(root / 'reals')
  with pytest.raises(UserError) as error:
    survey('celeb_df_v2', root)
  text = str(error.value)
  assert f'{root} lacks Celeb-real; it holds Celeb-synthesis, List_of_testing_videos.txt, ' in text
  assert 'FOLDER/Celeb-real/id0_0000.mp4' in text


@pytest.mark.parametrize('split', ['identity', 'official'])
def test_splits_keep_persons_apart(names, survey, split):
  """The list is not disjoint by person, as published; training and validation are."""
  rows = [vars(video) for video in survey('celeb_df_v2', names('celeb_df_v2')).videos]
  parts = splits.assign_parts(rows, split)
  found = {part: {p for row, where in zip(rows, parts, strict=True) if where == part for p in people(row)}
           for part in PARTS}  # fmt: skip
  assert all(found.values())
  assert not found['train'] & found['validation']
  if split == 'identity':
    assert not (found['train'] | found['validation']) & found['test']


@pytest.mark.slow
def test_the_miniature_builds_trains_and_evaluates(build, data_dir, tmp_path):
  """A small model, since the paper's takes longer to train than the videos to extract."""
  rows = build('celeb_df_v2')
  labels = {row['key']: ('real', 'fake')[row['label']] for row in rows}
  assert labels == {video.path: video.label for video in [*REALS, *YOUTUBE, *FAKES]}
  assert rows[0]['clip'].shape == (60, 64, 64, 3)
  swap = next(row for row in rows if row['key'] == 'Celeb-synthesis/id8_id16_0000.mp4')
  assert (swap['identity'], swap['second_identity'], swap['dataset']) == ('id8', 'id16', 'celeb_df_v2')
  assert swap['original'] == 'Celeb-real/id8_0000.mp4'
  flags = ['--config.train.epochs=1', '--config.model.cnn_lstm.filters=(4,8)', '--config.model.cnn_lstm.units=8']
  flags += [f'--data_dir={data_dir}', f'--workdir={tmp_path}']
  command = [sys.executable, 'run.py', '--config=configs/celeb_of.py', *flags]
  done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
  assert done.returncode == 0, done.stderr
  figures = json.loads((tmp_path / 'eval' / 'celeb_df_v2-test' / 'metrics.json').read_text())
  assert (figures['n_real'], figures['n_fake']) == (3, 2)  # without the YouTube video


@pytest.mark.slow
def test_tfds_build_on_a_wrong_layout_says_what_the_doctor_says(tmp_path, names):
  root = names('xm2vts')
  failed = tfds_build(
    'celeb_df_v2', '--config=flow_lips_60x64', f'--manual_dir={root}', f'--data_dir={tmp_path / "data"}'
  )
  lipfake = [sys.executable, '-c', 'from lipfake_jax.cli.main import main; main()']
  command = [*lipfake, 'doctor', 'celeb_df_v2', f'--manual_dir={root}']
  doctor = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
  assert failed.returncode == doctor.returncode == 2
  assert doctor.stderr.startswith(f'error: celeb_df_v2: {root} lacks Celeb-real and Celeb-synthesis; it holds cds001.')
  assert doctor.stderr in failed.stderr
  assert 'Traceback' not in failed.stderr
