"""Controls in time: what is left of a run's figures where the motion is taken away.

  python -m lipfake_jax.controls RUN --datasets=NAME[:PART],...

In: a run's best weights and what it is tested on. Out: a table, and `<workdir>/eval/<dataset>-<split>/controls.json`,
beside the run's own figures. A control by metadata is part of every evaluation, see `metadata`; that by encoding real
videos anew wants their files, see `robustness`.
"""

import argparse
import json
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lipfake_jax.compilation import keep_compiled
from lipfake_jax.errors import UserError, exit_codes
from lipfake_jax.evaluate import evaluate_split, open_run, open_tested, results_folder, score_clips, write_results
from lipfake_jax.input_pipeline import Split
from lipfake_jax.intervals import bootstrap
from lipfake_jax.metrics import Metrics, evaluate_scores
from lipfake_jax.scores import Scores, video_scores
from lipfake_jax.tables import show

FIGURES = ('auc', 'balanced_accuracy')
MEANING = 'A model of motion loses by either change of the frames; one that scores the same looks at pictures.'

Control = dict[str, Any]


def shuffle_frames(clip: np.ndarray, seed: int = 0) -> np.ndarray:
  """[T, ...] in another order, which follows from the seed and the clip: the same in any batch."""
  rng = np.random.default_rng((seed, zlib.crc32(clip.tobytes())))
  return clip[rng.permutation(len(clip))]


def hold_frame(clip: np.ndarray) -> np.ndarray:
  """[T, ...], all of them the middle one."""
  return np.repeat(clip[len(clip) // 2][None], len(clip), axis=0)


# Of each clip by itself; names as in controls.json.
CHANGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {'shuffled': shuffle_frames, 'single_frame': hold_frame}
TITLES = {'run': 'this run', 'shuffled': 'frames shuffled', 'single_frame': 'one frame, standing still'}


def run_controls(
  score: Callable[[np.ndarray], np.ndarray], test: Split, plain: Scores, threshold: float, batch_size: int, rule: str
) -> dict[str, Control]:
  """The figures of a run on a part, as it is ('run') and under each of CHANGES.

  Args:
    score: of a `Run`.
    test: what it is tested on.
    plain: its scores there.
    threshold: the run's.
    batch_size: clips at once.
    rule: of `aggregation.aggregate`.

  Returns:
    Of each 'auc' and 'balanced_accuracy'; of a change also 'auc_loss' and 'balanced_accuracy_loss', how much less than
    the run's they are, as (loss, interval) by paired bootstrap over people.
  """
  controls = {'run': _figures(plain, threshold, np.arange(len(plain)))}
  for name, change in CHANGES.items():
    logits = score_clips(_after(change, score), test, batch_size)
    controls[name] = compare_with(plain, video_scores(logits, test, rule), threshold)
  return controls


def _after(change: Callable[[np.ndarray], np.ndarray], score: Callable[[np.ndarray], np.ndarray]) -> Callable:
  return lambda clips: score(np.stack([change(clip) for clip in clips]))


def compare_with(plain: Scores, changed: Scores, threshold: float) -> Control:
  """The figures of changed clips, and what they lack to those of the plain ones."""

  def losses(chosen: np.ndarray) -> Metrics:
    before, after = (_figures(scores, threshold, chosen) for scores in (plain, changed))
    return {name: None if before[name] is None else before[name] - after[name] for name in FIGURES}

  everyone = np.arange(len(plain))
  lost, intervals = losses(everyone), bootstrap(losses, plain.groups)
  return {
    **_figures(changed, threshold, everyone),
    **{f'{name}_loss': (lost[name], intervals[name]) for name in FIGURES},
  }


def _figures(scores: Scores, threshold: float, chosen: np.ndarray) -> Metrics:
  figures = evaluate_scores(scores.labels[chosen], scores.p_fake[chosen], threshold)
  return {name: figures[name] for name in FIGURES}


def control_table(title: str, controls: dict[str, Control]) -> str:
  """For a terminal: a line a control."""
  lines = ['', title, f'{"":28}{"AUC":>8}{"lost":>8}  {"95 % interval":18}{"balanced accuracy":>18}']
  for name, control in controls.items():
    loss, interval = control.get('auc_loss', (None, None))
    between = f'{interval[0]:+.3f} to {interval[1]:+.3f}' if interval else ''
    balanced = show(control['balanced_accuracy'])
    lines.append(f'{TITLES[name]:28}{show(control["auc"]):>8}{show(loss):>8}  {between:18}{balanced:>18}')
  return '\n'.join([*lines, MEANING])


def control_workdir(workdir: Path, datasets: Sequence[str], data_dir: str | None, batch_size: int) -> None:
  """Prints and writes the controls of a run on parts of datasets, which are named as in `evaluate.evaluate_workdir`.

  Without a name it is the test part of what the run was trained on.

  Raises:
    UserError: no checkpoint, a dataset that is not built, or a model that does not look at frames.
  """
  run = open_run(workdir)
  for dataset in datasets or [run.meta['data']['dataset']]:
    test = open_tested(dataset, run.meta, data_dir)
    if test.feature == 'motion':
      raise UserError(f'{workdir}: its model takes statistics of a whole video: there are no frames to shuffle')
    evaluation = evaluate_split(run, test, data_dir, batch_size)
    controls = run_controls(run.score, test, evaluation.scores, run.decision.threshold, batch_size, run.rule)
    folder = results_folder(workdir, test)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'controls.json').write_text(json.dumps(controls, indent=2))
    write_results(workdir, evaluation)
    print(control_table(f'controls of {workdir}, on {test.dataset} ({test.name})', controls))
    print(f'written to {folder}, and shown by its report.html')


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
  with exit_codes():
    control_workdir(options.run, options.datasets, options.data_dir, options.batch_size)


if __name__ == '__main__':
  main()
