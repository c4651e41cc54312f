"""The table of towers' figures, as it is printed."""

from lipfake_jax.report.tower_table import tower_table


def test_a_line_a_kind_with_the_columns_that_there_are():
  rows = [
    {'kind': "another's sound", 'videos': 20, 'auc': 0.75, 'interval': (0.6, 0.9), 'found': None},
    {'kind': 'late', 'videos': 9, 'auc': None, 'interval': None, 'found': 0.5},
  ]
  assert tower_table('demo test', rows).splitlines() == [
    'demo test        videos    AUC   95 % interval  offset found',
    "another's sound      20  0.750  0.600 to 0.900             -",
    'late                  9      -               -         0.500',
  ]
