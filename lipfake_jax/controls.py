"""Controls of a run: how far shortcuts get, which are not the motion of lips.

In: a run's best weights, what it was trained on and what it is tested on. Out: a table, and
`<workdir>/eval/<dataset>-<split>/controls.json`, beside the run's own figures.

  python -m lipfake_jax.controls RUN --datasets=NAME[:PART],...

- metadata: what is known of a video without a look at its frames, given to a logistic regression.
- shuffled: the run's own scores where the frames of each clip come in another order.
- single_frame: its scores where the clip's middle frame stands still.
"""

import argparse
import json
import sys
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from lipfake_jax.compilation import keep_compiled
from lipfake_jax.errors import UserError
from lipfake_jax.evaluate import FIXED_THRESHOLD, Scores, load_run, open_tested, read_threshold, score_split
from lipfake_jax.input_pipeline import Split
from lipfake_jax.metrics import evaluate_scores

# Of a video, see `clips.Clip`. `mean_activity` is not among them: it is what the lips do.
FACTS = ('fps', 'duration', 'width', 'height', 'face_share', 'mouth_width', 'sharpness', 'codec')
FLOOR = 1e-3  # of a number whose logarithm is taken: a single frame lasts 0 s

NAMES = {
  'run': 'this run',
  'shuffled': 'frames shuffled',
  'single_frame': 'one frame, standing still',
  'metadata': 'metadata alone',
}
MEANING = 'A model of motion loses by either change of the frames; one that scores the same looks at pictures.'

Control = dict[str, Any]  # 'auc', 'balanced_accuracy', and 'p_fake', float64 [N], in the order of `score_split`


def metadata_control(train: Split, test: Split) -> Control | None:
  """What the facts of a video tell of its class: a logistic regression, fitted on the training part alone.

  Args:
    train: the training part of a run.
    test: the part that it is tested on.

  Returns:
    A control at a threshold of 0.5, and as 'alone' the AUC that each fact reaches by itself; None where either part
    lacks a class. Videos count, not clips: each by its first.

  Raises:
    UserError: the table of a part lacks a fact.
  """
  ours, theirs = train.labels[_first_clips(train)], test.labels[_first_clips(test)]
  if len(np.unique(ours)) < 2 or len(np.unique(theirs)) < 2:
    return None
  features = describe_videos(train, test)
  alone = {name: _measure(theirs, fit_and_score([pair], ours))['auc'] for name, pair in features.items()}
  return {**_measure(theirs, fit_and_score(list(features.values()), ours)), 'alone': alone}


def describe_videos(train: Split, test: Split) -> dict[str, tuple[np.ndarray, np.ndarray]]:
  """Each fact as columns: float64 [N, K] of the training videos, and [M, K] of the tested ones.

  Numbers are logarithms, of mean 0 and deviation 1 over the training videos. A codec is one column for each that
  training has, and all 0 where it has none of them.
  """
  features = {}
  for name in FACTS:
    ours, theirs = (_read_fact(split, name) for split in (train, test))
    scaler = OneHotEncoder(handle_unknown='ignore', sparse_output=False) if name == 'codec' else StandardScaler()
    features[name] = (scaler.fit_transform(ours), scaler.transform(theirs))
  return features


def fit_and_score(features: Sequence[tuple[np.ndarray, np.ndarray]], labels: np.ndarray) -> np.ndarray:
  """P(fake) of the tested videos, float64 [M], by scikit-learn's logistic regression at C = 1 with balanced classes.

  Args:
    features: float64 [N, K] and [M, K] each, put side by side.
    labels: int [N], of the training videos.
  """
  ours, theirs = (np.concatenate(columns, axis=1) for columns in zip(*features, strict=True))
  model = LogisticRegression(C=1.0, class_weight='balanced', max_iter=1000)
  return model.fit(ours, labels).predict_proba(theirs)[:, 1]


def _first_clips(split: Split) -> list[int]:
  """The position of each video's first clip, in the order of `score_split`."""
  first: dict[tuple[str, str], int] = {}
  for position, video in enumerate(zip(split.table['dataset'], split.table['key'], strict=True)):
    first.setdefault(video, position)
  return list(first.values())


def _read_fact(split: Split, name: str) -> np.ndarray:
  """[N, 1]: of each video; the logarithm of a number."""
  if name not in split.table:
    raise UserError(
      f'{split.dataset} was built without {name!r} in its table: build it again, with --overwrite (the faces that were'
      ' found are kept)'
    )
  values = np.array(split.table[name])[_first_clips(split), None]
  return values if name == 'codec' else np.log(np.maximum(values, FLOOR))


def shuffle_frames(clip: np.ndarray, seed: int = 0) -> np.ndarray:
  """[T, ...] in another order, which follows from the seed and the clip: the same in any batch."""
  rng = np.random.default_rng((seed, zlib.crc32(clip.tobytes())))
  return clip[rng.permutation(len(clip))]


