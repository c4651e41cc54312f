"""An experiment with towers: training, what real videos look like to them, and how well they tell.

In: a config or a workdir. Out: the workdir's reals.json, `eval/<dataset>-<part>/towers.json` and a table. Next stages:
`inference.sync` and `inference.person`.
"""

import json
from pathlib import Path
from typing import Any

import ml_collections

from lipfake_jax.data.dataset import read_choice
from lipfake_jax.data.pairs import Pairs, open_pairs
from lipfake_jax.data.splits import split_name
from lipfake_jax.evaluation.person import measure_people
from lipfake_jax.evaluation.sync import fit_head, measure_own, measure_sync
from lipfake_jax.inference.sync import read_head, write_head, write_reals
from lipfake_jax.inference.towers import Towers, open_towers
from lipfake_jax.report.tower_table import tower_table
from lipfake_jax.training.contrastive import train_towers


def train_and_calibrate(config: ml_collections.ConfigDict, workdir: Path, data_dir: str | None) -> None:
  """Trains towers; of `av_sync`, keeps how validation's reals agree with their own sound, and a head of training's.

  Raises:
    UserError, Interrupted: as `train_towers`.
  """
  train_towers(config, workdir, data_dir)
  if config.model.name == 'av_sync':
    towers = open_towers(workdir, config.model.name)
    write_reals(workdir, measure_own(towers, _open(towers, 'validation', data_dir, 0)))
    if head := fit_head(towers, _open(towers, 'train', data_dir, 0)):
      write_head(workdir, head)


def measure_run(workdir: Path, data_dir: str | None, part: str) -> str:
  """Figures of a run on a part of the dataset that it was trained on, as a table for people; kept as JSON, too.

  Raises:
    UserError: no run, no dataset, or no clip of it in the part.
  """
  towers = open_towers(workdir)
  choice = read_choice(towers.meta['data'])
  reals, fakes = (_open(towers, part, data_dir, label) for label in (0, 1))
  moments = towers.model.objective == 'moments'
  rows: list[dict[str, Any]] = (
    measure_sync(towers, reals, fakes, read_head(workdir)) if moments else measure_people(towers, reals, fakes)
  )
  folder = workdir / 'eval' / f'{choice.dataset}-{split_name(choice.split, part)}'
  folder.mkdir(parents=True, exist_ok=True)
  (folder / 'towers.json').write_text(json.dumps(rows, indent=2) + '\n')
  return tower_table(f'{choice.dataset} {part}', rows)


def _open(towers: Towers, part: str, data_dir: str | None, label: int) -> Pairs:
  return open_pairs(read_choice(towers.meta['data']), part, data_dir, towers.model.inputs, label)
