"""How true the maps of `inference.explain` are, measured over a part of a dataset.

In: a run and a split. Out: figures of each method with intervals over people, and the tests that it fails. A map that
fails is not shown. `lipfake explain --measure` prints the figures.
"""

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from lipfake_jax.data.batches import read_clip
from lipfake_jax.data.dataset import Split
from lipfake_jax.data.splits import draw_number
from lipfake_jax.evaluation import faithfulness, known_masks
from lipfake_jax.inference.explain import CELLS, FRAMES, METHODS, SHOWN, TRUST, find_fills, list_kinds, split_clip
from lipfake_jax.inference.occlusion import mean_logits
from lipfake_jax.inference.run import Run, digest_weights, read_input, reweigh
from lipfake_jax.scoring.intervals import Interval, bootstrap, count_people
from lipfake_jax.scoring.scores import clip_scores, group_clips

SANITY = 10  # windows whose maps are made with shuffled weights, too
GUESS, CHANCE = 'guess', 'random'  # the controls: where one points without the model, and an order by chance
RELATED = 0.5  # the rank correlation from which on a map of shuffled weights is much the same

Key = tuple[str, str]  # kind of parts, method
Figures = dict[str, float]  # of one window
Rows = dict[Key, list[tuple[int, Figures]]]  # with the windows' positions


@dataclasses.dataclass(frozen=True)
class Measured:
  """A figure of a method.

  Attributes:
    mean: over the windows.
    interval: 95 %, by bootstrap over people.
    n, people: windows, and people in them.
  """

  mean: float
  interval: Interval | None
  n: int
  people: int

  @property
  def ends(self) -> Interval:
    """Of the interval, or where there is none the mean."""
    return self.interval or (self.mean, self.mean)


Found = dict[Key, dict[str, Measured]]


def measure_maps(run: Run, split: Split, methods: Sequence[str], limit: int) -> Found:
  """All tests of some methods on the clips of a split.

  Figures, each a mean over the window of the highest score in each video:
    'deletion FILL CONTROL', 'insertion FILL CONTROL': by how much the area under the curve is better than the
      control's, in logits; above 0 the map tells more.
    'shuffled': Spearman's correlation with the map of shuffled weights, of SANITY windows.
    'gain NAME': of the pointing game, by how much the hits exceed chance; with 'hit NAME', and 'guess NAME' of the
      control that points without the model. NAME is 'pseudo', reals in which a patch or a stretch was faked, for models
      of pixels; or 'demo', its fakes.

  Args:
    run: whose scores are explained.
    split: of clips that its model takes.
    methods: names in `explain.METHODS`.
    limit: videos, drawn by their names; 0 takes all.
  """
  videos = _draw_videos(split, limit)
  rows: Rows = {}
  for test in (_test_curves, _test_shuffled, _test_pseudo_fakes, _test_demo):
    for key, position, figures in test(run, split, methods, videos):
      rows.setdefault(key, []).append((position, figures))
  groups = clip_scores(np.zeros(len(split)), split, 'mean').groups
  return {key: _summarise(found, groups) for key, found in rows.items()}


def find_faults(figures: Mapping[str, Measured]) -> list[str]:
  """The tests of whether a map tells what carries the score that it fails; none where it passes.

  It passes where deletion and insertion gain by it, against either control and by either fill, with their intervals
  above 0, and where the correlation's lies below RELATED.
  """
  wrong = {
    name: measured.ends[1] >= RELATED if name == 'shuffled' else measured.ends[0] <= 0
    for name, measured in figures.items()
    if name.startswith((*faithfulness.CURVES, 'shuffled'))
  }
  return [name for name, fails in wrong.items() if fails]


def points_to_fakes(figures: Mapping[str, Measured]) -> bool | None:
  """Whether a map is shown to tell what was faked, which is another question; None where no mask was known."""
  gains = [measured.ends[0] > 0 for name, measured in figures.items() if name.startswith('gain')]
  return all(gains) if gains else None


def write_trust(run: Run, split: Split, found: Found) -> Path:
  """Keeps beside the weights what was found about the maps that are shown, for `explain.read_trust`; returns where."""
  shown = {kind: figures for (kind, method), figures in found.items() if method == SHOWN}
  maps = {
    kind: {
      'faults': find_faults(figures),
      'points': points_to_fakes(figures),
      'figures': {name: vars(measured) for name, measured in figures.items()},
    }
    for kind, figures in shown.items()
  }
  largest = max((measured for figures in shown.values() for measured in figures.values()), key=lambda m: m.n)
  about = {'dataset': f'{split.dataset}-{split.name}', 'videos': largest.n, 'people': largest.people}
  path = run.workdir / TRUST
  path.write_text(json.dumps({'weights': digest_weights(run.meta), **about, 'maps': maps}, indent=2) + '\n')
  return path


