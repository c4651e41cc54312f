"""How well towers tell a mouth's own sound from others: on the real videos of a part, and on its fakes.

In: a run of `av_sync` and a dataset with sound. Out: rows of figures, by what was done to the sound. The score of a
video is minus its confidence, so that more is more like a fake; no fake was trained on. A head is fitted to the same
changes of other real videos.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lipfake_jax.core.errors import UserError
from lipfake_jax.data.pairs import Pairs, keep, read_pairs
from lipfake_jax.inference.sync import measure_clips, score_head
from lipfake_jax.inference.towers import Towers
from lipfake_jax.scoring.fusion import Fusion, fit_fusion
from lipfake_jax.scoring.intervals import Interval, bootstrap
from lipfake_jax.scoring.metrics import rank_metrics
from lipfake_jax.scoring.sync import Sync, describe_curve, find_sync

SHIFT = 5  # frames, 200 ms at 25 per second
FOUND_MS = 40  # an offset so far from the true one counts as found
STRETCHES = (0.85, 1.15)  # of the sound's length, by turns
LEARNT = ('head_auc', 'head_interval')  # of a row where there is a head

Video = tuple[np.ndarray, np.ndarray]  # its looks and its sounds, [B, T, ...] each
Row = dict[str, Any]


def measure_sync(towers: Towers, reals: Pairs, fakes: Pairs | None, head: Fusion | None = None) -> list[Row]:
  """A row for each kind of fake: 'kind', 'videos', 'auc' against the reals, its 'interval' over people, 'found'.

  'found' is the share of videos whose offset is within FOUND_MS of the one with their own sound, moved by the shift;
  None where there is no true one. With a head also 'head_auc' and 'head_interval', of its scores.

  Args:
    towers: of `open_towers`.
    reals: with at least two people in them.
    fakes: of the dataset itself, if it has any.
    head: of `fit_head`, on other people.

  Raises:
    UserError: no real video has sound.
  """
  videos, people = read_videos(reals)
  if not videos:
    raise UserError(f'{reals.looks.dataset} {reals.looks.name} has no real video with sound: choose another part')
  own = [_measure(towers, video) for video in videos]
  others = pick_others(people)
  rows = [_row('its own sound', own, people, own, people, 0, head)]
  for kind, change, late_ms in _changes(videos, others, towers.spec.rate):
    changed = [_measure(towers, change(number)) for number in range(len(videos))]
    rows.append(_row(kind, own, people, changed, people, late_ms, head))
  made, whose = read_videos(fakes) if fakes is not None else ([], [])
  if made:
    theirs = [_measure(towers, video) for video in made]
    rows.append(_row("the dataset's fakes", own, people, theirs, whose, None, head))
  return rows


def fit_head(towers: Towers, reals: Pairs) -> Fusion | None:
  """Weights of what distance curves tell (`describe_curve`), fitted to real videos and to changes of their sound.

  Of each person their own sounds weigh as much as all changes. None where there are too few people, see `fit_fusion`.
  """
  videos, people = read_videos(reals)
  if len(set(people)) < 2:  # nobody else can be heard in a video's place
    return None
  changes = [change for _, change, _ in _changes(videos, pick_others(people), towers.spec.rate)]
  syncs = [_measure(towers, video) for video in videos]
  syncs += [_measure(towers, change(number)) for change in changes for number in range(len(videos))]
  groups = [*people, *[f'{who}, changed' for who in people] * len(changes)]
  told = [describe_curve(sync) for sync in syncs]
  head = fit_fusion(
    {name: np.array([one[name] for one in told]) for name in told[0]}, np.arange(len(syncs)) >= len(videos), groups
  )
  return Fusion(head.names, {head.names: head.sets[head.names]}) if head.names in head.sets else None


def measure_own(towers: Towers, reals: Pairs) -> list[float]:
  """The confidence of each real video with its own sound."""
  return [_measure(towers, video).confidence for video in read_videos(reals)[0]]


def read_videos(pairs: Pairs) -> tuple[list[Video], list[str]]:
  """Looks and sounds of each video with sound, and who is in it: where that is not known, the video."""
  pairs, videos, people = keep(pairs, pairs.heard), [], []
  keys = np.array(pairs.keys)
  for key in dict.fromkeys(pairs.keys):
    members = np.flatnonzero(keys == key)
    read = read_pairs(pairs, members)
    videos.append((read['look'], read['sound']))
    people.append(pairs.people[members[0]] or key)
  return videos, people


def pick_others(people: Sequence[str]) -> list[int]:
  """For each video the next one that shows somebody else."""
  count = len(people)
  return [
    next(other % count for other in range(number + 1, number + count + 1) if people[other % count] != who or count == 1)
    for number, who in enumerate(people)
  ]


def shift_sound(video: Video, frames: int) -> Video:
  """Sound that comes so many frames later: what is left of both."""
  looks, sounds = video
  if frames < 0:
    return looks[:, :frames], sounds[:, -frames:]
  return looks[:, frames:], sounds[:, : sounds.shape[1] - frames]


def stretch_sound(video: Video, factor: float) -> Video:
  """Sound that takes so many times as long, about the middle of each clip; where it ends early, its end stands."""
  looks, sounds = video
  count, frames, rows, bands = sounds.shape
  flat, middle = sounds.reshape(count, frames * rows, bands), (frames * rows - 1) / 2
  source = np.clip((np.arange(frames * rows) - middle) / factor + middle, 0, frames * rows - 1)
  return looks, flat[:, source.round().astype(int)].reshape(sounds.shape)


def swap_sound(video: Video, other: Video) -> Video:
  """What another says; of its clips as many as are needed, in turn."""
  looks, sounds = video[0], other[1]
  return looks, sounds[np.arange(len(looks)) % len(sounds)]


def _changes(
  videos: Sequence[Video], others: Sequence[int], rate: float
) -> list[tuple[str, Callable[[int], Video], float | None]]:
  """What is done to the sound: in words, by the video's number, and by how many milliseconds it then comes later."""
  shift_ms = 1000 * SHIFT / rate
  return [
    ("another's sound", lambda number: swap_sound(videos[number], videos[others[number]]), None),
    ('stretched', lambda number: stretch_sound(videos[number], STRETCHES[number % 2]), None),
    (f'{shift_ms:g} ms late', lambda number: shift_sound(videos[number], SHIFT), shift_ms),
    (f'{shift_ms:g} ms early', lambda number: shift_sound(videos[number], -SHIFT), -shift_ms),
  ]


