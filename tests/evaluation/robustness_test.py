"""Figures of a run under perturbations, by hand."""

from pathlib import Path

import pytest

from lipfake_jax.clips.clips import Rejection
from lipfake_jax.core.vocabulary import VideoRecord
from lipfake_jax.evaluation import controls, perturbed_scores, robustness
from lipfake_jax.report import robustness_tables

VIDEOS = [VideoRecord(Path(f'{i}'), f'v{i}', label, dataset='d') for i, label in enumerate(['real', 'fake'] * 4)]
CLEAN = [0.1, 0.9, 0.2, 0.8, 0.3, 0.7, 0.4, 0.6]  # reals and fakes in turn, told apart


def lose(scores, *positions):
  return [Rejection('no_face', 'gone', f'v{i}') if i in positions else p for i, p in enumerate(scores)]


def score(videos, perturbation):
  """At level 5 of noise the first fake has no face, and the others look like reals do."""
  if perturbation == 'noise:5':
    return lose([0.1, 0.0, 0.2, 0.35, 0.3, 0.35, 0.4, 0.35], 1)
  if perturbation == 'reencode:1':
    return lose([p + 0.15 for p in CLEAN[::2]], 0)
  return CLEAN[::2] if len(videos) == 4 else CLEAN


def test_figures_are_of_videos_with_a_verdict_and_of_all():
  """Each of 3 fakes at .35 is above 3 of 4 reals: AUC .75. Of 16 pairs 12 are judged: (12 * .75 + 4 * .5) / 16."""
  found = robustness.measure_condition(VIDEOS, score(VIDEOS, 'noise:5'), threshold=0.25)
  assert (found['n'], found['n_real'], found['n_fake']) == (7, 4, 3)
  assert found['auc'] == pytest.approx(0.75)
  assert found['auc_all'] == pytest.approx(0.6875)
  assert found['balanced_accuracy'] == pytest.approx((2 / 4 + 3 / 3) / 2)
  assert found['without_verdict'] == {'v1': 'no_face (gone)'}
  assert found['p_fake']['v7'] == 0.35


def test_figures_of_no_verdict_at_all_and_of_one_class():
  lost = robustness.measure_condition(VIDEOS, lose(CLEAN, *range(8)), threshold=0.5)
  assert (lost['n'], lost['auc'], lost['auc_all'], lost['balanced_accuracy']) == (0, None, 0.5, None)
  reals = robustness.measure_condition(VIDEOS[::2], CLEAN[::2], threshold=0.5)
  assert (reals['auc'], reals['auc_all']) == (None, None)


def test_a_level_without_a_verdict_is_not_left_out_of_a_mean():
  """Its AUC is undefined, and so is the mean's; of all videos it is chance."""
  results = robustness.measure_robustness(
    lambda videos, name: lose(CLEAN, *range(8)) if name == 'noise:5' else CLEAN, VIDEOS, 0.5, ['noise'], [1, 5]
  )
  assert robustness_tables.markdown_table(results, 'auc').splitlines()[2] == '| noise | 1.000 | 1.000 | - | - |'
  assert (
    robustness_tables.markdown_table(results, 'auc_all').splitlines()[2] == '| noise | 1.000 | 1.000 | 0.500 | 0.750 |'
  )


def test_the_control_compares_each_original_with_itself_encoded_again():
  """Originals at .2, .3 and .4, re-encoded at .35, .45 and .55; the first has no face then."""
  found = controls.reencoding_control(score, VIDEOS, threshold=0.38)
  assert found['rises'] == 1
  assert found['rises_interval'] == (pytest.approx(0.025 ** (1 / 3)), 1)
  assert (found['n'], found['n_people']) == (3, 3)
  assert found['mean_p_fake_before'] == pytest.approx(0.3)
  assert found['mean_p_fake_after'] == pytest.approx(0.45)
  assert (found['called_fake_before'], found['called_fake_after']) == (1, 2)
  assert list(found['without_verdict']) == ['v0']


@pytest.mark.parametrize(
  ('after', 'rises'),
  [([0.1, 0.2, 0.3, 0.4], 0.5), ([0.2, 0.1, 0.2, 0.3], 0.25), ([0.0, 0.1, 0.2, 0.3], 0), ([0.1, 0.3, 0.4, 0.5], 0.875)],
)
def test_scores_that_stay_count_half(after, rises):
  """Before they were .1, .2, .3 and .4."""
  found = controls.reencoding_control(lambda videos, name: after if name else CLEAN[::2], VIDEOS, threshold=0.5)
  assert found['rises'] == rises
  low, high = found['rises_interval']
  assert low <= rises <= high


def test_the_control_has_no_figure_where_no_video_is_judged():
  found = controls.reencoding_control(lambda videos, _: lose(CLEAN[::2], *range(4)), VIDEOS, threshold=0.5)
  assert (found['rises'], found['rises_interval'], found['n'], found['n_people']) == (None, None, 0, 0)


def test_a_limit_takes_as_many_of_each_class_and_the_same_ones_whatever_else_there_is():
  chosen = perturbed_scores.limit_videos(VIDEOS, 4)
  assert sorted(video.label for video in chosen) == ['fake', 'fake', 'real', 'real']
  assert perturbed_scores.limit_videos(VIDEOS[::-1], 4) == chosen
  assert perturbed_scores.limit_videos(VIDEOS, 0) == VIDEOS
  assert perturbed_scores.limit_videos(VIDEOS, 100) != chosen
