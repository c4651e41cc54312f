"""The page of one evaluation: whether to trust the detector, on what, and how far.

In: an `Evaluation`, and what lies in its folder. Out: report.html, which holds all it shows, and the plots beside it.
"""

import collections
import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lipfake_jax.core.vocabulary import LABELS
from lipfake_jax.report import markup, tables
from lipfake_jax.report.confident_errors import draw_strip, find_confident_errors
from lipfake_jax.report.plots import draw_plots, save_plots
from lipfake_jax.report.sections import control_warnings, read_controls, render_controls
from lipfake_jax.report.strip import FRAMES
from lipfake_jax.report.summary import answer, judge
from lipfake_jax.scoring.metrics import Metrics

if TYPE_CHECKING:
  from lipfake_jax.evaluation.measure import Evaluation

LONGEST = 10  # rows of a breakdown
FILES = ('metrics.json', 'scores.csv', 'controls.json', 'reencoding.json', 'robustness.json')

CAPTIONS = {
  'roc': 'Each point is a threshold: reals called fake against fakes found. The dot is the threshold in use.',
  'precision_recall': 'How many of the videos called fake are fake, against how many of the fakes are found.',
  'confusion': 'Truth in rows, verdicts in columns; shares are of the row.',
  'scores': 'Where the classes overlap, no threshold tells them apart.',
  'methods': 'Each dot is a video; its height within the row means nothing.',
  'reliability': 'On the diagonal, of the videos with a score of 0.8 eight in ten are fake. Bars count the videos.',
  'breakdown': 'In brackets the number of videos, which for each method of faking includes all real ones.',
}
KINDS = {
  'method': 'Way of faking (each with all real videos)',
  'identity': 'Person',
  'codec': 'Codec',
  'mouth_width': 'Width of the mouth in pixels',
  'sharpness': 'Sharpness',
  'mean_activity': 'Motion of the lips',
}
ORDER = (
  'Judged right is balanced accuracy, or the share of right verdicts where a group has one class. Its 95 % interval is'
  " over people, that of a person over this person's videos; where a class has one of them only there is none. The"
  ' surest failures come first: groups are ordered by the upper end.'
)
TERMS = (
  'AUC: how often, of a real and a fake video drawn at random, the fake one has the higher score. 0.5 is a guess, 1 is'
  ' never wrong. It needs no threshold.',
  'Balanced accuracy: the mean of the share of fakes found and the share of reals kept. 0.5 is a guess, whatever the'
  ' numbers of reals and fakes; accuracy alone is high for a detector that calls all fake where most are.',
  '95 % interval: where the figure would lie, in 95 of 100 cases, with other people like these (bootstrap over people).'
  ' Videos of one person count as one observation.',
  'Threshold: a video is called fake where its score is higher. It was chosen on validation data, or is fixed.',
  'Calibration: whether a score of 0.8 is right in eight of ten cases. It is no matter of who is ranked above whom.',
)


def write_report(folder: Path, evaluation: 'Evaluation') -> Path:
  """Writes the plots as PNG and SVG, and report.html; returns the latter's path."""
  plots = draw_plots(evaluation.scores, evaluation.metrics)
  save_plots(folder, plots)
  path = folder / 'report.html'
  path.write_text(markup.render_page(evaluation.title, render_sections(folder, evaluation, list(plots))))
  return path


def render_sections(folder: Path, evaluation: 'Evaluation', plots: Sequence[str]) -> Iterator[str]:
  """The parts of the page, as HTML.

  Args:
    folder: of the evaluation: its files are digested, and those of controls are shown.
    evaluation: what is told.
    plots: names of those that lie in the folder.
  """
  metrics, split = evaluation.metrics, evaluation.split
  found, outdated = read_controls(folder, evaluation.metrics)
  lines = [*control_warnings(found, metrics), *metrics['warnings'], *outdated]
  warnings = sorted(lines, key=lambda line: not _is_red(line))
  yield _answer(evaluation, [line for line in warnings if _is_red(line)])
  yield _warnings(warnings)
  yield _figures(metrics)
  yield _plots(folder, [name for name in plots if name != 'breakdown'])
  yield _breakdowns(metrics['breakdowns'], _picture(folder, 'breakdown') if 'breakdown' in plots else '')
  yield markup.section('Controls', *render_controls(found, metrics, f'{split.dataset}:{split.name}'))
  yield _mistakes(evaluation)
  yield _data(evaluation)
  yield _provenance(folder, evaluation.about)


