"""The shipped weights, trained on with somebody's own videos, and whether that made them better for these.

In: a folder of reals, of fakes, or both. Out: a workdir that `lipfake detect --weights` takes, with
its videos' list and build below it, and `adapted.md`. Who is measured on was held out; `own_videos` says how.
"""

import contextlib
import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import ml_collections
import numpy as np
import tensorflow_datasets as tfds

from lipfake_jax.core.clip_spec import SPECS, ClipSpec
from lipfake_jax.core.errors import UserError
from lipfake_jax.core.people import people, units
from lipfake_jax.core.vocabulary import LABELS, PARTS
from lipfake_jax.data.builder import create_builder
from lipfake_jax.data.dataset import OpenPart, Split, open_split, read_choice
from lipfake_jax.data.own_videos import DATASET, ENOUGH, LIST, assign_people, check_parts, list_own, to_list
from lipfake_jax.data.pseudo_twins import add_twins
from lipfake_jax.evaluation.compare import Difference, compare_scores
from lipfake_jax.experiments.ship import ERROR, ship
from lipfake_jax.inference.detect import open_weights
from lipfake_jax.inference.run import Run, open_shipped
from lipfake_jax.inference.split_scores import score_clips
from lipfake_jax.models.shipped import load_shipped, save_shipped
from lipfake_jax.report.comparison_table import conclude, difference_table
from lipfake_jax.report.detect_files import replace_file
from lipfake_jax.scoring.conformal import Limits, decide_within, fewest_people, fit_lower
from lipfake_jax.scoring.intervals import bootstrap, count_people, join_people
from lipfake_jax.scoring.scores import Scores, video_scores
from lipfake_jax.training.loop import train

STEPS = 20  # of an epoch, at least: few videos are shown more often
NAMES = ('before', 'after')
REPORT = 'adapted.md'


def adapt(folders: Mapping[str, Path], config: ml_collections.ConfigDict, workdir: Path) -> str:
  """Builds, trains, sets limits and compares; what was done before is not done again.

  Args:
    folders: by label. Without 'fake' pseudo-fakes stand for fakes; without 'real' a limit is set, see `adapt_limit`.
    config: as configs/adapt.py; model, clips and dataset are set here, to those of the shipped weights.
    workdir: of the run, and of all else that is written.

  Returns:
    What to tell people: figures before and after, and what may be said of them.

  Raises:
    UserError: too few people, or a workdir that was adapted to other videos.
    Interrupted: a signal came; the same command goes on.
  """
  follow_shipped(config)
  data_dir = str(workdir / 'data')
  build(folders, workdir, data_dir, config.data.builder_config)
  adapted = adapt_weights if 'real' in folders else adapt_limit
  text = '\n'.join(adapted(folders, config, workdir, data_dir))
  replace_file(workdir / REPORT, text + '\n')
  return text


def adapt_weights(
  folders: Mapping[str, Path], config: ml_collections.ConfigDict, workdir: Path, data_dir: str
) -> list[str]:
  """Trains on reals, and on fakes or pseudo-fakes; what to tell people."""
  open_part: OpenPart = open_split if 'fake' in folders else _open_with_twins
  if 'fake' not in folders:
    config.pseudo.share = 1.0
  clips = len(open_part(read_choice(config.data), 'train', data_dir, 'clip'))
  config.pseudo.rounds = max(config.pseudo.rounds, math.ceil(STEPS * config.train.batch_size / clips))
  train(config, workdir, data_dir, open_part)
  lines = [set_limits(config, workdir, data_dir, open_part), '', *compare(config, workdir, data_dir, open_part)]
  if 'fake' not in folders:
    lines += ['', 'All fakes above are pseudo-fakes, made of the reals: how well others are found was not measured.']
  return lines


def adapt_limit(
  folders: Mapping[str, Path], config: ml_collections.ConfigDict, workdir: Path, data_dir: str
) -> list[str]:
  """What fakes alone can teach: the score below which nothing is called real. The weights stay as they are.

  Pseudo-fakes are made of reals, not the reverse, and weights that see fakes alone learn to call everything fake.
  """
  del folders
  choice, size = read_choice(config.data), config.eval.batch_size
  weights, meta = load_shipped()
  run = open_shipped()
  chosen = [_score(run, open_split(choice, part, data_dir), size) for part in PARTS[:2]]
  groups = [group for scores in chosen for group in scores.groups]
  if (found := len(set(groups))) < (needed := fewest_people(ERROR)):
    raise UserError(f'fakes alone set a limit, by {needed} people who are not held out: there are {found}; add more')
  lower = fit_lower(np.concatenate([scores.p_fake for scores in chosen]), groups, ERROR)
  before = Limits(**meta['limits'])
  after = dataclasses.replace(before, fake=min(before.fake, lower))
  about = {'version': 'adapted', 'training': 'lipfake adapt', 'limits': dataclasses.asdict(after)}
  save_shipped(weights, {**meta, **about}, workdir)
  held_out = open_split(choice, 'test', data_dir)
  scores = _score(run, held_out, size)
  lines = [
    'fakes alone move no weights: there is no real face beside them. They set the score below which nothing is',
    f'called real: {before.fake:.3f} before, {after.fake:.3f} after. How many reals that costs, reals alone can tell.',
    '',
  ]
  return [*lines, *count_missed(scores, (before, after), _find_doubt(held_out, scores.groups))]


