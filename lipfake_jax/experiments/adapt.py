"""The shipped weights, trained on with somebody's own videos, and whether that made them better for these.

In: a folder of reals, and one of fakes where there are some. Out: a workdir that `lipfake detect --weights` takes, with
its videos' list and build below it, and `adapted.md`. Who is measured on was held out; `own_videos` says how.
"""

import contextlib
import math
from collections.abc import Mapping
from pathlib import Path

import ml_collections
import tensorflow_datasets as tfds

from lipfake_jax.core.clip_spec import SPECS, ClipSpec
from lipfake_jax.core.errors import UserError
from lipfake_jax.core.people import people, units
from lipfake_jax.core.vocabulary import LABELS
from lipfake_jax.data.builder import create_builder
from lipfake_jax.data.dataset import OpenPart, Split, open_split, read_choice
from lipfake_jax.data.own_videos import DATASET, ENOUGH, LIST, assign_people, check_parts, list_own, to_list
from lipfake_jax.data.pseudo_twins import add_twins
from lipfake_jax.evaluation.compare import Difference, compare_scores
from lipfake_jax.experiments.ship import ERROR, ship
from lipfake_jax.inference.detect import open_weights
from lipfake_jax.inference.run import Run, open_shipped
from lipfake_jax.inference.split_scores import score_clips
from lipfake_jax.models.shipped import load_shipped
from lipfake_jax.report.comparison_table import conclude, difference_table
from lipfake_jax.report.detect_files import replace_file
from lipfake_jax.scoring.intervals import count_people, join_people
from lipfake_jax.scoring.scores import Scores, video_scores
from lipfake_jax.training.loop import train

STEPS = 20  # of an epoch, at least: few videos are shown more often
NAMES = ('before', 'after')
REPORT = 'adapted.md'
ONLY_FAKES = (
  '--fake alone: pseudo-fakes are made of reals, and fakes do not show what real faces of their source look like; a'
  ' model that sees fakes alone learns to call everything fake. Name real videos that were recorded like them, with'
  ' --real=FOLDER (their originals are best)'
)


def adapt(folders: Mapping[str, Path], config: ml_collections.ConfigDict, workdir: Path) -> str:
  """Builds, trains, sets limits and compares; what was done before is not done again.

  Args:
    folders: by label: of 'real', and of 'fake' where there are fakes; without them pseudo-fakes stand for them.
    config: as configs/adapt.py; model, clips and dataset are set here, to those of the shipped weights.
    workdir: of the run, and of all else that is written.

  Returns:
    What to tell people: figures before and after, and what may be said of them.

  Raises:
    UserError: no reals, too few people, or a workdir that was adapted to other videos.
    Interrupted: a signal came; the same command goes on.
  """
  if 'real' not in folders:
    raise UserError(ONLY_FAKES)
  follow_shipped(config)
  data_dir = str(workdir / 'data')
  build(folders, workdir, data_dir, config.data.builder_config)
  open_part: OpenPart = open_split if 'fake' in folders else _open_with_twins
  if 'fake' not in folders:
    config.pseudo.share = 1.0
  clips = len(open_part(read_choice(config.data), 'train', data_dir, 'clip'))
  config.pseudo.rounds = max(config.pseudo.rounds, math.ceil(STEPS * config.train.batch_size / clips))
  train(config, workdir, data_dir, open_part)
  lines = [set_limits(config, workdir, data_dir, open_part), '', *compare(config, workdir, data_dir, open_part)]
  if 'fake' not in folders:
    lines += ['', 'All fakes above are pseudo-fakes, made of the reals: how well others are found was not measured.']
  text = '\n'.join(lines)
  replace_file(workdir / REPORT, text + '\n')
  return text


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
  if (root / LIST).exists() and (root / LIST).read_text() != text:
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
  needed = math.ceil(1 / ERROR - 1)
  if fewest < needed:
    return f'one threshold, no limits: {fewest} people of a class are in validation, and {needed} are needed for them'
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
  unknown = sum(not people(row) for row in split.rows)
  held_out = f'{len(before)} videos of {count_people(before.groups)} people, held out'
  return [held_out, '', difference_table(difference, NAMES), '', claim(difference, before.groups, unknown)]


def claim(difference: Difference, groups: list[str], unknown: int) -> str:
  """What may be said of the difference: nothing on fewer than ENOUGH people, or where it is not known who is who."""
  count = count_people(groups)
  if unknown:
    return (
      f'nothing can be claimed: nobody knows who is in {unknown} of the clips held out, so that the same people may be'
      ' in training; put the videos of each person into a folder of their own, or list them with the column identity'
    )
  if count < ENOUGH:
    return f'nothing can be claimed: {count} people are held out, and {ENOUGH} are needed; add videos of more people'
  words = conclude(difference, NAMES)
  return f'{words}; of other videos than these it says nothing'


def _score(run: Run, split: Split, batch_size: int) -> Scores:
  return video_scores(score_clips(run.score, split, batch_size), split, run.rule)


def _open_with_twins(choice, part: str, data_dir: str | None, feature: str) -> Split:
  return add_twins(open_split(choice, part, data_dir, feature))