def hold_frame(clip: np.ndarray) -> np.ndarray:
  """[T, ...], all of them the middle one."""
  return np.repeat(clip[len(clip) // 2][None], len(clip), axis=0)


def time_control(
  score: Callable[[np.ndarray], np.ndarray],
  change: Callable[[np.ndarray], np.ndarray],
  split: Split,
  batch_size: int,
  rule: str,
) -> Scores:
  """`score_split` of clips whose frames were changed first, each clip by itself; pixels or lips."""
  return score_split(lambda clips: score(np.stack([change(clip) for clip in clips])), split, batch_size, rule)


def run_controls(
  score: Callable[[np.ndarray], np.ndarray],
  train: Split,
  test: Split,
  scores: Scores,
  threshold: float,
  batch_size: int,
  rule: str,
) -> dict[str, Control | None]:
  """All controls of a run on one part, under the keys of NAMES.

  Args:
    score: from `load_run`.
    train, test: what it was trained on, and what it is tested on.
    scores: its scores there.
    threshold: the run's.
    batch_size: clips at once.
    rule: of `aggregation.aggregate`.
  """
  controls: dict[str, Control | None] = {'run': _measure(scores.labels, scores.p_fake, threshold)}
  for name, change in (('shuffled', shuffle_frames), ('single_frame', hold_frame)):
    changed = time_control(score, change, test, batch_size, rule)
    controls[name] = _measure(changed.labels, changed.p_fake, threshold)
  return {**controls, 'metadata': metadata_control(train, test)}


def _figure(value: float | None) -> str:
  return '-' if value is None else f'{value:.3f}'


def _measure(labels: np.ndarray, p_fake: np.ndarray, threshold: float = FIXED_THRESHOLD) -> Control:
  figures = evaluate_scores(labels, p_fake, threshold)
  return {'auc': figures['auc'], 'balanced_accuracy': figures['balanced_accuracy'], 'p_fake': p_fake}


def control_table(title: str, controls: dict[str, Control | None]) -> str:
  """For a terminal: a line a control, then each fact alone, the most telling first."""
  rows = [(NAMES[name], control) for name, control in controls.items()]
  alone = (controls['metadata'] or {}).get('alone', {})
  rows += [(f'  {name} alone', {'auc': alone[name]}) for name in sorted(alone, key=alone.get, reverse=True)]
  lines = ['', title, f'{"":28}{"AUC":>8}{"balanced accuracy":>20}']
  for name, control in rows:
    auc, balanced = ((control or {}).get(figure) for figure in ('auc', 'balanced_accuracy'))
    lines.append(f'{name:28}{_figure(auc):>8}{_figure(balanced):>20}')
  return '\n'.join([*lines, MEANING])


def control_warnings(controls: dict[str, Control | None]) -> list[str]:
  """One where metadata ranks the videos at least as well as the run does: to be shown in red, beside its figures."""
  run, metadata = controls['run'], controls['metadata']
  if not run or not metadata or run['auc'] > metadata['auc']:
    return []
  telling = max(metadata['alone'], key=metadata['alone'].get)
  return [
    f'warning: metadata alone ranks these videos at least as well as this run does (AUC {metadata["auc"]:.3f} against'
    f' {run["auc"]:.3f}; {telling} by itself {metadata["alone"][telling]:.3f}): the figures of this run do not show'
    ' that it looks at lips'
  ]


def write_controls(folder: Path, controls: dict[str, Control | None]) -> None:
  """controls.json, without the scores."""
  folder.mkdir(parents=True, exist_ok=True)
  figures = {
    name: control and {figure: value for figure, value in control.items() if figure != 'p_fake'}
    for name, control in controls.items()
  }
  (folder / 'controls.json').write_text(json.dumps(figures, indent=2))


def control_workdir(workdir: Path, datasets: Sequence[str], data_dir: str | None, batch_size: int) -> None:
  """Prints and writes the controls of a run on parts of datasets, which are named as in `evaluate.evaluate_workdir`.

  Without a name it is the test part of what the run was trained on.

  Raises:
    UserError: no checkpoint, or a dataset that is not built, or was built without the facts.
  """
  score, meta = load_run(workdir)
  trained_on, rule = meta['data']['dataset'], meta['model']['aggregation']
  train = open_tested(f'{trained_on}:train', meta, data_dir)
  for dataset in datasets or [trained_on]:
    test = open_tested(dataset, meta, data_dir)
    if test.clip_shape != train.clip_shape:
      raise UserError(f'{dataset}: its clips are {test.clip_shape}, the run was trained on others {train.clip_shape}')
    scores = score_split(score, test, batch_size, rule)
    controls = run_controls(score, train, test, scores, read_threshold(workdir), batch_size, rule)
    write_controls(workdir / 'eval' / f'{test.dataset}-{test.name}', controls)
    print(control_table(f'controls of {workdir}, on {test.dataset} ({test.name})', controls))
    for warning in control_warnings(controls):
      print(f'\033[31m{warning}\033[0m' if sys.stdout.isatty() else warning)


def main(arguments: Sequence[str] | None = None) -> None:
  """The command."""
  parser = argparse.ArgumentParser(prog='python -m lipfake_jax.controls', description=__doc__.splitlines()[0])
  parser.add_argument('run', type=Path, help='workdir of a run')
  parser.add_argument(
    '--datasets', type=lambda text: text.split(','), default=[], help='NAME or NAME:PART, ... (default: its own test)'
  )
  parser.add_argument('--data_dir', help="folder of the built datasets (default: TFDS's)")
  parser.add_argument('--batch_size', type=int, default=32, help='clips at once (default: %(default)s)')
  options = parser.parse_args(arguments)
  keep_compiled()
  try:
    control_workdir(options.run, options.datasets, options.data_dir, options.batch_size)
  except UserError as error:
    print(f'error: {error}', file=sys.stderr)
    sys.exit(2)


if __name__ == '__main__':
  main()