def count_missed(scores: Scores, limits: tuple[Limits, Limits], doubt: str) -> list[str]:
  """How many fakes are called real within limits before and after, and what may be claimed."""
  missed = [np.array([decide_within(p, found) == 'real' for p in scores.p_fake]) for found in limits]
  change = missed[1].astype(float) - missed[0]
  [interval] = bootstrap(lambda chosen: {'missed': change[chosen].mean()}, scores.groups).values()
  people_words = f'{len(scores)} fakes of {count_people(scores.groups)} people, held out'
  line = f'{people_words}: {missed[0].sum()} were called real before, {missed[1].sum()} are after'
  if doubt or interval is None:
    return [line, '', doubt or 'nothing can be claimed of one person']
  verdict = 'fewer are called real' if interval[1] < 0 else 'not shown to differ'
  return [line, '', f'{verdict}: {change.mean():+.3f} of them (95 % interval {interval[0]:+.3f} to {interval[1]:+.3f})']


def follow_shipped(config: ml_collections.ConfigDict) -> None:
  """Sets a config's model, clips and dataset to those of the shipped weights."""
  _, meta = load_shipped()
  model = meta['model']
  config.model.update({'name': model['name'], 'aggregation': model['aggregation'], model['name']: model['arguments']})
  builder_config = next(name for name, spec in SPECS.items() if spec == ClipSpec(**meta['clip']))
  config.data.update({'dataset': DATASET, 'builder_config': builder_config})


def build(folders: Mapping[str, Path], workdir: Path, data_dir: str, builder_config: str) -> None:
  """Lists the videos with their parts, in `workdir/videos`, which links to the folders, and builds the dataset."""
  assigned = assign_people(list_own(folders))
  check_parts(assigned)
  root, text = workdir / 'videos', to_list(assigned)
  if (root / LIST).exists() and (root / LIST).read_text('utf-8') != text:
    raise UserError(f'{workdir} was adapted to other videos, or to other people: choose another --out')
  root.mkdir(parents=True, exist_ok=True)
  for label, folder in folders.items():
    with contextlib.suppress(FileExistsError):
      (root / label).symlink_to(folder.resolve())
  replace_file(root / LIST, text)
  if left_out := sum(not part for _, part in assigned):
    print(f'{left_out} videos are left out: their people are in several parts')
  builder = create_builder(DATASET, builder_config, data_dir)
  builder.download_and_prepare(download_config=tfds.download.DownloadConfig(manual_dir=str(root)))


def set_limits(config: ml_collections.ConfigDict, workdir: Path, data_dir: str, open_part: OpenPart) -> str:
  """Sets the scores between which the run is silent, where there are people enough; says which they are, or why not."""
  split = open_part(read_choice(config.data), 'validation', data_dir, 'clip')
  shown = [{join_people(units(row)) for row in split.rows if row['label'] == label} for label in LABELS]
  fewest = min(map(len, shown))
  if fewest < (needed := fewest_people(ERROR)):
    return f'one threshold, no limits: they take {needed} people of each class in validation, of one it has {fewest}'
  limits = ship(workdir, data_dir, 'adapted', 'lipfake adapt', workdir, config.eval.batch_size, open_part)
  low, high = sorted((limits.real, limits.fake))
  return f'real below {low:.3f}, fake above {high:.3f}, inconclusive between: at an error of {ERROR:.0%}'


def compare(config: ml_collections.ConfigDict, workdir: Path, data_dir: str, open_part: OpenPart) -> list[str]:
  """Figures of the shipped and the adapted weights on the people held out, and what may be claimed."""
  split = open_part(read_choice(config.data), 'test', data_dir, 'clip')
  runs = open_shipped(), open_weights(str(workdir))
  before, after = (_score(run, split, config.eval.batch_size) for run in runs)
  thresholds = [run.decision.threshold for run in runs]
  difference = compare_scores(before.labels, [before.p_fake, after.p_fake], thresholds, before.groups)
  held_out = f'{len(before)} videos of {count_people(before.groups)} people, held out'
  return [held_out, '', difference_table(difference, NAMES), '', claim(difference, _find_doubt(split, before.groups))]


def claim(difference: Difference, doubt: str) -> str:
  """What may be said of the difference, where there is no doubt who was held out."""
  return doubt or f'{conclude(difference, NAMES)}; of other videos than these it says nothing'


def find_doubt(groups: Sequence[str], unknown: int) -> str:
  """Why nothing can be claimed: there are fewer than ENOUGH people, or of some clips it is not known who it is."""
  if unknown:
    return (
      f'nothing can be claimed: nobody knows who is in {unknown} of the clips held out, so that the same people may be'
      ' in training; put the videos of each person into a folder of their own, or list them with the column identity'
    )
  if (count := count_people(groups)) < ENOUGH:
    return f'nothing can be claimed: that takes {ENOUGH} people who are held out, here it is {count}; add more people'
  return ''


def _find_doubt(split: Split, groups: Sequence[str]) -> str:
  return find_doubt(groups, sum(not people(row) for row in split.rows))


def _score(run: Run, split: Split, batch_size: int) -> Scores:
  return video_scores(score_clips(run.score, split, batch_size), split, run.rule)


def _open_with_twins(choice, part: str, data_dir: str | None, feature: str) -> Split:
  return add_twins(open_split(choice, part, data_dir, feature))
