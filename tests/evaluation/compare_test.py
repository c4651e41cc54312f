"""Two runs on the same videos: chance is told from a difference."""

import numpy as np
import pytest

from lipfake_jax.core.errors import UserError
from lipfake_jax.evaluation import compare
from lipfake_jax.report.comparison_table import comparison_table, conclude
from lipfake_jax.scoring.scores import write_scores
from lipfake_jax.scoring.verdict import Decision, write_decision
from tests.evaluation.evaluation_cases import make_measured

N = 200
LABELS = np.arange(N) % 2
PEOPLE = [f'p{i // 4}' for i in range(N)]


def noisy(seed, strength=0.2):
  return np.clip(0.4 + strength * LABELS + np.random.default_rng(seed).normal(0, 0.15, N), 0.01, 0.99)


def test_another_seed_is_not_shown_to_differ():
  found = compare.compare_scores(LABELS, (noisy(0), noisy(1)), (0.5, 0.5), PEOPLE)
  assert conclude(found).startswith('not shown to differ: that of auc, ')


def test_a_better_run_is_found():
  found = compare.compare_scores(LABELS, (noisy(0), noisy(1, strength=0.5)), (0.5, 0.65), PEOPLE)
  assert conclude(found).startswith('B is better: auc differs by +0.1')
  a, b, interval = found['auc']
  assert interval[0] <= b - a <= interval[1]


def test_pairing_sees_what_single_intervals_hide():
  """A run that is a little better on every video differs, though each one's own interval covers the other."""
  a = noisy(0)
  b = np.where(LABELS == 1, a + 0.02, a - 0.02)
  single = make_measured(LABELS, a, identity=PEOPLE)[0]['intervals']['auc']
  found = compare.compare_scores(LABELS, (a, b), (0.5, 0.5), PEOPLE)
  assert single[0] < found['auc'][1] < single[1]
  assert conclude(found).startswith('B is better')


def test_each_run_decides_by_its_own_threshold():
  found = compare.compare_scores(LABELS, (noisy(0), noisy(0) / 2), (0.5, 0.25), PEOPLE)
  assert found['balanced_accuracy'][0] == found['balanced_accuracy'][1]
  assert found['balanced_accuracy'][2] == (0, 0)


def test_reals_alone_are_compared_by_accuracy():
  found = compare.compare_scores(np.zeros(N, int), (np.full(N, 0.2), noisy(0)), (0.5, 0.5), PEOPLE)
  assert found['auc'] == (None, None, None)
  assert conclude(found).startswith('A is better: accuracy')


def write_run(workdir, p_fake, **columns):
  _, scores, _ = make_measured(LABELS, p_fake, **columns)
  folder = workdir / 'eval' / 'faces-test'
  folder.mkdir(parents=True)
  write_scores(folder / 'scores.csv', scores, scores.p_fake)
  write_decision(workdir, Decision())
  return scores.groups


@pytest.mark.parametrize(
  ('columns', 'people'),
  [
    ({'identity': [''] * N, 'original': [f'{i // 20}.mp4' for i in range(N)]}, 10),
    ({'identity': ['a', 'b'] * (N // 2), 'second_identity': [f's{i // 20}' for i in range(N)]}, 12),
    ({'identity': [f'p{i}' for i in range(N)], 'group': [f'g{i // 20}' for i in range(N)]}, 10),
  ],
)
def test_videos_of_one_original_or_face_or_group_are_one_observation_here_as_in_the_evaluation(
  tmp_path, columns, people
):
  scores = noisy(0), noisy(1, strength=0.3)
  groups, _ = (write_run(tmp_path / name, p_fake, **columns) for name, p_fake in zip('ab', scores, strict=True))
  found = compare.compare_scores(LABELS, scores, (0.5, 0.5), groups)
  comparison = compare.compare_runs(tmp_path / 'a', tmp_path / 'b', 'faces-test')
  assert comparison.difference == found
  assert f'faces-test: {N} videos of {people} people' in comparison_table(comparison)
  each_alone = compare.compare_scores(LABELS, scores, (0.5, 0.5), [f'{i}' for i in range(N)])
  assert found['auc'][2] != each_alone['auc'][2]


def test_scores_of_an_older_version_are_to_be_measured_again(tmp_path):
  for name in 'ab':
    write_run(tmp_path / name, noisy(0))
  path = tmp_path / 'b' / 'eval' / 'faces-test' / 'scores.csv'
  path.write_text(path.read_text().replace('identity,group', 'identity,other', 1))
  with pytest.raises(UserError, match=r'scores.csv lacks group: evaluate the run again'):
    compare.compare_runs(tmp_path / 'a', tmp_path / 'b', 'faces-test')