def _draw_videos(split: Split, limit: int) -> list[list[int]]:
  """The clips of each video, of all or of some that their names draw."""
  keys = split.table['key']
  videos = sorted(group_clips(split), key=lambda positions: draw_number(f'explain/{keys[positions[0]]}', 0))
  return videos[: limit or None]


Test = Iterator[tuple[Key, int, Figures]]
Videos = Sequence[Sequence[int]]


def _find_highest(run: Run, split: Split, videos: Videos) -> list[int]:
  """The position of the window of the highest score in each video."""
  scores = [mean_logits(run.score, [read_clip(split, position) for position in positions]) for positions in videos]
  return [positions[int(np.argmax(logits))] for positions, logits in zip(videos, scores, strict=True)]


def _make_maps(run: Run, clip: np.ndarray, methods: Sequence[str], kinds: Sequence[str]) -> dict[Key, np.ndarray]:
  known = METHODS[read_input(run.meta)]
  return {(kind, name): found for name in methods for kind, found in known[name](run, clip, kinds).items()}


def _test_curves(run: Run, split: Split, methods: Sequence[str], videos: Videos) -> Test:
  for position in _find_highest(run, split, videos):
    clip, rng = read_clip(split, position), np.random.default_rng((0, position))
    maps = _make_maps(run, clip, methods, list_kinds(run))
    for kind in dict.fromkeys(kind for kind, _ in maps):
      of_kind = {name: found for (other, name), found in maps.items() if other == kind}
      for fill in find_fills(kind):
        parts = split_clip(run, clip, kind, fill)
        controls = {GUESS: parts.guess, CHANCE: rng.permutation(len(parts)).astype(float)}
        areas = faithfulness.trace_curves(run.score, parts, {**of_kind, **controls})
        for name in of_kind:
          yield (kind, name), position, _compare(areas, name, fill)


def _compare(areas: Mapping[str, tuple[float, float]], name: str, fill: str) -> Figures:
  """How much better the areas of a map are than those of the controls."""
  (deleted, inserted), found = areas[name], {}
  for control in (CHANCE, GUESS):
    found[f'deletion {fill} {control}'] = areas[control][0] - deleted
    found[f'insertion {fill} {control}'] = inserted - areas[control][1]
  return found


def _test_shuffled(run: Run, split: Split, methods: Sequence[str], videos: Videos) -> Test:
  shuffled = reweigh(run, faithfulness.shuffle_weights(run.variables, seed=0))
  for positions in videos[:SANITY]:
    clip = read_clip(split, positions[0])
    true, other = (_make_maps(each, clip, methods, list_kinds(run)) for each in (run, shuffled))
    for key, found in true.items():
      yield key, positions[0], {'shuffled': faithfulness.correlate(found, other[key])}


def _test_pseudo_fakes(run: Run, split: Split, methods: Sequence[str], videos: Videos) -> Test:
  reals = [positions[0] for positions in videos if not split.labels[positions[0]]]
  if split.feature != 'clip' or len(reals) < 2:
    return
  for position, another in zip(reals, reals[1:] + reals[:1], strict=True):
    rng, clip, other = np.random.default_rng((1, position)), read_clip(split, position), read_clip(split, another)
    for kind, fake in ((CELLS, known_masks.fake_cells), (FRAMES, known_masks.fake_frames)):
      faked, truth = fake(clip, other, rng)
      yield from _point(run, faked, truth, kind, methods, position, 'pseudo')


def _test_demo(run: Run, split: Split, methods: Sequence[str], videos: Videos) -> Test:
  if split.feature != 'clip' or split.dataset != known_masks.DEMO:
    return
  for position in (positions[0] for positions in videos if split.labels[positions[0]]):
    truth = known_masks.find_demo_cells(split, position)
    yield from _point(run, read_clip(split, position), truth, CELLS, methods, position, 'demo')


def _point(run, faked, truth, kind, methods, position, name) -> Test:
  guess = faithfulness.point(split_clip(run, faked, kind).guess, truth)
  for key, found in _make_maps(run, faked, methods, (kind,)).items():
    hit = faithfulness.point(found, truth)
    yield key, position, {f'hit {name}': hit, f'gain {name}': hit - float(truth.mean()), f'guess {name}': guess}


def _summarise(found: Iterable[tuple[int, Figures]], groups: Sequence[str]) -> dict[str, Measured]:
  """Mean, interval and numbers of each figure."""
  columns: dict[str, list[tuple[int, float]]] = {}
  for position, figures in found:
    for name, value in figures.items():
      columns.setdefault(name, []).append((position, value))
  return {name: _average(column, groups) for name, column in columns.items()}


def _average(column: Sequence[tuple[int, float]], groups: Sequence[str]) -> Measured:
  values, people = np.array([value for _, value in column]), [groups[position] for position, _ in column]
  interval = bootstrap(lambda chosen: {'mean': float(values[chosen].mean())}, people)['mean']
  return Measured(float(values.mean()), interval, len(values), count_people(people))
