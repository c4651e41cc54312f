"""Two workdirs compared: what is printed, and what is refused."""

import json

import pytest

from lipfake_jax.cli.main import main
from lipfake_jax.scoring.scores import write_scores
from lipfake_jax.scoring.verdict import Decision, write_decision
from tests.evaluation.compare_test import LABELS, PEOPLE, N, noisy
from tests.evaluation.evaluation_cases import make_measured


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


def test_every_evaluation_in_common_is_compared(runs, capsys):
  main(['compare', str(runs / 'a'), str(runs / 'b')])
  shown = capsys.readouterr().out
  assert 'faces-test: 199 videos of 50 people; 1 only in A, 0 only in B' in shown
  assert '| auc | 0.' in shown
  assert 'not shown to differ: that of auc, ' in shown


def test_what_can_not_be_compared(runs, capsys):
  path = runs / 'b' / 'eval' / 'faces-test' / 'scores.csv'
  path.write_text(path.read_text().replace('000.mp4,0', '000.mp4,1'))
  for arguments, message in (
    ([str(runs / 'a'), str(runs / 'b')], 'disagree about the label of faces/000.mp4'),
    ([str(runs / 'a'), str(runs / 'none')], 'have no evaluation in common'),
    ([str(runs / 'a'), str(runs / 'b'), '--on=other-test'], 'scores.csv is missing'),
  ):
    with pytest.raises(SystemExit) as stop:
      main(['compare', *arguments])
    assert stop.value.code == 2
    assert message in capsys.readouterr().err
