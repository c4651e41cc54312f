import numpy as np

from lipfake_jax import report
from lipfake_jax.metrics import evaluate_scores


def test_the_table_starts_with_always_fake():
  figures = evaluate_scores(np.array([0, 0, 0, 1]), np.array([0.1, 0.2, 0.9, 0.8]))
  text = report.text_table('title', figures, [{'label': 'fake', 'reason': 'no_face'}])
  lines = {line[:20].strip(): line[20:].split() for line in text.splitlines()}
  assert 'always fake    this run' in text
  assert lines['accuracy'] == ['0.250', '0.750']
  assert lines['balanced accuracy'] == ['0.500', '0.833']
  assert lines['auc'] == ['-', '0.667']
  assert '1 videos without a verdict, not in these figures: 1 fake no_face' in text
