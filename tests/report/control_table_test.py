from lipfake_jax.report.control_table import control_table


def test_the_table_shows_what_is_lost():
  shuffled = {'auc': 0.75, 'balanced_accuracy': 0.5, 'auc_loss': (0.05, (-0.01, 0.125))}
  table = control_table('title', {'run': {'auc': 0.8, 'balanced_accuracy': None}, 'shuffled': shuffled})
  lines = [line.split() for line in table.splitlines()]
  assert lines[3] == ['this', 'run', '0.800', '-', '-']
  assert lines[4] == ['frames', 'shuffled', '0.750', '0.050', '-0.010', 'to', '+0.125', '0.500']
