"""What controls found out about a run, for its page: metadata, lost time, another encoder, worse videos.

In: an evaluation's metrics, and controls.json, reencoding.json and robustness.json in its folder, where they are. Out:
HTML, and warnings in words. Next stage: `report`.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from lipfake_jax.report.markup import heading, paragraph, table
from lipfake_jax.report.tables import show, show_range
from lipfake_jax.scoring.metrics import Metrics

Found = dict[str, Any]

COMMANDS = {
  'controls': 'lipfake controls RUN --datasets={tested}',
  'reencoding': 'lipfake controls RUN --datasets={tested} --reencode',
  'robustness': 'lipfake robustness RUN --dataset={tested}',
}
TITLES = {
  'controls': 'Without time',
  'reencoding': 'Real videos, encoded once more',
  'robustness': 'Videos of worse quality',
}
CONTROLS = {
  'run': 'this run',
  'shuffled': 'frames of each clip shuffled',
  'single_frame': 'one frame standing still',
}
WITHOUT_TIME = {
  'shuffled': 'it is not shown to need their order',
  'single_frame': 'it is not shown to need motion',
}
SAME = 1e-3  # AUCs of the same weights on the same videos differ by less: the controls are of this evaluation


def read_controls(folder: Path, metrics: Metrics) -> tuple[dict[str, Found], list[str]]:
  """The contents of the files of COMMANDS' names in a folder, and notes on those that tell of other weights or data.

  Args:
    folder: of an evaluation.
    metrics: of the evaluation, with the digests of `measure.identify`.
  """
  paths = {name: folder / f'{name}.json' for name in COMMANDS}
  found = {name: json.loads(path.read_text()) for name, path in paths.items() if path.exists()}
  other = {name: _differing(contents, metrics) for name, contents in found.items()}
  notes = [f'note: {name}.json is of other {what}, and is not shown' for name, what in other.items() if what]
  return {name: contents for name, contents in found.items() if not other[name]}, notes


def _differing(contents: Found, metrics: Metrics) -> str:
  return ' and '.join(what for what in ('weights', 'data') if contents.get(what) != metrics[what])


def control_warnings(found: dict[str, Found], metrics: Metrics) -> list[str]:
  """Where a shortcut does as well as the run: 'warning: ...', and 'note: ...' of what is less grave."""
  checks: dict[str, Callable[[Found, Metrics], Iterator[str]]] = {
    'controls': _time,
    'reencoding': _encoder,
  }
  return [line for name, check in checks.items() if name in found for line in check(found[name], metrics)]


def _time(controls: Found, metrics: Metrics) -> Iterator[str]:
  ours = metrics['auc']
  if ours is None:
    return
  for name, conclusion in WITHOUT_TIME.items():
    auc, (_, interval) = controls[name]['auc'], controls[name]['auc_loss']
    if interval and interval[0] <= 0 and auc > 0.5:
      yield f'note: with {CONTROLS[name]} its AUC is {auc:.3f} against {ours:.3f}, which may be chance: {conclusion}'
  if abs(controls['run']['auc'] - ours) > SAME:
    yield 'note: controls.json is of another evaluation than this page: measure the controls again'


def _encoder(control: Found, _: Metrics) -> Iterator[str]:
  """Whether scores of videos rise, or fall, more often than by chance."""
  low, high = control['rises_interval'] or (0, 1)
  if not low <= 0.5 <= high:
    yield (
      'warning: it tells real videos from the same ones encoded once more: the score rises in'
      f' {control["rises"]:.1%} of {control["n"]} (95 % interval over {control["n_people"]} people {low:.1%} to'
      f' {high:.1%}; 50 % is right), from {control["mean_p_fake_before"]:.3f} to {control["mean_p_fake_after"]:.3f} on'
      f' average; {control["called_fake_before"]} are called fake before, {control["called_fake_after"]} after'
    )


def render_controls(found: dict[str, Found], metrics: Metrics, tested: str) -> Iterator[str]:
  """Each control as HTML; of one that was not run, the command that does.

  Args:
    found: of `read_controls`.
    metrics: of the evaluation, with 'metadata'.
    tested: NAME:PART of what was tested.
  """
  renderers: dict[str, Callable[[Found], Iterator[str]]] = {
    'controls': _render_time,
    'reencoding': _render_encoder,
    'robustness': _render_robustness,
  }
  yield heading('Without looking at lips')
  yield from _render_metadata(metrics)
  for name, title in TITLES.items():
    yield heading(title)
    if name in found:
      yield from renderers[name](found[name])
    else:
      yield paragraph(f'Not measured. {COMMANDS[name].format(tested=tested)} does, and adds it to this page.', 'quiet')


def _render_metadata(metrics: Metrics) -> Iterator[str]:
  if not (control := metrics.get('metadata')):
    yield paragraph('Not measured: it wants both classes, and the training data at hand.', 'quiet')
    return
  interval = control['lead_interval']
  between = f' (95 % interval {interval[0]:+.3f} to {interval[1]:+.3f})' if interval else ''
  rows = [('this run', show(metrics['auc'])), ('metadata alone (logistic regression)', show(control['auc']))]
  facts = sorted(control['alone'].items(), key=lambda fact: -(fact[1] or 0))
  yield table(('video level', 'AUC'), [*rows, *((f'{name.replace("_", " ")} alone', show(auc)) for name, auc in facts)])
  yield paragraph(
    f'AUC of the run less that of metadata: {control["lead"]:+.3f}{between}. Metadata is what is known of a video but'
    ' for its motion: frame rate, size, codec, sharpness and the like; where that does as well, the figures may come'
    ' from there.'
  )


def _render_time(controls: Found) -> Iterator[str]:
  rows = [
    (title, show(controls[name]['auc']), _loss(controls[name]), show(controls[name]['balanced_accuracy']))
    for name, title in CONTROLS.items()
  ]
  yield table(('video level', 'AUC', 'lost', 'balanced accuracy'), rows)
  yield paragraph('A detector of motion loses by both changes of the frames.')


def _loss(control: Found) -> str:
  loss, interval = control.get('auc_loss', (None, None))
  return show(loss) + (f' ({interval[0]:+.3f} to {interval[1]:+.3f})' if interval else '')


def _render_encoder(control: Found) -> Iterator[str]:
  rows = [
    (when, show(control[f'mean_p_fake_{key}']), control[f'called_fake_{key}'])
    for when, key in (('as they are', 'before'), ('encoded once more', 'after'))
  ]
  yield table((f'{control["n"]} real videos', 'mean p(fake)', 'called fake'), rows)
  yield paragraph(
    f'Share of videos whose score rises: {show(control["rises"])} (95 % interval over people'
    f' {show_range(control["rises_interval"])}); 0.500 is right.'
  )


def _render_robustness(results: Found) -> Iterator[str]:
  conditions = results['conditions']
  levels = sorted({condition.partition(':')[2] for condition in conditions} - {''})
  rows = []
  for name, mean in results['mean'].items():
    measured = [conditions.get(f'{name}:{level}') for level in levels]
    cells = [show(row['auc']) if row else '' for row in measured]
    rows.append((name, show(conditions['none']['auc']), *cells, show(mean['auc'])))
  lost = {condition: len(row['without_verdict']) for condition, row in conditions.items() if row['without_verdict']}
  yield table(('AUC, video level', 'unchanged', *(f'level {level}' for level in levels), 'mean'), rows)
  without = ', '.join(f'{count} in {condition}' for condition, count in lost.items()) or 'none'
  yield paragraph(f'{results["videos"]} of {results["of"]} videos; without a verdict: {without}.')