def _is_red(warning: str) -> bool:
  return warning.startswith('warning')


def _answer(evaluation: 'Evaluation', red: Sequence[str]) -> str:
  about, metrics, split = evaluation.about, evaluation.metrics, evaluation.split
  kind, verdict = judge(metrics, red)
  sentences = answer(about['model'], about['trained on'], split.name, evaluation.scores, metrics)
  text = ''.join(markup.paragraph(sentence) for sentence in sentences)
  box = f'<div class="answer {kind}">{markup.paragraph(verdict, "verdict")}\n{text}</div>'
  return markup.section('Answer', box)


def _warnings(warnings: Sequence[str]) -> str:
  boxes = [markup.paragraph(f'{tables.capitalise(line)}.', 'warning' if _is_red(line) else 'note') for line in warnings]
  return markup.section('Warnings', *boxes or [markup.paragraph('None.')])


def _figures(metrics: Metrics) -> str:
  parts = [
    markup.table(tables.HEADER, tables.metrics_rows(metrics), 'Video level: one score a video'),
    markup.bullets(f'{tables.capitalise(line)}.' for line in tables.summarise(metrics)),
  ]
  if metrics['clip_level']['n'] != metrics['n']:
    clips = tables.clip_rows(metrics)
    parts.append(markup.table(tables.CLIP_HEADER, clips, 'Clip level: one score a clip, several clips a video'))
  return markup.section('Figures', *parts, markup.fold('What these words mean', markup.bullets(TERMS)))


def _plots(folder: Path, names: Sequence[str]) -> str:
  note = markup.paragraph('All of videos. Each lies beside this page as PNG and as SVG.', 'quiet')
  return markup.section('Plots', note, f'<div class="plots">{"".join(_picture(folder, name) for name in names)}</div>')


def _picture(folder: Path, name: str) -> str:
  image = markup.smallest_image(folder / f'{name}.svg', folder / f'{name}.png')
  return markup.picture(image, f'Plot: {name.replace("_", " ")}', CAPTIONS[name])


def _breakdowns(breakdowns: Mapping[str, Sequence[dict[str, Any]]], plot: str) -> str:
  header = ('group', 'videos', 'real', 'fake', 'judged right', '95 % interval', 'fakes found', 'reals kept', 'AUC')
  parts = [markup.paragraph(ORDER, 'quiet'), plot] if plot else []
  for kind, groups in breakdowns.items():
    rows = [_cells(row) for row in groups[:LONGEST]]
    parts.append(markup.table(header, rows, KINDS.get(kind, kind.replace('_', ' ').capitalize())))
    if (more := len(groups) - LONGEST) > 0:
      parts.append(markup.paragraph(f'{more} more groups are in metrics.json.', 'quiet'))
  return markup.section('Where it fails', *parts or [markup.paragraph('The videos are all of one group.')])


def _cells(row: Mapping[str, Any]) -> tuple[Any, ...]:
  """A group's row of the table."""
  counts, rates = ('group', 'n', 'n_real', 'n_fake'), ('recall', 'specificity', 'auc')
  judged = (tables.show(row['score']), tables.show_range(row['interval']))
  return (*(row[name] for name in counts), *judged, *(tables.show(row[name]) for name in rates))


