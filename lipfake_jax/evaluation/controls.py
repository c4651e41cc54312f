"""Controls of a run: where its figures may come from, if not from how lips move.

  python -m lipfake_jax.evaluation.controls RUN --datasets=NAME[:PART],...
  python -m lipfake_jax.evaluation.controls RUN --datasets=NAME[:PART] --reencode --manual_dir=FOLDER

In: a run and what it is tested on. Out: tables, and beside the run's own figures in `<workdir>/eval/<dataset>-<split>/`
controls.json, which says what is left where the motion is taken away, and with --reencode reencoding.json, which tells
real videos from the same encoded once more: a detector that can has learned the encoder. A control by metadata is part
of every evaluation, see `metadata`.
"""

import argparse
import functools
import json
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lipfake_jax.clips.clips import Rejection
from lipfake_jax.core.errors import exit_codes
from lipfake_jax.core.vocabulary import VideoRecord
from lipfake_jax.data.dataset import Split
from lipfake_jax.evaluation.measure import evaluate_split
from lipfake_jax.evaluation.tested import open_tested, results_folder
from lipfake_jax.inference.compilation import keep_compiled
from lipfake_jax.inference.run import digest_weights, open_run, score_clips
from lipfake_jax.report.results import write_results
from lipfake_jax.report.tables import show
from lipfake_jax.scoring.intervals import bootstrap
from lipfake_jax.scoring.metrics import Metrics, evaluate_scores, rank_metrics
from lipfake_jax.scoring.scores import Scores, video_scores

if TYPE_CHECKING:
  from lipfake_jax.evaluation.perturbed import Judge

FIGURES = ('auc', 'balanced_accuracy')
REENCODED = 'reencode:1'
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


def reencoding_control(judge: 'Judge', videos: Sequence[VideoRecord], threshold: float) -> Control:
  """Real videos against the same, encoded once more (H.264, crf 23).

  Returns:
    'auc': of telling the re-encoded ones, as if they were the fakes; .5 is right, and far from it on either side the
    detector has learned the encoder. 'n': videos with a verdict on both. 'mean_p_fake_' and 'called_fake_' 'before' and
    'after': of these n, the latter a number of videos. 'without_verdict': the others, by name.
  """
  reals = [video for video in videos if video.label == 'real']
  before, after = judge(reals, ''), judge(reals, REENCODED)
  pairs = [pair for pair in zip(before, after, strict=True) if not any(isinstance(p, Rejection) for p in pair)]
  scores = np.array(pairs, float).reshape(-1, 2).T
  labels = np.repeat([False, True], len(pairs))
  figures: Control = {'auc': rank_metrics(labels, scores.ravel())['auc'], 'n': len(pairs)}
  for when, p_fake in zip(('before', 'after'), scores, strict=True):
    figures[f'mean_p_fake_{when}'] = float(p_fake.mean()) if pairs else None
    figures[f'called_fake_{when}'] = int((p_fake > threshold).sum())
  lost = {p.key: f'{p.reason} ({p.detail})' for p in (*before, *after) if isinstance(p, Rejection)}
  return {**figures, 'threshold': threshold, 'without_verdict': lost}


def control_workdir(workdir: Path, datasets: Sequence[str], data_dir: str | None, batch_size: int) -> None:
  """Prints and writes the controls of a run on parts of datasets, which are named as in `evaluate_workdir`.

  Without a name it is the test part of what the run was trained on. Of a model that does not look at frames only the
  page is written anew.

  Raises:
    UserError: no checkpoint, or a dataset that is not built.
  """
  run = open_run(workdir)
  for dataset in datasets or [run.meta['data']['dataset']]:
    test = open_tested(dataset, run.meta, data_dir)
    evaluation = evaluate_split(run, test, data_dir, batch_size)
    folder = results_folder(workdir, test, run.meta)
    folder.mkdir(parents=True, exist_ok=True)
    if test.feature == 'motion':
      print(f'{workdir}: its model takes statistics of a whole video: there are no frames to shuffle')
    else:
      controls = run_controls(run.score, test, evaluation.scores, run.decision.threshold, batch_size, run.rule)
      (folder / 'controls.json').write_text(json.dumps({'weights': digest_weights(run.meta), **controls}, indent=2))
      print(control_table(f'controls of {workdir}, on {test.dataset} ({test.name})', controls))
    write_results(workdir, evaluation, run.meta)
    print(f'written to {folder}, and shown by its report.html')


def reencode_workdir(
  workdir: Path, dataset: str, manual_dir: str | None, data_dir: str | None, limit: int, batch_size: int
) -> None:
  """Prints and writes the control by encoding real videos once more; arguments as those of the command.

  Raises:
    UserError: no checkpoint, a dataset that is not built, or a folder that lacks its videos.
  """
  from lipfake_jax.evaluation import perturbed  # here: it wants TensorFlow, to find the files of a dataset

  run, data_dir = open_run(workdir), perturbed.find_data_dir(data_dir)
  part, found = perturbed.find_tested(dataset or run.meta['data']['dataset'], run.meta, data_dir, manual_dir)
  judge = functools.partial(perturbed.judge_videos, run, Path(data_dir) / 'clip_cache', batch_size)
  control = reencoding_control(judge, perturbed.limit_videos(found, limit), run.decision.threshold)
  folder = workdir / 'eval' / part
  folder.mkdir(parents=True, exist_ok=True)
  (folder / 'reencoding.json').write_text(json.dumps({'weights': digest_weights(run.meta), **control}, indent=2))
  print(f'\n{part}, real videos encoded once more:')
  print(*(f'{name}: {value}' for name, value in control.items()), sep='\n')


def main(arguments: Sequence[str] | None = None) -> None:
  """The command."""
  parser = argparse.ArgumentParser(
    prog='python -m lipfake_jax.evaluation.controls',
    description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )
  parser.add_argument('run', type=Path, help='workdir of a run')
  parser.add_argument(
    '--datasets', type=lambda text: text.split(','), default=[], help='NAME or NAME:PART, ... (default: its own test)'
  )
  parser.add_argument('--reencode', action='store_true', help='real videos against the same, encoded once more, too')
  parser.add_argument('--manual_dir', help='with --reencode: the folder of its videos, as it was built from')
  parser.add_argument('--limit', type=int, default=0, help='with --reencode: take this many videos, half of them real')
  parser.add_argument('--data_dir', help="folder of the built datasets (default: TFDS's)")
  parser.add_argument('--batch_size', type=int, default=32, help='clips at once (default: %(default)s)')
  options = parser.parse_args(arguments)
  keep_compiled()
  with exit_codes():
    if options.reencode:
      for dataset in options.datasets or ['']:
        where = (options.manual_dir, options.data_dir)
        reencode_workdir(options.run, dataset, *where, options.limit, options.batch_size)
    control_workdir(options.run, options.datasets, options.data_dir, options.batch_size)


if __name__ == '__main__':
  main()
