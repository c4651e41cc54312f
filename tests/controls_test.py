"""Controls: planted shortcuts are found and named, and time is taken away from clips."""

import json
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from model_checks import random_variables
from sklearn.linear_model import LogisticRegression

from lipfake_jax import controls, input_pipeline
from lipfake_jax.controls import FACTS, control_table, control_warnings, hold_frame, metadata_control, shuffle_frames
from lipfake_jax.errors import UserError
from lipfake_jax.input_pipeline import Split
from lipfake_jax.models import create_model

PLAIN = {'fps': 25.0, 'duration': 3.0, 'width': 640, 'height': 480, 'face_share': 1.0, 'mouth_width': 50.0}
PLAIN |= {'sharpness': 100.0, 'codec': 'h264'}
LABELS = [0, 1] * 6


def make_split(labels=LABELS, keys=None, **facts):
  """A part of which only the table is read; a fact is one value, or one a clip."""
  n = len(labels)
  columns = {name: value if isinstance(value, list) else [value] * n for name, value in {**PLAIN, **facts}.items()}
  table = {'dataset': ['d'] * n, 'key': keys or [f'{i}.mp4' for i in range(n)], **columns}
  empty = {'sources': (), 'places': np.zeros((n, 2)), 'spec': {}, 'rejections': [], 'feature': 'clip'}
  return Split('d', 'test', 'identity', labels=np.array(labels, np.int32), table=table, **empty)


def test_a_fact_that_tells_the_class_is_found_and_named():
  leaky = make_split(fps=[25.0, 30.0] * 6)
  found = metadata_control(leaky, leaky)
  assert (found['auc'], found['balanced_accuracy']) == (1, 1)
  assert found['alone'] == {**dict.fromkeys(FACTS, 0.5), 'fps': 1}


def test_which_class_has_more_of_it_does_not_matter():
  """Fakes of a lower rate, and fakes listed first."""
  leaky = make_split([1, 0] * 6, fps=[25.0, 30.0] * 6)
  found = metadata_control(leaky, make_split([0, 0, 1], fps=[30.0, 29.0, 25.0]))
  assert found['auc'] == 1
  assert (found['p_fake'] > 0.5).tolist() == [False, False, True]


def test_facts_that_the_classes_share_tell_nothing():
  """A real and a fake of each kind: every pair of classes ties, or is ranked once so and once so."""
  fps, widths = [value for value in (24.0, 25.0, 30.0) for _ in range(4)], [640, 640, 1280, 1280] * 3
  shared = make_split(fps=fps, width=widths)
  assert metadata_control(shared, shared)['auc'] == 0.5


def test_facts_that_are_all_the_same_tell_nothing():
  found = metadata_control(make_split(), make_split())
  assert (found['auc'], found['balanced_accuracy']) == (0.5, 0.5)
  assert len(set(found['p_fake'])) == 1


def test_without_both_classes_there_is_no_figure():
  assert metadata_control(make_split([1, 1]), make_split()) is None
  assert metadata_control(make_split(), make_split([0, 0])) is None


def test_a_codec_that_training_has_not_seen_is_no_codec():
  train = make_split(codec=['h264', 'mpeg4'] * 6)
  features = controls.describe_videos(train, make_split([0, 1, 1], codec=['h264', 'mpeg4', 'vp9']))
  np.testing.assert_array_equal(features['codec'][1], [[1, 0], [0, 1], [0, 0]])
  p_fake = metadata_control(train, make_split([0, 1, 1], codec=['h264', 'mpeg4', 'vp9']))['p_fake']
  assert p_fake[0] < p_fake[2] < p_fake[1]


def test_equal_to_scikit_learn_on_features_made_by_hand():
  rng = np.random.default_rng(0)

  def random_split(n):
    numbers = {name: rng.lognormal(size=n).tolist() for name in FACTS[:-1]}
    return make_split(rng.integers(0, 2, n).tolist(), codec=rng.choice(['a', 'b', 'c'], n).tolist(), **numbers)

  def by_hand(split):
    logs = np.log([[split.table[name][i] for name in FACTS[:-1]] for i in range(len(split))])
    return logs, [[codec == known for known in 'abc'] for codec in split.table['codec']]

  train, test = random_split(40), random_split(30)
  (ours, our_codecs), (theirs, their_codecs) = by_hand(train), by_hand(test)
  mean, deviation = ours.mean(0), ours.std(0)
  model = LogisticRegression(C=1.0, class_weight='balanced', max_iter=1000)
  model.fit(np.hstack([(ours - mean) / deviation, our_codecs]), train.labels)
  expected = model.predict_proba(np.hstack([(theirs - mean) / deviation, their_codecs]))[:, 1]
  np.testing.assert_allclose(metadata_control(train, test)['p_fake'], expected, atol=1e-6)


def test_videos_count_not_clips():
  """The second clips of a video, with other facts, change nothing."""
  once = make_split([0, 1, 0, 1], sharpness=[50.0, 90.0, 60.0, 80.0])
  keys = ['0.mp4', '0.mp4', '1.mp4', '2.mp4', '2.mp4', '3.mp4']
  twice = make_split([0, 0, 1, 0, 0, 1], keys, sharpness=[50.0, 9.0, 90.0, 60.0, 1.0, 80.0])
  found = metadata_control(twice, twice)
  np.testing.assert_allclose(found['p_fake'], metadata_control(once, once)['p_fake'])


def test_a_table_without_a_fact_is_told_with_the_remedy():
  old = make_split()
  del old.table['duration']
  with pytest.raises(UserError, match="built without 'duration' in its table: build it again, with --overwrite"):
    metadata_control(old, old)