def _mistakes(evaluation: 'Evaluation') -> str:
  scores, metrics = evaluation.scores, evaluation.metrics
  chosen = find_confident_errors(scores, metrics['threshold'])
  said = [f'{metrics["fp"] + metrics["fn"]} of {len(scores)} videos are misjudged.']
  if chosen:
    said.append(
      f'Those farthest from the threshold {metrics["threshold"]:.3f} come first, each with up to {FRAMES} frames of its'
      ' mouth (of its first clip, where there are several), in time order.'
    )
  strips = [_strip(evaluation, i, number) for number, i in enumerate(chosen, 1)]
  return markup.section('Most confident errors', markup.paragraph(' '.join(said)), *strips)


def _strip(evaluation: 'Evaluation', i: int, number: int) -> str:
  scores, label = evaluation.scores, int(evaluation.scores.labels[i])
  key, method, person = (scores.table[name][i] or 'unknown' for name in ('key', 'method', 'identity'))
  text = (
    f'{number}. {key}: {LABELS[label]}, called {LABELS[1 - label]}, p(fake) {scores.p_fake[i]:.3f},'
    f' method {method}, person {person}'
  )
  strip = markup.data_uri(draw_strip(evaluation.split, int(scores.positions[i])), 'image/jpeg')
  return markup.picture(strip, f'Frames of the mouth in {key}, in time order', text, 'strip')


def _data(evaluation: 'Evaluation') -> str:
  scores, split = evaluation.scores, evaluation.split
  videos = collections.Counter(zip(scores.table['dataset'], scores.labels.tolist(), strict=True))
  clips = collections.Counter(zip(split.table['dataset'], split.labels.tolist(), strict=True))
  lost = collections.Counter((row['dataset'], LABELS.index(row['label'])) for row in split.rejections)
  people = {*zip(scores.table['dataset'], scores.labels.tolist(), scores.table['identity'], strict=True)}
  rows = []
  for group in itertools.product(sorted({dataset for dataset, _ in {*videos, *lost}}), range(len(LABELS))):
    known = sum(who[:2] == group and bool(who[2]) for who in people)
    share = f'{lost[group] / (lost[group] + videos[group]):.1%}' if lost[group] + videos[group] else '-'
    rows.append((f'{group[0]}, {LABELS[group[1]]}', videos[group], clips[group], known, lost[group], share))
  header = ('dataset, class', 'videos', 'clips', 'known people', 'videos without a verdict', 'their share')
  tested = markup.table(header, rows, f'What was tested: part {split.name} of the split {split.rule}')
  return markup.section('Data', tested, _reasons(split.rejections))


def _reasons(rejections: Sequence[Mapping[str, str]]) -> str:
  counts = collections.Counter((row['reason'], row['label']) for row in rejections)
  reasons = sorted({reason for reason, _ in counts})
  rows = [(reason.replace('_', ' '), *(counts[reason, label] for label in LABELS)) for reason in reasons]
  return markup.table(('why there is no verdict', *LABELS), rows) if rows else ''


def _provenance(folder: Path, about: Mapping[str, Any]) -> str:
  digests = {
    name: f'sha256:{hashlib.sha256((folder / name).read_bytes()).hexdigest()}'
    for name in FILES
    if (folder / name).exists()
  }
  names = {'arguments': 'its arguments', 'weights': 'digest of the weights', 'videos': 'digest of the videos'}
  rows = [(names.get(name, name), _flat(value)) for name, value in about.items() if name != 'config']
  config = markup.table(('field', 'value'), about['config'].items(), kind='wide')
  return markup.section(
    'Where these figures come from',
    markup.table(('what', 'value'), [*rows, *digests.items()], kind='wide'),
    markup.fold('Configuration', config) if about['config'] else markup.paragraph('config.json of the run is gone.'),
  )


def _flat(value: Any) -> str:
  """A dictionary or a list in one line."""
  if isinstance(value, Mapping):
    return ', '.join(f'{name} {part}' for name, part in value.items())
  return ', then '.join(map(str, value)) if isinstance(value, list) else str(value)