def _measure(towers: Towers, video: Video) -> Sync:
  return find_sync(measure_clips(towers, *video), towers.spec.rate)


def _row(
  kind: str,
  own: Sequence[Sync],
  people: Sequence[str],
  changed: Sequence[Sync],
  whose: Sequence[str],
  late_ms: float | None,
  head: Fusion | None,
) -> Row:
  labels = np.arange(len(own) + len(changed)) >= len(own)
  syncs, groups = [*own, *changed], [*people, *whose]
  auc, interval = _rank(labels, -np.array([sync.confidence for sync in syncs]), groups)
  learnt = dict(zip(LEARNT, _rank(labels, np.array(score_head(head, syncs)), groups), strict=True)) if head else {}
  found = None
  if late_ms is not None:
    offsets = [after.offset_ms - before.offset_ms - late_ms for before, after in zip(own, changed, strict=True)]
    found = float(np.mean(np.abs(offsets) <= FOUND_MS))
  return {
    'kind': kind,
    'videos': len(changed),
    'auc': auc,
    'interval': interval,
    **learnt,
    'found': found,
    'offset_ms': float(np.median([sync.offset_ms for sync in changed])),
    'confidence': float(np.median([sync.confidence for sync in changed])),
  }


def _rank(labels: np.ndarray, scores: np.ndarray, groups: Sequence[str]) -> tuple[float | None, Interval | None]:
  """The AUC and its interval."""

  def figures(drawn: np.ndarray) -> dict[str, float | None]:
    return {'auc': rank_metrics(labels[drawn], scores[drawn])['auc']}

  return figures(np.arange(len(labels)))['auc'], bootstrap(figures, groups)['auc']
