"""What is said of a run under perturbations: figures by hand, and the command on real files."""

import csv
import json
import shutil
from pathlib import Path

import pytest
import tensorflow_datasets as tfds

from configs import default
from lipfake_jax.clips.clips import Rejection
from lipfake_jax.core.vocabulary import VideoRecord
from lipfake_jax.data.builder import create_builder
from lipfake_jax.evaluation import controls, perturbed, robustness
from lipfake_jax.experiments.experiment import train_and_evaluate
from lipfake_jax.report import robustness_tables

VIDEOS = [VideoRecord(Path(f'{i}'), f'v{i}', label, dataset='d') for i, label in enumerate(['real', 'fake'] * 4)]
CLEAN = [0.1, 0.9, 0.2, 0.8, 0.3, 0.7, 0.4, 0.6]  # reals and fakes in turn, told apart


def lose(verdicts, *positions):
  return [Rejection('no_face', 'gone', f'v{i}') if i in positions else p for i, p in enumerate(verdicts)]


def judge(videos, perturbation):
  """At level 5 of noise the first fake has no face, and the others look like reals do."""
  if perturbation == 'noise:5':
    return lose([0.1, 0.0, 0.2, 0.35, 0.3, 0.35, 0.4, 0.35], 1)
  if perturbation == 'reencode:1':
    return lose([p + 0.15 for p in CLEAN[::2]], 0)
  return CLEAN[::2] if len(videos) == 4 else CLEAN


def test_figures_are_of_videos_with_a_verdict_and_of_all():
  """Each of 3 fakes at .35 is above 3 of 4 reals: AUC .75. Of 16 pairs 12 are judged: (12 * .75 + 4 * .5) / 16."""
  found = robustness.summarise(VIDEOS, judge(VIDEOS, 'noise:5'), threshold=0.25)
  assert (found['n'], found['n_real'], found['n_fake']) == (7, 4, 3)
  assert found['auc'] == pytest.approx(0.75)
  assert found['auc_all'] == pytest.approx(0.6875)
  assert found['balanced_accuracy'] == pytest.approx((2 / 4 + 3 / 3) / 2)
  assert found['without_verdict'] == {'v1': 'no_face (gone)'}
  assert found['p_fake']['v7'] == 0.35


def test_figures_of_no_verdict_at_all_and_of_one_class():
  lost = robustness.summarise(VIDEOS, lose(CLEAN, *range(8)), threshold=0.5)
  assert (lost['n'], lost['auc'], lost['auc_all'], lost['balanced_accuracy']) == (0, None, 0.5, None)
  reals = robustness.summarise(VIDEOS[::2], CLEAN[::2], threshold=0.5)
  assert (reals['auc'], reals['auc_all']) == (None, None)


def test_a_table_has_a_row_a_perturbation_and_means(tmp_path):
  results = robustness.measure_robustness(judge, VIDEOS, 0.25, ['blur', 'noise'], [1, 5])
  assert list(results['conditions']) == ['none', 'blur:1', 'blur:5', 'noise:1', 'noise:5']
  assert results['mean']['noise']['auc'] == pytest.approx((1 + 0.75) / 2)
  assert results['mean']['all']['auc'] == pytest.approx((1 + 1 + 1 + 0.75) / 4)
  assert robustness_tables.markdown_table(results, 'auc').splitlines() == [
    '| AUC | none | 1 | 5 | mean |',
    '|---|---|---|---|---|',
    '| blur | 1.000 | 1.000 | 1.000 | 1.000 |',
    '| noise | 1.000 | 1.000 | 0.750 | 0.875 |',
    '| all | 1.000 |  |  | 0.938 |',
  ]
  text = robustness_tables.describe(results, 'title')
  assert 'Videos without a verdict, of 8: noise:5 1.' in text
  assert '| AUC of all videos |' in text
  robustness_tables.write_results(tmp_path, results)
  assert json.loads((tmp_path / 'robustness.json').read_text()) == results
  with open(tmp_path / 'robustness.csv', newline='') as file:
    rows = list(csv.DictReader(file))
  assert [row['perturbation'] + row['level'] for row in rows] == ['none', 'blur1', 'blur5', 'noise1', 'noise5']
  assert (rows[4]['n'], rows[4]['without_verdict'], float(rows[4]['auc_all'])) == ('7', '1', 0.6875)
  assert (tmp_path / 'robustness.png').read_bytes().startswith(b'\x89PNG')
  assert '<svg' in (tmp_path / 'robustness.svg').read_text()


