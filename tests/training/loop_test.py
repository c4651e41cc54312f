"""Whole runs on small made-up clips: what they write, that they resume, and what they refuse."""

import collections
import contextlib
import csv
import dataclasses
import json
import pathlib
import re
import shutil
import signal
import subprocess
import sys

import jax
import numpy as np
import pytest

from configs import default
from lipfake_jax.core.errors import Interrupted, UserError
from lipfake_jax.data.batches import eval_batches
from lipfake_jax.data.dataset import DataChoice, open_split
from lipfake_jax.evaluation.tested import open_tested
from lipfake_jax.experiments.experiment import find_metrics, train_and_evaluate
from lipfake_jax.inference import checkpoints
from lipfake_jax.inference.run import open_run
from lipfake_jax.inference.split_scores import score_clips
from lipfake_jax.report import plots
from lipfake_jax.report.results import evaluate_workdir
from lipfake_jax.scoring.scores import video_scores
from lipfake_jax.training import epoch, loop, signals
from lipfake_jax.training.workdir import hold_workdir

pytestmark = pytest.mark.usefixtures('quick_evaluation')

ROOT = pathlib.Path(__file__).parents[2]
TINY_MODEL = {'filters': (8, 8), 'units': 16, 'hidden': 16, 'lstm_dropout': 0.1, 'dropout': 0.1}


def tiny_config(**changes):
  config = default.get_config()
  config.data.dataset, config.data.builder_config = 'tiny_clips', 'tiny'
  config.model.cnn_lstm.update(TINY_MODEL)
  config.train.update({'learning_rate': 1e-2, 'epochs': 3})
  config.eval.batch_size = 4
  config.update_from_flattened_dict(changes)
  return config


def run(workdir, data_dir, **changes):
  """Training alone."""
  loop.train(tiny_config(**changes), workdir, data_dir)
  return workdir


def run_and_evaluate(workdir, data_dir, **changes):
  train_and_evaluate(tiny_config(**changes), workdir, data_dir)
  return workdir


def rows(workdir):
  return [json.loads(line) for line in (workdir / 'metrics.jsonl').read_text().splitlines()]


def final_state(workdir):
  with checkpoints.open_manager(workdir) as manager:
    saved = manager.restore(manager.latest_step())
  return jax.tree.leaves({'weights': saved['weights'], 'rest': saved['rest']})


@pytest.fixture(scope='module')
def finished(tmp_path_factory, tiny_data):
  """A run of 14 epochs, long enough to tell flickering clips from still ones."""
  changes = {'train.epochs': 14, 'eval.threshold': 'balanced_accuracy'}
  return run_and_evaluate(tmp_path_factory.mktemp('run'), tiny_data, **changes)


def test_a_run_learns_and_writes_its_files(finished):
  history = rows(finished)
  assert [row['epoch'] for row in history] == list(range(1, len(history) + 1))
  assert history[-1]['step'] == 5 * len(history)  # 22 clips in batches of 4
  assert min(row['validation_loss'] for row in history) < 0.8 * history[0]['validation_loss']
  assert json.loads((finished / 'config.json').read_text())['data']['dataset'] == 'tiny_clips'
  assert list((finished / 'tensorboard').glob('events.*'))
  folder = finished / 'eval' / 'tiny_clips-test'
  figures = json.loads((folder / 'metrics.json').read_text())
  assert (figures['n'], figures['n_real'], figures['n_fake']) == (9, 5, 4)
  assert figures['auc'] > 0.9
  assert {path.name for path in folder.iterdir()} == {
    'metrics.json', 'scores.csv', 'report.html', *(f'{name}.{form}' for name in plots.NAMES for form in ('png', 'svg')),
  }  # fmt: skip


def test_the_page_stands_alone(finished):
  folder = finished / 'eval' / 'tiny_clips-test'
  page, figures = (folder / 'report.html').read_text(), json.loads((folder / 'metrics.json').read_text())
  mistakes = figures['fp'] + figures['fn']  # each has a strip of its frames
  assert page.count('src=') == page.count('src="data:image/') == len(plots.NAMES) + mistakes
  assert '1 fake no_face' in page


