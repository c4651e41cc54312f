"""What an evaluation measures, by hand."""

import numpy as np
import pytest

from lipfake_jax.scoring.scores import clip_scores, read_scores, video_scores, write_scores
from lipfake_jax.scoring.verdict import Decision
from tests.evaluation.evaluation_cases import make_measured, make_split

LABELS = [0, 0, 0, 0, 1, 1, 1, 1]
SCORES = [0.1, 0.2, 0.3, 0.6, 0.4, 0.7, 0.8, 0.9]


def test_the_runs_threshold_and_one_half():
  metrics, _, _ = make_measured(LABELS, SCORES, Decision(0.35, 'eer'))
  assert (metrics['fp'], metrics['fn'], metrics['threshold'], metrics['threshold_rule']) == (1, 0, 0.35, 'eer')
  assert (metrics['at_half']['fp'], metrics['at_half']['fn']) == (1, 1)
  assert metrics['balanced_accuracy'] == 7 / 8
  assert metrics['level'] == 'video'


def test_videos_without_a_verdict_are_counted_both_ways():
  rejections = [{'label': 'real', 'reason': 'no_face'}, {'label': 'fake', 'reason': 'too_short'}] * 2
  metrics, _, _ = make_measured(LABELS, SCORES, rejections=rejections)
  assert metrics['n'] == 8
  assert metrics['without_verdict'] == {'real': 2, 'fake': 2, 'reasons': {'fake too_short': 2, 'real no_face': 2}}
  assert metrics['accuracy'] == 6 / 8
  assert metrics['counted_as_errors']['accuracy'] == 6 / 12
  assert (metrics['counted_as_errors']['fp'], metrics['counted_as_errors']['fn']) == (3, 3)


def test_videos_and_clips_are_told_apart():
  # The second video has three clips, of which two look real; its mean is .5333, over the threshold.
  metrics, scores, _ = make_measured([0, 1, 1, 1], [0.2, 0.4, 0.4, 0.8], key=['a.mp4', 'b.mp4', 'b.mp4', 'b.mp4'])
  assert (metrics['n'], metrics['tp'], metrics['fn']) == (2, 1, 0)
  assert (metrics['clip_level']['n'], metrics['clip_level']['tp'], metrics['clip_level']['fn']) == (4, 1, 2)
  assert scores.frames == [60, 180]
  assert scores.positions.tolist() == [0, 1]
  assert scores.p_fake[1] == pytest.approx(1.6 / 3)


def test_intervals_hold_what_they_are_of_and_cover_every_rate():
  metrics, _, _ = make_measured(LABELS * 5, SCORES * 5)
  assert metrics['n_people'] == 20
  for name, interval in metrics['intervals'].items():
    assert name not in ('n', 'tp', 'threshold')
    if name != 'majority_accuracy':  # that of a draw with uneven classes is always the higher
      assert interval[0] <= metrics[name] <= interval[1]
  assert {'auc', 'balanced_accuracy', 'eer', 'brier', 'tpr_at_fpr_5', 'mcc', 'ece'} <= set(metrics['intervals'])


def test_calibrated_by_the_runs_temperature():
  metrics, _, _ = make_measured([0, 1], [0.1, 0.9], Decision(temperature=2.0))
  assert metrics['calibrated']['brier'] == pytest.approx((1 / 4) ** 2)  # odds of 9 become odds of 3
  assert metrics['brier'] == pytest.approx(0.1**2)


def test_one_class_alone():
  metrics, _, _ = make_measured([0] * 4, [0.1, 0.2, 0.3, 0.6])
  assert metrics['specificity'] == 0.75
  assert metrics['intervals']['specificity'] is not None
  assert (metrics['auc'], metrics['intervals']['auc'], metrics['counted_as_errors']['recall']) == (None, None, None)


def test_the_same_people_stay_together():
  split = make_split(
    [0, 1, 1, 0, 1, 0],
    identity=['anna', 'anna', '', '', 'zoe', 'x+y'],
    second_identity=['', 'ben', '', '', 'ben+anna', ''],
    original=['', '', '003.mp4', '', 'other.mp4', ''],
  )
  scores = video_scores(np.zeros(6), split, 'mean')
  assert scores.groups == [
    'faces/anna',
    'faces/anna+faces/ben',
    'faces/003',
    'faces/003',
    'faces/anna+faces/ben+faces/zoe',
    'faces/x y',  # one name: only several people have a + between them
  ]


def test_people_of_swaps_are_counted_once():
  swaps = {'identity': ['a', 'b', 'c', 'a'], 'second_identity': ['d', 'a', '', '']}
  metrics, _, _ = make_measured([1, 1, 0, 0], [0.9, 0.8, 0.1, 0.2], **swaps)
  assert metrics['n_people'] == 4


def test_scores_survive_their_file(tmp_path):
  _, scores, split = make_measured(LABELS, SCORES)
  write_scores(tmp_path / 'scores.csv', scores, scores.p_fake**2)
  rows = read_scores(tmp_path / 'scores.csv')
  assert [float(row['p_fake']) for row in rows.values()] == scores.p_fake.tolist()  # every digit
  assert rows['faces', '005.mp4'] == {
    'id': '005.mp4', 'label': '1', 'p_fake': str(scores.p_fake[5]), 'frames_used': '60', 'method': 'swap',
    'identity': 'p2', 'group': 'faces/p2', 'dataset': 'faces', 'p_calibrated': str(scores.p_fake[5] ** 2),
  }  # fmt: skip
  assert len(clip_scores(np.zeros(8), split, 'mean')) == 8