def test_a_level_without_a_verdict_is_not_left_out_of_a_mean():
  """Its AUC is undefined, and so is the mean's; of all videos it is chance."""
  results = robustness.measure_robustness(
    lambda videos, name: lose(CLEAN, *range(8)) if name == 'noise:5' else CLEAN, VIDEOS, 0.5, ['noise'], [1, 5]
  )
  assert robustness_tables.markdown_table(results, 'auc').splitlines()[2] == '| noise | 1.000 | 1.000 | - | - |'
  assert (
    robustness_tables.markdown_table(results, 'auc_all').splitlines()[2] == '| noise | 1.000 | 1.000 | 0.500 | 0.750 |'
  )


def test_no_auc_of_all_is_printed_where_none_is_missing():
  results = robustness.measure_robustness(judge, VIDEOS, 0.25, ['blur'], [1])
  assert 'AUC of all' not in robustness_tables.describe(results, '')


def test_the_control_ranks_the_re_encoded_above_the_originals():
  """Originals at .2, .3 and .4, re-encoded at .35, .45 and .55: of 9 pairs only .35 and .4 are the other way."""
  found = controls.reencoding_control(judge, VIDEOS, threshold=0.38)
  assert found['auc'] == pytest.approx(8 / 9)
  assert found['n'] == 3
  assert found['mean_p_fake_before'] == pytest.approx(0.3)
  assert found['mean_p_fake_after'] == pytest.approx(0.45)
  assert (found['called_fake_before'], found['called_fake_after']) == (1, 2)
  assert list(found['without_verdict']) == ['v0']


def test_a_control_that_changes_nothing_is_at_chance():
  found = controls.reencoding_control(lambda videos, _: CLEAN[::2], VIDEOS, threshold=0.5)
  assert found['auc'] == 0.5


def test_a_limit_takes_as_many_of_each_class_and_the_same_ones_whatever_else_there_is():
  chosen = perturbed.limit_videos(VIDEOS, 4)
  assert sorted(video.label for video in chosen) == ['fake', 'fake', 'real', 'real']
  assert perturbed.limit_videos(VIDEOS[::-1], 4) == chosen
  assert perturbed.limit_videos(VIDEOS, 0) == VIDEOS
  assert perturbed.limit_videos(VIDEOS, 100) != chosen


@pytest.fixture(scope='module')
def short_run(tmp_path_factory, face_video, blank_video):
  """A run on a folder of videos; one of its test videos shows no face."""
  root = tmp_path_factory.mktemp('videos')
  rows = [(face_video, part, label) for part in ('train', 'validation', 'test') for label in ('real', 'fake')]
  lines = ['path,label,split']
  for number, (source, part, label) in enumerate([*rows, (blank_video, 'test', 'fake')]):
    shutil.copy(source, root / f'{number}.mp4')
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
  return [str(workdir), '--dataset=video_folder', f'--manual_dir={root}', f'--data_dir={data_dir}', *more]


@pytest.mark.slow
def test_the_command_scores_a_part_under_perturbations(short_run, capsys):
  folder = short_run[0] / 'eval' / 'video_folder-test'
  robustness.main(command(short_run, '--perturbations=contrast', '--levels=5'))
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
def test_the_command_encodes_reals_again(short_run, capsys):
  workdir, root, data_dir = short_run
  controls.main([str(workdir), '--reencode', f'--manual_dir={root}', f'--data_dir={data_dir}'])
  found = json.loads((short_run[0] / 'eval' / 'video_folder-test' / 'reencoding.json').read_text())
  assert found['n'] == 1
  assert found['auc'] in (0, 0.5, 1)
  assert found['mean_p_fake_before'] != found['mean_p_fake_after']
  assert '>encoded once more</th>' in (short_run[0] / 'eval' / 'video_folder-test' / 'report.html').read_text()


@pytest.mark.slow
@pytest.mark.parametrize(
  ('more', 'message'),
  [
    (['--perturbations=fog'], 'fog is none of saturation, contrast'),
    (['--levels=0'], 'give some of 1,2,3,4,5'),
    (['--dataset=celeb_df_v2'], 'is not built'),
    (['--manual_dir=/nowhere'], 'missing or empty'),
    (['--limit=1'], 'at least 2'),
  ],
)
def test_mistakes_are_told_with_the_remedy(short_run, more, message, capsys):
  with pytest.raises(SystemExit) as stop:
    robustness.main(command(short_run, *more))
  assert stop.value.code == 2
  assert message in capsys.readouterr().err


@pytest.mark.slow
def test_a_folder_that_lacks_videos_is_refused(short_run, tmp_path, capsys):
  _, root, _ = short_run
  shutil.copy(root / '0.mp4', tmp_path / '0.mp4')
  (tmp_path / 'videos.csv').write_text('path,label\n0.mp4,real')
  with pytest.raises(SystemExit) as stop:
    robustness.main([*command(short_run), f'--manual_dir={tmp_path}'])
  assert stop.value.code == 2
  assert '3 of 3 videos are not below' in capsys.readouterr().err