def test_scores_and_figures_agree(finished):
  """The figures of metrics.json follow from scores.csv, at the stored threshold."""
  folder = finished / 'eval' / 'tiny_clips-test'
  with open(folder / 'scores.csv', newline='') as file:
    table = list(csv.DictReader(file))
  assert list(table[0])[:6] == ['id', 'label', 'p_fake', 'frames_used', 'method', 'identity']
  assert sorted(row['id'] for row in table) == [f'test/{n:03}.mp4' for n in range(9)]
  assert {(row['label'], row['method'], row['frames_used']) for row in table} == {
    ('0', 'original', '6'),
    ('1', 'flicker', '6'),
  }
  figures = json.loads((folder / 'metrics.json').read_text())
  threshold = json.loads((finished / 'decision.json').read_text())['threshold']
  called = [float(row['p_fake']) > threshold for row in table]
  assert figures['threshold'] == threshold
  assert figures['tp'] == sum(c and row['label'] == '1' for c, row in zip(called, table, strict=True))
  assert figures['fp'] == sum(c and row['label'] == '0' for c, row in zip(called, table, strict=True))


def test_the_metrics_have_the_promised_keys(finished):
  figures = json.loads((finished / 'eval' / 'tiny_clips-test' / 'metrics.json').read_text())
  promised = (
    'n n_real n_fake tp tn fp fn accuracy balanced_accuracy majority_accuracy precision recall specificity f1 mcc mse '
    'brier log_loss auc ap eer ece threshold'
  )
  assert set(promised.split()) < set(figures)


def test_the_best_epoch_is_what_is_used(finished, tiny_data):
  _, meta = checkpoints.restore_best(finished)
  losses = [row['validation_loss'] for row in rows(finished)]
  assert meta['place']['epochs'] == int(np.argmin(losses)) + 1
  assert meta['model']['name'] == 'cnn_lstm'
  assert meta['clip']['frames'] == 6
  split = open_split(DataChoice('tiny_clips', 'tiny'), 'validation', tiny_data)
  scores = video_scores(score_clips(open_run(finished).score, split, 4), split, 'mean')
  loss = -np.mean(np.where(scores.labels, np.log(scores.p_fake), np.log1p(-scores.p_fake)))
  assert loss == pytest.approx(min(losses), rel=1e-5)


