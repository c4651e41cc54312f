import numpy as np
import pytest

from lipfake_jax.report import plots
from tests.report.evaluations import make_evaluation

# Three reals and four fakes at .5: one real is called fake, two fakes are called real.
LABELS = [0, 0, 0, 1, 1, 1, 1]
P_FAKE = [0.1, 0.2, 0.7, 0.3, 0.4, 0.8, 0.9]


@pytest.fixture(scope='module')
def evaluation():
  return make_evaluation(LABELS, P_FAKE)


def draw(evaluation):
  return plots.draw_plots(evaluation.scores, evaluation.metrics)


def line(figure, label):
  (found,) = [line for line in figure.axes[0].get_lines() if str(line.get_label()).startswith(label)]
  return [[round(float(v), 4) for v in values] for values in (found.get_xdata(), found.get_ydata())]


def test_confusion_has_truth_in_rows_and_verdicts_in_columns(evaluation):
  axes = plots.plot_confusion(evaluation.metrics).axes[0]
  cells = {text.get_position(): text.get_text() for text in axes.texts}  # x is the column, y the row, from the top
  assert cells == {(0, 0): '2\n66.7%', (1, 0): '1\n33.3%', (0, 1): '2\n50.0%', (1, 1): '2\n50.0%'}
  assert [tick.get_text() for tick in axes.get_xticklabels()] == ['real', 'fake']
  assert [tick.get_text() for tick in axes.get_yticklabels()] == ['real (3)', 'fake (4)']
  assert (axes.get_xlabel(), axes.get_ylabel()) == ('verdict at threshold 0.500', 'truth')
  assert axes.yaxis_inverted()  # row 0 is on top


def test_roc_marks_the_threshold_and_says_aucs_interval(evaluation):
  figure = plots.plot_roc(evaluation.scores, evaluation.metrics)
  assert line(figure, 'threshold') == [[0.3333], [0.5]]  # fpr 1 of 3, tpr 2 of 4
  assert line(figure, 'AUC') == [[0, 0, 0, 0.3333, 0.3333, 0.3333, 0.6667, 1], [0, 0.25, 0.5, 0.5, 0.75, 1, 1, 1]]
  low, high = evaluation.metrics['intervals']['auc']
  assert f'AUC 0.833 ({low:.3f} to {high:.3f})' in [text.get_text() for text in figure.axes[0].get_legend().get_texts()]


def test_precision_recall_is_that_of_average_precision(evaluation):
  figure = plots.plot_precision_recall(evaluation.scores, evaluation.metrics)
  recall, precision = line(figure, 'AP')
  assert recall == [0, 0.25, 0.5, 0.5, 0.75, 1, 1, 1]
  assert precision == [1, 1, 1, 0.6667, 0.75, 0.8, 0.6667, 0.5714]
  assert np.sum(np.diff(recall) * precision[1:]) == pytest.approx(evaluation.metrics['ap'], abs=1e-3)
  assert line(figure, 'share of fakes') == [[0, 1], [0.5714, 0.5714]]
  assert line(figure, 'threshold') == [[0.5], [0.6667]]


def test_reliability_counts_every_video_in_its_bin():
  mean, share, n = plots.bin_reliability(np.array([0, 1, 1, 0, 1]), np.array([0.0, 0.02, 0.55, 0.56, 1.0]))
  assert n.tolist() == [2, 0, 0, 0, 0, 2, 0, 0, 0, 1]  # 1.0 is in the last bin
  np.testing.assert_allclose(mean[[0, 5, 9]], [0.01, 0.555, 1.0])
  np.testing.assert_allclose(share[[0, 5, 9]], [0.5, 0.5, 1.0])
  gaps = np.nansum(n * np.abs(mean - share)) / 5
  evaluation = make_evaluation([0, 1, 1, 0, 1], [0.0, 0.02, 0.55, 0.56, 1.0])
  assert gaps == pytest.approx(evaluation.metrics['ece'], abs=1e-6)


def test_histograms_are_shares_of_each_class(evaluation):
  axes = plots.plot_scores(evaluation.scores, evaluation.metrics).axes[0]
  heights = [sum(bar.get_height() for bar in bars) for bars in axes.containers]
  assert heights == pytest.approx([1, 1])
  names = [text.get_text() for text in axes.get_legend().get_texts()]
  assert sorted(names) == ['fake (4 videos)', 'real (3 videos)', 'threshold 0.500']


def test_groups_come_with_their_intervals_and_names_from_data_are_no_formulas():
  evaluation = make_evaluation(
    [0, 0, 1, 1], [0.1, 0.9, 0.2, 0.9], identity=[r'$\frac{', '<b>', r'$\frac{', '<b>'], method=['', '', '$x', 'y\n']
  )
  axes = plots.plot_breakdown(evaluation.metrics).axes[0]
  names = [tick.get_text() for tick in axes.get_yticklabels()]
  assert names == ['method', '$x (3)', 'y? (3)', 'identity', r'$\frac{ (2)', '<b> (2)']
  intervals, scores = axes.get_lines()[:8:2], axes.get_lines()[1:8:2]
  assert [line.get_xdata()[0] for line in scores] == [0.25, 0.75, 0.5, 0.5]
  rows = [row for groups in evaluation.metrics['breakdowns'].values() for row in groups]
  assert [tuple(line.get_xdata()) for line in intervals] == [row['interval'] or () for row in rows]
  assert axes.yaxis_inverted()


@pytest.mark.parametrize('label', [0, 1])
def test_of_one_class_what_needs_two_is_left_out(label):
  assert set(draw(make_evaluation([label] * 4, [0.2, 0.4, 0.6, 0.8]))) == {
    'confusion',
    'scores',
    'methods',
    'breakdown',
  }


def test_files_are_the_same_each_time_and_older_ones_go(tmp_path, evaluation):
  first, second = tmp_path / 'a', tmp_path / 'b'
  for folder in (first, second):
    folder.mkdir()
    (folder / 'roc.svg').write_text('of an evaluation of both classes')
    plots.save_plots(folder, {'methods': plots.plot_methods(evaluation.scores, evaluation.metrics)})
  names = {'methods.png', 'methods.svg'}
  assert {path.name for path in first.iterdir()} == names
  for name in names:
    assert (first / name).read_bytes() == (second / name).read_bytes(), name


def test_every_axis_is_named_and_every_title_says_videos(evaluation):
  for figure in draw(evaluation).values():
    first, last = figure.axes[0], figure.axes[-1]
    assert 'videos' in first.get_title()
    assert last.get_xlabel()
