"""Two runs on the same videos: chance is told from a difference."""

import json

import numpy as np
import pytest

from lipfake_jax.evaluation import compare
from lipfake_jax.evaluation.compare import main
from lipfake_jax.scoring.scores import write_scores
from lipfake_jax.scoring.verdict import Decision, write_decision
from tests.evaluation.evaluation_cases import make_measured

N = 200
LABELS = np.arange(N) % 2
PEOPLE = [f'p{i // 4}' for i in range(N)]


def noisy(seed, strength=0.2):
  return np.clip(0.4 + strength * LABELS + np.random.default_rng(seed).normal(0, 0.15, N), 0.01, 0.99)


def test_another_seed_is_no_difference():
  found = compare.compare_scores(LABELS, (noisy(0), noisy(1)), (0.5, 0.5), PEOPLE)
  assert compare.verdict(found).startswith('no difference')


def test_a_better_run_is_found():
  found = compare.compare_scores(LABELS, (noisy(0), noisy(1, strength=0.5)), (0.5, 0.65), PEOPLE)
  assert compare.verdict(found).startswith('B is better: auc differs by +0.1')
  a, b, interval = found['auc']
  assert interval[0] <= b - a <= interval[1]


def test_pairing_sees_what_single_intervals_hide():
  """A run that is a little better on every video differs, though each one's own interval covers the other."""
  a = noisy(0)
  b = np.where(LABELS == 1, a + 0.02, a - 0.02)
  single = make_measured(LABELS, a, identity=PEOPLE)[0]['intervals']['auc']
  found = compare.compare_scores(LABELS, (a, b), (0.5, 0.5), PEOPLE)
  assert single[0] < found['auc'][1] < single[1]
  assert compare.verdict(found).startswith('B is better')


def test_each_run_decides_by_its_own_threshold():
  found = compare.compare_scores(LABELS, (noisy(0), noisy(0) / 2), (0.5, 0.25), PEOPLE)
  assert found['balanced_accuracy'][0] == found['balanced_accuracy'][1]
  assert found['balanced_accuracy'][2] == (0, 0)


def test_reals_alone_are_compared_by_accuracy():
  found = compare.compare_scores(np.zeros(N, int), (np.full(N, 0.2), noisy(0)), (0.5, 0.5), PEOPLE)
  assert found['auc'] == (None, None, None)
  assert compare.verdict(found).startswith('A is better: accuracy')


@pytest.fixture
def runs(tmp_path):
  """Workdirs a and b; b lacks the last video."""
  for name, seed, n in (('a', 0, N), ('b', 1, N - 1)):
    metrics, scores, _ = make_measured(LABELS[:n], noisy(seed)[:n], identity=PEOPLE[:n])
    folder = tmp_path / name / 'eval' / 'faces-test'
    folder.mkdir(parents=True)
    write_scores(folder / 'scores.csv', scores, scores.p_fake)
    (folder / 'metrics.json').write_text(json.dumps(metrics))
    write_decision(tmp_path / name, Decision())
  return tmp_path


def test_the_command(runs, capsys):
  main([str(runs / 'a'), str(runs / 'b')])
  shown = capsys.readouterr().out
  assert 'faces-test: 199 videos of 50 people; 1 only in A, 0 only in B' in shown
  assert '| auc | 0.' in shown
  assert 'no difference: that of auc' in shown


def test_what_can_not_be_compared(runs, capsys):
  path = runs / 'b' / 'eval' / 'faces-test' / 'scores.csv'
  path.write_text(path.read_text().replace('000.mp4,0', '000.mp4,1'))
  for arguments, message in (
    ([str(runs / 'a'), str(runs / 'b')], 'disagree about the label of faces/000.mp4'),
    ([str(runs / 'a'), str(runs / 'none')], 'have no evaluation in common'),
    ([str(runs / 'a'), str(runs / 'b'), '--on=other-test'], 'scores.csv is missing'),
  ):
    with pytest.raises(SystemExit) as stop:
      main(arguments)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err
