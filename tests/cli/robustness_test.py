"""A real run under perturbations of real videos: what is written, and what is refused."""

import csv
import json
import shutil

import pytest
import tensorflow_datasets as tfds

from configs import default
from lipfake_jax.cli.main import main
from lipfake_jax.cli.robustness import choose_conditions
from lipfake_jax.core.errors import UserError
from lipfake_jax.data.builder import create_builder
from lipfake_jax.experiments.experiment import train_and_evaluate
from tests.conftest import copy_video


def test_all_conditions_unless_some_are_named():
  names, levels = choose_conditions(None, None)
  assert (len(names), levels) == (7, [1, 2, 3, 4, 5])
  assert choose_conditions(['noise', 'blur', 'noise'], ['5', '1']) == (['noise', 'blur'], [1, 5])


@pytest.mark.parametrize(
  ('names', 'levels', 'message'),
  [
    (['fog'], None, 'fog is none of saturation, contrast'),
    (['reencode'], None, 'reencode is none of'),  # a control, no perturbation
    (None, ['0'], '--levels=0: give some of 1,2,3,4,5'),
    (None, ['1', 'x'], '--levels=1,x'),
  ],
)
def test_unknown_conditions_are_told(names, levels, message):
  with pytest.raises(UserError, match=message):
    choose_conditions(names, levels)


@pytest.fixture(scope='module')
def short_run(tmp_path_factory, face_video, blank_video):
  """A run on a folder of videos; one of its test videos shows no face."""
  root = tmp_path_factory.mktemp('videos')
  rows = [(face_video, part, label) for part in ('train', 'validation', 'test') for label in ('real', 'fake')]
  lines = ['path,label,split']
  for number, (source, part, label) in enumerate([*rows, (blank_video, 'test', 'fake')]):
    copy_video(source, root / f'{number}.mp4', boxes=number)
    lines.append(f'{number}.mp4,{label},{part}')
  (root / 'videos.csv').write_text('\n'.join(lines))
  data_dir = str(tmp_path_factory.mktemp('data'))
  builder = create_builder('video_folder', 'uniform_lips_30x32', data_dir)
  builder.download_and_prepare(download_config=tfds.download.DownloadConfig(manual_dir=str(root)))
  config = default.get_config()
  config.data.dataset, config.data.builder_config = 'video_folder', 'uniform_lips_30x32'
  config.model.cnn_lstm.update({'filters': (4, 4), 'units': 4, 'hidden': 4})
  config.train.batch_size, config.train.epochs = 2, 1
  workdir = tmp_path_factory.mktemp('run')
  train_and_evaluate(config, workdir, data_dir)
  return workdir, root, data_dir


def command(short_run, *more):
  workdir, root, data_dir = short_run
  return ['robustness', str(workdir), '--dataset=video_folder', f'--manual_dir={root}', f'--data_dir={data_dir}', *more]


@pytest.mark.slow
def test_scores_a_part_under_perturbations(short_run, capsys):
  folder = short_run[0] / 'eval' / 'video_folder-test'
  main(command(short_run, '--perturbations=contrast', '--levels=5'))
  results = json.loads((folder / 'robustness.json').read_text())
  plain, dark = results['conditions']['none'], results['conditions']['contrast:5']
  with open(folder / 'scores.csv', newline='') as file:
    stored = {row['id']: float(row['p_fake']) for row in csv.DictReader(file)}
  assert set(plain['p_fake']) == {'4.mp4', '5.mp4'}
  for key, p_fake in plain['p_fake'].items():
    assert p_fake == pytest.approx(stored[key], abs=1e-6)
    assert dark['p_fake'][key] != p_fake
  assert list(plain['without_verdict']) == list(dark['without_verdict']) == ['6.mp4']
  assert plain['without_verdict']['6.mp4'].startswith('no_face')
  assert '| contrast | 0.500 |' in capsys.readouterr().out  # the same video under both labels
  assert results['weights'].removeprefix('sha256:') in (folder / 'report.html').read_text()


@pytest.mark.slow
def test_controls_encode_reals_again(short_run):
  """A test of `lipfake controls`, which is here for the run."""
  workdir, root, data_dir = short_run
  main(['controls', str(workdir), '--reencode', f'--manual_dir={root}', f'--data_dir={data_dir}'])
  found = json.loads((short_run[0] / 'eval' / 'video_folder-test' / 'reencoding.json').read_text())
  with open(workdir / 'eval' / 'video_folder-test' / 'scores.csv', newline='') as file:
    stored = {row['id']: float(row['p_fake']) for row in csv.DictReader(file)}
  assert (found['n'], found['n_people'], found['rises_interval']) == (1, 1, None)
  assert found['mean_p_fake_before'] == pytest.approx(stored['4.mp4'], abs=1e-6)
  assert found['mean_p_fake_after'] != found['mean_p_fake_before']
  assert found['rises'] == (1 if found['mean_p_fake_after'] > stored['4.mp4'] else 0)
  assert '>encoded once more</th>' in (short_run[0] / 'eval' / 'video_folder-test' / 'report.html').read_text()


@pytest.mark.slow
@pytest.mark.parametrize(
  ('more', 'message'),
  [
    (['--perturbations=fog'], 'fog is none of saturation, contrast'),
    (['--dataset=celeb_df_v2'], 'is not built'),
    (['--manual_dir=/nowhere'], 'missing or empty'),
    (['--limit=1'], 'at least 2'),
  ],
)
def test_mistakes_are_told_with_the_remedy(short_run, more, message, capsys):
  with pytest.raises(SystemExit) as stop:
    main(command(short_run, *more))
  assert stop.value.code == 2
  assert message in capsys.readouterr().err


@pytest.mark.slow
def test_a_folder_that_lacks_videos_is_refused(short_run, tmp_path, capsys):
  _, root, _ = short_run
  shutil.copy(root / '0.mp4', tmp_path / '0.mp4')
  (tmp_path / 'videos.csv').write_text('path,label\n0.mp4,real')
  with pytest.raises(SystemExit) as stop:
    main([*command(short_run), f'--manual_dir={tmp_path}'])
  assert stop.value.code == 2
  assert '3 of 3 videos are not below' in capsys.readouterr().err