def run_until_signal(workdir, data_dir, number, moment, **changes):
  """`run` in a process that sends itself a signal when it is about to rename a path of a given name; how it ended."""
  code = f"""
import os, sys
from pathlib import Path
from tests.training import loop_test

def send(event, arguments):
  if event == 'os.rename' and Path(arguments[0]).name == {moment!r}:
    os.kill(os.getpid(), {int(number)})

sys.addaudithook(send)
loop_test.run(Path({str(workdir)!r}), {data_dir!r}, **{changes!r})"""
  return subprocess.run([sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True, check=False)


def written(step):
  """The moment in which a checkpoint is written but has no name yet."""
  return f'{step}.orbax-checkpoint-tmp'


def assert_same_end(ours, theirs):
  """Two runs ended with the same bits, and logged the same but for their speed."""
  for a, b in zip(final_state(ours), final_state(theirs), strict=True):
    np.testing.assert_array_equal(a, b)
  logs = [[{k: v for k, v in row.items() if k != 'clips_per_s'} for row in rows(w)] for w in (ours, theirs)]
  assert logs[0] == logs[1]


@pytest.fixture(scope='module')
def undisturbed(tmp_path_factory, tiny_data):
  """A run of 4 epochs of 5 steps that was left alone."""
  return run(tmp_path_factory.mktemp('undisturbed'), tiny_data, **{'train.epochs': 4})


@pytest.mark.slow
def test_a_killed_run_goes_on_as_if_nothing_had_happened(tmp_path, tiny_data, undisturbed, capfd):
  """Killed as it saves its third epoch and started again, it ends with the same bits as a run that was left alone.

  Data order, dropout, schedule and optimizer state are all part of that.
  """
  killed = run_until_signal(tmp_path, tiny_data, signal.SIGKILL, written(15), **{'train.epochs': 4})
  assert killed.returncode == -signal.SIGKILL, killed.stderr
  run(tmp_path, tiny_data, **{'train.epochs': 4})
  assert 'resuming after epoch 2, step 10' in capfd.readouterr().out
  assert_same_end(tmp_path, undisturbed)


@pytest.mark.slow
def test_fine_tuning_that_is_killed_in_its_first_write_starts_again_from_its_first_weights(
  tmp_path, tiny_data, finished, tuned
):
  changes = {**TUNING, 'init_from': str(finished)}
  killed = run_until_signal(tmp_path, tiny_data, signal.SIGKILL, written(5), **changes)
  assert killed.returncode == -signal.SIGKILL, killed.stderr
  assert [path.name for path in (tmp_path / 'checkpoints').iterdir()] == [written(5)]
  assert_same_end(run(tmp_path, tiny_data, **changes), tuned)
  assert checkpoints.restore_best(tmp_path)[1]['before'][0]['dataset'] == 'tiny_clips'


@pytest.mark.slow
def test_a_run_that_is_stopped_after_every_step_ends_the_same(tmp_path, tiny_data, monkeypatch):
  """Each start does one step, saves and ends: within epochs and at their ends. Classes are balanced by draws."""
  changes = {'train.epochs': 2, 'train.imbalance': 'balanced', 'train.precision': 'float16', 'train.batch_size': 8}
  whole = run(tmp_path / 'whole', tiny_data, **changes)
  with monkeypatch.context() as patch:
    patch.setattr(signals, 'watch', lambda: contextlib.nullcontext(lambda step: Interrupted(f'step {step}', 143)))
    for step in range(1, 5):  # two epochs of two steps
      with pytest.raises(Interrupted, match=f'step {step}'):
        run(tmp_path / 'parts', tiny_data, **changes)
  assert_same_end(run(tmp_path / 'parts', tiny_data, **changes), whole)


@pytest.mark.slow
def test_a_signal_saves_and_ends(tmp_path, tiny_data, undisturbed):
  """As the first epoch is saved, beside the second one's steps; the run goes on to the same bits."""
  ended = run_until_signal(tmp_path, tiny_data, signal.SIGTERM, written(5), **{'train.epochs': 4})
  assert re.search(r'SIGTERM: saved after step ([5-9]|10);', ended.stderr), ended.stderr
  assert len(rows(tmp_path)) < 4
  assert_same_end(run(tmp_path, tiny_data, **{'train.epochs': 4}), undisturbed)


@pytest.mark.slow
@pytest.mark.filterwarnings('ignore::pytest.PytestUnraisableExceptionWarning')  # of the reader that hit the damage
@pytest.mark.parametrize('damage', ['flipped bits', 'a lost file'])
def test_a_damaged_newest_checkpoint_is_named_and_the_one_before_it_used(
  tmp_path, tiny_data, undisturbed, monkeypatch, capsys, damage
):
  with monkeypatch.context() as patch:
    ends = lambda step: Interrupted('enough', 143) if step == 15 else None  # noqa: E731
    patch.setattr(signals, 'watch', lambda: contextlib.nullcontext(ends))
    with pytest.raises(Interrupted):
      run(tmp_path, tiny_data, **{'train.epochs': 4})
  data = max((tmp_path / 'checkpoints' / '15' / 'weights').rglob('*'), key=lambda path: path.stat().st_size)
  if damage == 'flipped bits':
    data.write_bytes(bytes(byte ^ 1 for byte in data.read_bytes()))
  else:
    data.unlink()
  run(tmp_path, tiny_data, **{'train.epochs': 4})
  printed = capsys.readouterr().out
  assert 'checkpoint 15 is damaged' in printed
  assert 'resuming after epoch 2, step 10' in printed
  assert (tmp_path / 'damaged' / '15').is_dir()
  assert_same_end(tmp_path, undisturbed)


@pytest.mark.slow
def test_damaged_weights_are_not_used(tmp_path, tiny_data):
  workdir = run(tmp_path, tiny_data, **{'train.epochs': 1})
  for path in (tmp_path / 'checkpoints' / '5' / 'weights').rglob('*'):
    if path.is_file():
      path.write_bytes(b'')
  with pytest.raises(UserError, match=r'checkpoint 5, the best one, is damaged .*: train anew'):
    open_run(workdir)
  with pytest.raises(UserError, match=r'no checkpoint of .* is whole: start anew in another --workdir'):
    run(tmp_path, tiny_data, **{'train.epochs': 1})


def test_a_full_disk_is_told_before_any_step(tmp_path, tiny_data, monkeypatch):
  usage = shutil.disk_usage(tmp_path)._replace(free=1 << 10)
  monkeypatch.setattr(shutil, 'disk_usage', lambda _: usage)
  with pytest.raises(UserError, match=r'0 MiB are free on its disk, .* take \d+ MiB: make room'):
    run(tmp_path / 'run', tiny_data)
  assert not (tmp_path / 'run' / 'config.json').exists()


@pytest.mark.slow
def test_a_disk_that_fills_up_is_told_and_the_run_goes_on(tmp_path, tiny_data, undisturbed, monkeypatch):
  """As the checkpoint's writer says it, after two epochs; the log lost half a line."""

  def save(*arguments):
    if len(rows(tmp_path)) == 2:
      with open(tmp_path / 'metrics.jsonl', 'a') as log:
        log.write('{"epoch": 3, "st')
      raise ValueError('Error writing "params": No space left on device')
    real(*arguments)

  real = checkpoints.save
  with monkeypatch.context() as patch:
    patch.setattr(checkpoints, 'save', save)
    with pytest.raises(UserError, match='its disk is full: make room, and the same command goes on'):
      run(tmp_path, tiny_data, **{'train.epochs': 4})
  assert_same_end(run(tmp_path, tiny_data, **{'train.epochs': 4}), undisturbed)


def test_a_workdir_is_trained_in_by_one_process(tmp_path, tiny_data):
  tmp_path.joinpath('config.json').write_text('{}')
  with hold_workdir(tmp_path), pytest.raises(UserError, match='another process trains there: wait for it'):
    run(tmp_path, tiny_data)
  assert not (tmp_path / 'metrics.jsonl').exists()


def test_a_workdir_that_cannot_be_written(tmp_path, tiny_data):
  (tmp_path / 'file').write_text('')
  with pytest.raises(UserError, match=r'file cannot be written \(File exists\): choose another --workdir'):
    run(tmp_path / 'file', tiny_data)


@pytest.mark.slow
@pytest.mark.parametrize(
  ('name', 'arguments'),
  [
    ('cnn5_frames', {'filters': (4, 4, 8, 8), 'hidden': 8}),  # a score a frame
    ('resnet_tcn', {'stem': 4, 'filters': (4, 4), 'blocks': (1, 1), 'hidden': 4, 'kernels': (3,), 'layers': 1}),
  ],
)
def test_frame_models_and_batch_statistics(tmp_path, tiny_data, monkeypatch, name, arguments):
  """They train, are stopped, go on to the same bits, and give one score a video."""
  changes = {'model.name': name, 'model.aggregation': 'any', 'train.epochs': 2, 'train.batch_size': 8}
  changes |= {f'model.{name}.{field}': value for field, value in arguments.items()}
  whole = run_and_evaluate(tmp_path / 'whole', tiny_data, **changes)
  with monkeypatch.context() as patch:
    patch.setattr(signals, 'watch', lambda: contextlib.nullcontext(lambda step: Interrupted('enough', 143)))
    with pytest.raises(Interrupted):
      run(tmp_path / 'parts', tiny_data, **changes)
  assert_same_end(run(tmp_path / 'parts', tiny_data, **changes), whole)
  weights, meta = checkpoints.restore_best(whole)
  assert ('batch_stats' in weights) == (name == 'resnet_tcn')
  assert meta['model']['aggregation'] == 'any'
  assert json.loads((whole / 'eval' / 'tiny_clips-test' / 'metrics.json').read_text())['n'] == 9


@pytest.mark.slow
@pytest.mark.parametrize(
  'changes',
  [{'data.cache': 'host'}, {'data.cache': 'device'}, {'train.steps_per_dispatch': 2}],
  ids=lambda changes: '='.join(map(str, *changes.items())),
)
def test_how_clips_travel_changes_nothing(tmp_path, tiny_data, undisturbed, changes):
  """Same order, same draws, same steps. The programs differ, so the last bits may."""
  workdir = run(tmp_path, tiny_data, **{'train.epochs': 4, **changes})
  for ours, theirs in zip(rows(workdir), rows(undisturbed), strict=True):
    assert {**ours, 'clips_per_s': 0} == pytest.approx({**theirs, 'clips_per_s': 0}, rel=1e-3)


def test_a_cache_without_room_is_told(tiny_data, monkeypatch):
  split = open_split(DataChoice('tiny_clips', 'tiny'), 'train', tiny_data)
  monkeypatch.setattr(epoch, 'free_memory', lambda: 1000)
  for kind, place in (('host', 'this machine'), ('device', 'a device')):
    with pytest.raises(UserError, match=f'take 0.0 GiB, and {place} has 0.0 GiB free: choose data.cache=none'):
      epoch.open_cache(kind, split)


TUNING = {'train.freeze': 'encoder', 'train.epochs': 2}


@pytest.fixture(scope='module')
def tuned(tmp_path_factory, tiny_data, finished):
  """A run that starts from the weights of `finished`, whose frames' encoder it keeps."""
  return run(tmp_path_factory.mktemp('tuned'), tiny_data, **TUNING, init_from=str(finished))


@pytest.mark.slow
def test_fine_tuning_starts_from_other_weights_and_keeps_what_is_frozen(finished, tuned):
  before, after = (checkpoints.restore_best(workdir)[0]['params'] for workdir in (finished, tuned))
  for name, part in before.items():
    same = all(map(np.array_equal, jax.tree.leaves(part), jax.tree.leaves(after[name])))
    assert same == (name == 'encoder')
  assert rows(tuned)[0]['validation_loss'] < 0.5 * rows(finished)[0]['validation_loss']


@pytest.mark.slow
def test_what_the_first_weights_have_seen_is_told(tmp_path, tiny_data, finished, capsys):
  changes = {'init_from': str(finished), 'data.split': 'identity', 'train.epochs': 1}
  run_and_evaluate(tmp_path, tiny_data, **changes)
  printed = capsys.readouterr().out
  assert 'trained on tiny_clips, then on tiny_clips, tested on tiny_clips' in printed
  assert 'the first weights of this run were trained on tiny_clips under another split' in printed


@pytest.mark.slow
def test_fine_tuning_that_is_stopped_ends_the_same(tmp_path, tiny_data, finished, tuned, monkeypatch):
  """Also where the weights that it started from are gone by then."""
  other = shutil.copytree(finished, tmp_path / 'other')
  changes = {**TUNING, 'init_from': str(other)}
  with monkeypatch.context() as patch:
    patch.setattr(signals, 'watch', lambda: contextlib.nullcontext(lambda step: Interrupted('enough', 143)))
    with pytest.raises(Interrupted):
      run(tmp_path / 'parts', tiny_data, **changes)
  shutil.rmtree(other)
  assert_same_end(run(tmp_path / 'parts', tiny_data, **changes), tuned)


@pytest.mark.parametrize(
  ('changes', 'message'),
  [
    ({'init_from': '/nowhere'}, '/nowhere: no checkpoints there'),
    ({'train.freeze': 'lips'}, "train.freeze='lips': name some of dense, encoder, logit, lstm, as in a"),
    ({'train.freeze': 'encoder+lstm+dense+logit'}, 'and not all'),
    ({'data.cache': 'gpu'}, "data.cache='gpu': choose one of none, host, device"),
    ({'train.steps_per_dispatch': 0}, 'train.steps_per_dispatch=0: choose 1 or more'),
  ],
)
def test_what_cannot_be_trained_is_told(tmp_path, tiny_data, changes, message):
  with pytest.raises(UserError, match=re.escape(message)):
    run(tmp_path / 'run', tiny_data, **changes)
  assert not (tmp_path / 'run').exists()


@pytest.mark.slow
def test_weights_of_another_shape_do_not_fit(tmp_path, tiny_data, finished):
  changes = {'init_from': str(finished), 'model.cnn_lstm.units': 4}
  with pytest.raises(UserError, match=r'its cnn_lstm does not fit: .* there and .* here; choose the same model'):
    run(tmp_path / 'run', tiny_data, **changes)


@pytest.mark.slow
def test_early_stopping_counts_across_a_restart(tmp_path, tiny_data):
  """Nothing improves after the first epoch: with patience 3 the fourth is the last, also if a restart lies between."""
  changes = {'train.learning_rate': 0.0, 'train.min_learning_rate': 0.0, 'train.early_stopping_patience': 3}
  run(tmp_path, tiny_data, **changes, **{'train.epochs': 2})
  (tmp_path / 'config.json').unlink()  # the number of epochs differs on purpose
  assert len(rows(run(tmp_path, tiny_data, **changes, **{'train.epochs': 9}))) == 4


@pytest.mark.parametrize(
  ('imbalance', 'weights', 'fakes'),
  [('none', {0: 1, 1: 1}, 4), ('class_weights', {0: 22 / 36, 1: 22 / 8}, 4), ('balanced', {0: 1, 1: 1}, 11)],
)
def test_imbalance_is_met_by_weights_or_by_sampling(tiny_data, monkeypatch, imbalance, weights, fakes):
  """Of 22 clips 4 are called fake here: N / (2 N_c) is 22 / 36 and 22 / 8; half of 22 is 11."""
  split = open_split(DataChoice('tiny_clips', 'tiny'), 'train', tiny_data)
  skewed = dataclasses.replace(split, labels=(np.arange(22) < 4).astype(np.int32))
  seen = []

  def collect(step, state, batches, *_):
    for batch in batches:
      seen.extend(zip(batch['label'].ravel().tolist(), batch['weight'].ravel().tolist(), strict=True))
    return state, [dict.fromkeys((*epoch.SUMMED, 'rate'), 1.0)], None

  monkeypatch.setattr(epoch, 'run_epoch', collect)
  config = tiny_config(**{'train.imbalance': imbalance, 'train.batch_size': 2})
  epoch.train_epoch(config, None, None, skewed, epoch.RunPosition(), None, None)
  assert dict(seen) == pytest.approx(weights)
  assert sum(label for label, _ in seen) == fakes


def skew(split):
  """Two times the 22 clips of `tiny_data`, 4 of the first fake and 18 of the second."""
  fake = np.append(np.arange(22) < 4, np.arange(22) < 18)
  return dataclasses.replace(split, labels=fake.astype(np.int32)) if split.name == 'train' else split


@pytest.mark.parametrize(
  ('imbalance', 'weights', 'fakes'),
  [
    ('logit_adjustment', (), 1 / 2),
    ('logit_adjustment', (3.0, 1.0), 30 / 88),  # 3/4 of 4 in 22 and 1/4 of 18 in 22
    ('none', (3.0, 1.0), 1 / 2),
  ],
)
def test_logit_adjustment_takes_the_odds_of_the_clips_that_epochs_show(
  tiny_data, tmp_path, monkeypatch, imbalance, weights, fakes
):
  seen = []

  def build(augmentation, l2_kernels, l2, schedule, prior, freeze):
    seen.append(prior)
    raise KeyboardInterrupt

  monkeypatch.setattr(loop.parallel, 'parallel_train_step', build)
  changes = {'data.dataset': 'tiny_clips+tiny_clips', 'data.weights': weights, 'train.imbalance': imbalance}
  with pytest.raises(KeyboardInterrupt):
    loop.train(tiny_config(**changes), tmp_path, tiny_data, lambda *arguments: skew(open_split(*arguments)))
  assert seen == [pytest.approx(np.log(fakes / (1 - fakes)))]


def test_class_weights_make_up_for_the_weights_of_datasets(tiny_data, monkeypatch):
  """Of an epoch at (3, 1) 30 of 88 clips are fake: weights 88 / 60 and 88 / 116."""
  split = skew(open_split(DataChoice('tiny_clips+tiny_clips', 'tiny'), 'train', tiny_data))
  seen = {}

  def collect(step, state, batches, *_):
    for batch in batches:
      seen.update(zip(batch['label'].ravel().tolist(), batch['weight'].ravel().tolist(), strict=True))
    return state, [dict.fromkeys((*epoch.SUMMED, 'rate'), 1.0)], None

  monkeypatch.setattr(epoch, 'run_epoch', collect)
  config = tiny_config(**{'train.imbalance': 'class_weights', 'data.weights': (3.0, 1.0)})
  epoch.train_epoch(config, None, None, split, epoch.RunPosition(), None, None)
  assert seen == pytest.approx({0: 88 / 116, 1: 88 / 60})


@pytest.mark.slow
def test_logit_adjustment_moves_the_objective_and_not_the_loss(tiny_data, tmp_path):
  """4 of 22 are called fake here. Without steps that learn, the objective is the loss at logits moved by log(4 / 18).

  The fresh model's logits are about 0, where moving them a little further changes the objective least: 0.02.
  """

  def skew(*arguments):
    split = open_split(*arguments)
    return dataclasses.replace(split, labels=(np.arange(len(split)) < 4).astype(np.int32))

  still = {'train.learning_rate': 0.0, 'train.min_learning_rate': 0.0, 'train.l2': 0.0, 'train.epochs': 1}
  changes = {**still, 'train.imbalance': 'logit_adjustment', 'train.batch_size': 22}
  loop.train(tiny_config(**changes), tmp_path, tiny_data, skew)
  [row] = rows(tmp_path)
  expected = (18 * np.log(1 + 4 / 18) + 4 * np.log(1 + 18 / 4)) / 22
  assert row['train_objective'] == pytest.approx(expected, abs=0.02)
  assert row['train_loss'] == pytest.approx(np.log(2), abs=0.1)


@pytest.mark.parametrize(
  ('field', 'value', 'known'),
  [
    ('imbalance', 'yes', 'none, class_weights, '),
    ('selection', 'f1', 'loss, brier, '),
    ('schedule', 'step', 'plateau, '),
  ],
)
def test_choices_are_named_before_a_workdir_is_made(tmp_path, tiny_data, field, value, known):
  with pytest.raises(UserError, match=f"train.{field}='{value}': choose one of {known}"):
    run(tmp_path / 'run', tiny_data, **{f'train.{field}': value})
  assert not (tmp_path / 'run').exists()


@pytest.mark.slow
def test_a_collapse_is_said_from_the_third_epoch_on(tmp_path, tiny_data, capsys):
  """With no learning rate the fresh model calls everything one class, epoch after epoch."""
  changes = {'train.learning_rate': 0.0, 'train.min_learning_rate': 0.0, 'train.epochs': 4}
  history = rows(run(tmp_path, tiny_data, **changes))
  assert {row['validation_called_fake'] for row in history} in ({0.0}, {1.0})
  warnings = [line for line in capsys.readouterr().out.splitlines() if 'collapsed to one class' in line]
  assert [line.split()[2] for line in warnings] == ['3', '4']


@pytest.mark.slow
def test_the_best_weights_are_those_of_the_selected_figure(tmp_path, tiny_data):
  workdir = run(tmp_path, tiny_data, **{'train.selection': 'auc', 'train.epochs': 8})
  order = [(-row['validation_auc'], row['validation_loss']) for row in rows(workdir)]  # of equal ones the lower loss
  assert checkpoints.restore_best(workdir)[1]['place']['epochs'] == order.index(min(order)) + 1


@pytest.mark.slow
def test_cosine_is_logged_update_by_update(tmp_path, tiny_data):
  """Three epochs of five steps, two steps an update: seven updates in all, the last at a rate near the floor."""
  changes = {'train.schedule': 'cosine', 'train.accumulate': 2, 'train.learning_rate': 1e-2}
  history = rows(run(tmp_path, tiny_data, **changes))
  assert [row['updates'] for row in history] == [2, 5, 7]
  rates = [row['learning_rate'] for row in history]
  assert rates == sorted(rates, reverse=True)
  assert rates[-1] < 1e-3
  assert {row['skipped_steps'] for row in history} == {0}


@pytest.mark.slow
def test_a_validation_loss_that_is_not_finite_stops_the_run(tmp_path, tiny_data, monkeypatch):
  monkeypatch.setattr(loop, '_validate', lambda *_: {'validation_loss': float('nan')})
  with pytest.raises(UserError, match=r'validation loss is nan after epoch 1: choose a lower train\.learning_rate, '):
    run(tmp_path, tiny_data)


def test_class_weights_make_both_classes_weigh_the_same():
  weights = epoch.class_weights(np.array([1 / 4, 3 / 4]))
  np.testing.assert_allclose(weights, [2, 2 / 3])


def test_shuffled_labels_tell_nothing_of_the_true_ones(tiny_data):
  split = open_split(DataChoice('tiny_clips', 'tiny'), 'train', tiny_data)
  shuffled = loop.shuffle_labels(split, 0)
  pairs = collections.Counter(zip(split.labels.tolist(), shuffled.labels.tolist(), strict=True))
  assert pairs == {(0, 0): 5, (0, 1): 6, (1, 0): 5, (1, 1): 6}  # of 11 reals and 11 fakes: half of each
  batches = eval_batches(shuffled, 22)
  np.testing.assert_array_equal(next(batches)['label'], shuffled.labels)  # what training sees


@pytest.mark.slow
def test_a_workdir_belongs_to_one_config(tmp_path, tiny_data):
  run(tmp_path, tiny_data, **{'train.epochs': 1})
  with pytest.raises(UserError, match=r'another config \(they differ in seed\): choose another --workdir'):
    run(tmp_path, tiny_data, **{'train.epochs': 1, 'seed': 1})


@pytest.mark.slow
def test_a_run_does_not_go_on_with_a_dataset_that_was_built_anew(tmp_path, tiny_data):
  """Other labels in the test part do not concern its training; one other label in its own part does."""
  shutil.copytree(tiny_data, tmp_path / 'data')
  table = tmp_path / 'data' / 'tiny_clips' / 'tiny' / '1.0.0' / 'metadata.json'
  workdir = run_and_evaluate(tmp_path / 'run', tmp_path / 'data', **{'train.epochs': 1})

  def relabel(part):
    metadata = json.loads(table.read_text())
    position = metadata['clips']['official'].index(part)
    metadata['clips']['label'][position] = {'real': 'fake', 'fake': 'real'}[metadata['clips']['label'][position]]
    table.write_text(json.dumps(metadata))

  def figures():
    return find_metrics(tiny_config(**{'train.epochs': 1}), workdir, tmp_path / 'data')

  before = figures()
  relabel('test')
  assert figures() is None  # those that are stored are of the earlier build
  run_and_evaluate(workdir, tmp_path / 'data', **{'train.epochs': 1})
  assert {before['n_real'] - 1, before['n_real'] + 1} >= {figures()['n_real']}
  relabel('train')
  with pytest.raises(UserError, match=r'another build of tiny_clips: the clips or labels of train have changed since'):
    run(workdir, tmp_path / 'data', **{'train.epochs': 1})


def test_a_loss_that_is_not_finite_stops_the_run(tmp_path, tiny_data):
  where = r'loss is nan at step 0, learning rate 0\.01, on the clips (train/\d+\.mp4(, |: )){4}'
  with pytest.raises(UserError, match=f'{where}choose a lower train.learning_rate, .* and another --workdir'):
    run(tmp_path, tiny_data, **{'train.l2': float('nan')})


def test_another_dataset_is_evaluated_by_name(finished, tiny_data):
  evaluate_workdir(finished, ['tiny_clips:validation'], tiny_data, 4)
  figures = json.loads((finished / 'eval' / 'tiny_clips-validation' / 'metrics.json').read_text())
  assert figures['n'] == 10


def test_a_part_that_is_missing_is_told_before_training(tmp_path, tiny_data):
  with pytest.raises(UserError, match="no clips in 'train'"):
    run(tmp_path / 'run', tiny_data, **{'data.exclude': ('reals', 'fakes')})
  assert not (tmp_path / 'run').exists()


@pytest.mark.slow
def test_the_papers_split_is_called_leaky_wherever_it_is_reported(tmp_path, tiny_data, capsys):
  run_and_evaluate(tmp_path, tiny_data, **{'data.split': 'paper', 'train.epochs': 1})
  printed = capsys.readouterr().out
  assert 'tested on tiny_clips (paper_leaky, split: paper)' in printed
  assert 'warning: paper_leaky has the same people in training and test' in printed
  page = (tmp_path / 'eval' / 'tiny_clips-paper_leaky' / 'report.html').read_text()
  assert 'Warning: paper_leaky has the same people in training and test' in page


@pytest.mark.slow
def test_a_dataset_that_was_trained_on_is_split_as_in_training(tmp_path, tiny_data, capsys):
  """Else videos of training could be tested on; a part that was seen is said to be."""
  run(tmp_path, tiny_data, **{'data.split': 'identity', 'train.epochs': 1})
  capsys.readouterr()
  for part in ('test', 'train', 'all'):
    split = open_tested(f'tiny_clips:{part}', checkpoints.restore_best(tmp_path)[1], tiny_data)
    assert split.rule == 'identity'
  evaluate_workdir(tmp_path, ['tiny_clips:all'], tiny_data, 4)
  assert 'warning: the run has seen videos of tiny_clips (all) in training' in capsys.readouterr().out


def test_a_workdir_without_a_run(tmp_path, tiny_data):
  with pytest.raises(UserError, match='train first'):
    evaluate_workdir(tmp_path, ['tiny_clips'], tiny_data, 4)