CLIPS = np.random.default_rng(0).integers(0, 256, (3, 8, 4, 4, 3), np.uint8)


def test_shuffled_clips_have_the_same_frames_in_an_order_of_their_own():
  orders = []
  for clip in CLIPS:
    shuffled = shuffle_frames(clip)
    orders.append(tuple(int(np.flatnonzero((clip == frame).all(axis=(1, 2, 3)))[0]) for frame in shuffled))
    assert sorted(orders[-1]) == list(range(8))
    np.testing.assert_array_equal(shuffle_frames(clip.copy()), shuffled)  # whenever and wherever it comes
  assert len({*orders, tuple(range(8))}) == 4
  assert (shuffle_frames(CLIPS[0], seed=1) != shuffle_frames(CLIPS[0])).any()


def test_a_held_frame_is_the_middle_one():
  np.testing.assert_array_equal(hold_frame(CLIPS[0]), [CLIPS[0, 4]] * 8)


@pytest.mark.parametrize('feature', ['clip', 'lips'])
def test_a_detector_of_motion_loses_by_a_frame_that_stands_still(tiny_data, feature):
  """Fakes of these clips flicker, pixels and lips."""
  split = input_pipeline.open_split('tiny_clips', 'tiny', 'test', tiny_data, feature=feature)

  def motion(clips):
    change = np.abs(np.diff(clips / np.float32(255 if split.feature == 'clip' else 1), axis=1))
    return change.mean(axis=tuple(range(1, change.ndim)))

  scores = controls.score_split(motion, split, 4, 'mean')
  found = controls.run_controls(motion, make_split(), split, scores, 0.5, 4, 'mean')
  assert (found['run']['auc'], found['single_frame']['auc']) == (1, 0.5)
  assert found['shuffled']['p_fake'].shape == (9,)
  assert (found['shuffled']['p_fake'] != found['run']['p_fake'])[split.labels == 1].any()


def test_a_model_without_time_does_not_see_the_order(tiny_data):
  """1e-6: scores of frames are added in another order."""
  split = input_pipeline.open_split('tiny_clips', 'tiny', 'test', tiny_data)
  model = create_model('cnn5_frames', {'filters': (4, 8), 'hidden': 8})
  variables = random_variables(model, jnp.zeros((1, *split.clip_shape)))
  score = lambda clips: np.asarray(model.apply(variables, clips / np.float32(255)))  # noqa: E731
  scores = controls.score_split(score, split, 4, 'mean')
  assert scores.p_fake.std() > 1e-3
  found = controls.run_controls(score, make_split(), split, scores, 0.5, 4, 'mean')
  np.testing.assert_allclose(found['shuffled']['p_fake'], scores.p_fake, rtol=1e-6)
  assert found['shuffled']['auc'] == found['run']['auc']
  assert np.abs(found['single_frame']['p_fake'] - scores.p_fake).max() > 1e-3


def some_controls(run, metadata):
  rest = {name: {'auc': 0.75, 'balanced_accuracy': 0.5} for name in ('shuffled', 'single_frame')}
  alone = {'fps': 0.5, 'codec': 0.6}
  facts = None if metadata is None else {'auc': metadata, 'balanced_accuracy': 0.6, 'alone': alone}
  return {'run': {'auc': run, 'balanced_accuracy': 0.8}, **rest, 'metadata': facts}


def test_a_run_that_metadata_can_match_is_told():
  assert control_warnings(some_controls(0.8, 0.7)) == []
  (warning,) = control_warnings(some_controls(0.7, 0.7))
  assert '(AUC 0.700 against 0.700; codec by itself 0.600)' in warning
  assert control_warnings(some_controls(None, None)) == []


def test_the_table_names_the_most_telling_fact_first():
  lines = [line.split() for line in control_table('title', some_controls(0.8, 0.7)).splitlines()]
  assert lines[3] == ['this', 'run', '0.800', '0.800']
  assert lines[6:9] == [
    ['metadata', 'alone', '0.700', '0.600'],
    ['codec', 'alone', '0.600', '-'],
    ['fps', 'alone', '0.500', '-'],
  ]
  assert control_table('title', some_controls(None, None)).splitlines()[6].split() == ['metadata', 'alone', '-', '-']


@pytest.mark.slow
def test_the_command_writes_controls_of_a_run(tmp_path, tiny_data, capsys):
  from train_test import run

  run(tmp_path, tiny_data, **{'train.epochs': 1})
  capsys.readouterr()
  controls.main([str(tmp_path), f'--data_dir={tiny_data}', '--datasets=tiny_clips,tiny_clips:validation'])
  printed = capsys.readouterr().out
  assert printed.count('frames shuffled') == 2
  written = json.loads(Path(tmp_path / 'eval' / 'tiny_clips-test' / 'controls.json').read_text())
  plain = json.loads(Path(tmp_path / 'eval' / 'tiny_clips-test' / 'metrics.json').read_text())
  assert {name: written['run'][name] for name in ('auc', 'balanced_accuracy')} == {
    name: plain[name] for name in ('auc', 'balanced_accuracy')
  }
  assert written['metadata']['auc'] == 0.5  # these clips' facts are all the same
  assert ('metadata alone ranks' in printed) == (written['run']['auc'] <= 0.5)


def test_the_command_without_a_run(tmp_path, capsys):
  with pytest.raises(SystemExit) as end:
    controls.main([str(tmp_path)])
  assert end.value.code == 2
  assert 'train first' in capsys.readouterr().err
