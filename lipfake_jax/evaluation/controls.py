"""Controls of a run: where its figures may come from, if not from how lips move.

In: a run and what it is tested on. Out: what is left of its figures where the motion is taken away; and how well it
tells real videos from the same encoded once more: a detector that can has learned the encoder. `lipfake controls`
writes both. A control by metadata is part of every evaluation, see `shortcut`.
"""

import zlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lipfake_jax.clips.clips import Rejection
from lipfake_jax.core.people import units
from lipfake_jax.core.vocabulary import VideoRecord
from lipfake_jax.data.dataset import Split
from lipfake_jax.inference.split_scores import score_clips
from lipfake_jax.scoring.intervals import LEVEL, Interval, bootstrap, count_people, join_people
from lipfake_jax.scoring.metrics import Metrics, evaluate_scores
from lipfake_jax.scoring.scores import Scores, video_scores

if TYPE_CHECKING:
  from lipfake_jax.evaluation.perturbed_scores import ScorePerturbed

FIGURES = ('auc', 'balanced_accuracy')
REENCODED = 'reencode:1'

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


def reencoding_control(score: 'ScorePerturbed', videos: Sequence[VideoRecord], threshold: float) -> Control:
  """Real videos against the same, encoded once more (H.264, crf 23).

  Args:
    score: as `perturbed_scores.score_perturbed`, of a run.
    videos: of which the real ones are taken.
    threshold: the run's.

  Returns:
    'rises': the share of videos whose score is higher after it, P(after > before), ties counting half; .5 is right, and
    far from it on either side the score tells the encoder. 'rises_interval': 95 %, by paired bootstrap over people, see
    `rise_interval`. 'n': videos with a verdict on both, of 'n_people'. 'mean_p_fake_' and 'called_fake_' 'before' and
    'after': of these n, the latter a number of videos. 'without_verdict': the others, by name.
  """
  reals = [video for video in videos if video.label == 'real']
  before, after = score(reals, ''), score(reals, REENCODED)
  judged = [
    (video, pair)
    for video, *pair in zip(reals, before, after, strict=True)
    if not any(isinstance(p, Rejection) for p in pair)
  ]
  scores = np.array([pair for _, pair in judged], float).reshape(-1, 2).T
  groups = [join_people(units(vars(video))) for video, _ in judged]
  rises = (np.sign(scores[1] - scores[0]) + 1) / 2
  figures: Control = {
    'rises': float(rises.mean()) if judged else None,
    'rises_interval': rise_interval(rises, groups) if judged else None,
    'n': len(judged),
    'n_people': count_people(groups),
  }
  for when, p_fake in zip(('before', 'after'), scores, strict=True):
    figures[f'mean_p_fake_{when}'] = float(p_fake.mean()) if judged else None
    figures[f'called_fake_{when}'] = int((p_fake > threshold).sum())
  lost = {p.key: f'{p.reason} ({p.detail})' for p in (*before, *after) if isinstance(p, Rejection)}
  return {**figures, 'threshold': threshold, 'without_verdict': lost}


def rise_interval(rises: np.ndarray, groups: Sequence[str]) -> Interval | None:
  """The 95 % interval of the share of videos whose score rises; None of one person.

  Where all rise, or none, the draws have no width. The exact interval of n people has (Clopper and Pearson 1934): that
  of five who all rise holds .5, that of six does not, as in a sign test.

  Args:
    rises: float [N]: 1 for a score that rises, 0.5 for one that stays, 0 for one that falls.
    groups: who is in each, as for `bootstrap`.
  """
  found = bootstrap(lambda chosen: {'rises': float(rises[chosen].mean())}, groups)['rises']
  if found is None:
    return None
  low, high = found
  least = ((1 - LEVEL) / 2) ** (1 / count_people(groups))
  return (min(low, least) if (rises == 1).all() else low, max(high, 1 - least) if (rises == 0).all() else high)
