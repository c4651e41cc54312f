"""What each choice of the paper's released code does to the figures: runs that differ in one of them, and their table.

In: a config, in which `variants` sets the choices. Out: `<workdir>/<variant>/seed<N>/`, the workdir of each run, and
`<workdir>/<start>.md`, the table. `lipfake ablation` runs it; what was stopped goes on where it was.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import ml_collections
import numpy as np
import tensorflow_datasets as tfds

from lipfake_jax.core.errors import UserError
from lipfake_jax.core.people import people
from lipfake_jax.data.dataset import Split, open_split, read_choice
from lipfake_jax.experiments.ablation_variants import LEGACY, Variant, list_variants, make_config
from lipfake_jax.experiments.experiment import find_metrics, train_and_evaluate
from lipfake_jax.inference import checkpoints
from lipfake_jax.models import create_model
from lipfake_jax.scoring.metrics import Metrics, evaluate_scores
from lipfake_jax.scoring.verdict import read_decision
from lipfake_jax.training.validation import open_scorer

FIGURES = ('auc', 'balanced_accuracy', 'accuracy')


def run_ablation(
  config: ml_collections.ConfigDict,
  workdir: Path,
  data_dir: str | None,
  seeds: Sequence[int] = (0,),
  start: str = LEGACY,
  without: Sequence[str] = (),
) -> str:
  """Trains all variants that are not trained yet, and makes the table.

  Args:
    config: as documented in configs/default.py.
    workdir: of all runs.
    data_dir: where datasets are kept; None is TFDS's default.
    seeds: of the runs of each variant.
    start, without: as in `list_variants`.

  Raises:
    UserError: a dataset is not built, and the message has the commands for all that are missing; or a variant has no
      clips of both classes to learn from.
  """
  variants = list_variants(start, without)
  configs = {row.name: [make_config(config, row.fields, seed) for seed in seeds] for row in variants}
  _check_builds([made for made, *_ in configs.values()], data_dir)
  _check_classes({name: made for name, (made, *_) in configs.items()}, data_dir)
  figures = {}
  for row in variants:
    folders = [workdir / row.name / f'seed{seed}' for seed in seeds]
    for made, folder in zip(configs[row.name], folders, strict=True):
      print(f'\n{row.name}, seed {made.seed}')
      if not _is_finished(made, folder, data_dir):
        train_and_evaluate(made, folder, data_dir)
    runs = zip(configs[row.name], folders, strict=True)
    figures[row.name] = [measure_run(made, folder, data_dir) for made, folder in runs]
  table = ablation_table(variants, figures)
  (workdir / f'{start}.md').write_text(table)
  return table


def measure_run(config: ml_collections.ConfigDict, folder: Path, data_dir: str | None) -> Metrics:
  """Figures of a finished run by its own protocol: what the authors of such a run would report.

  Of the paper's split that is the score of validation, augmented if validation is. 'shared' is added: how many people
  are both in training and in what is reported.
  """
  weights, meta = checkpoints.restore_best(folder)
  model = create_model(meta['model']['name'], meta['model']['arguments'])
  train, test = (_open_part(config, part, data_dir, model.input) for part in ('train', 'test'))
  shared = len(_people(train) & _people(test))
  if config.data.split != 'paper':
    return {**(find_metrics(config, folder, data_dir) or {}), 'shared': shared, 'sound': not shared}
  scores = open_scorer(model.apply, config)(weights, test, meta['place']['epochs'])
  figures = evaluate_scores(scores.labels, scores.p_fake, read_decision(folder).threshold)
  return {**figures, 'shared': shared, 'sound': False}


def _is_finished(config: ml_collections.ConfigDict, folder: Path, data_dir: str | None) -> bool:
  """Whether a run of this config has been evaluated, which is the last that it does."""
  stored = folder / 'config.json'
  ours = stored.exists() and json.loads(stored.read_text()) == json.loads(config.to_json_best_effort())
  return ours and find_metrics(config, folder, data_dir) is not None


def _open_part(config: ml_collections.ConfigDict, part: str, data_dir: str | None, feature: str = 'clip') -> Split:
  return open_split(read_choice(config.data), part, data_dir, feature)


def _people(split: Split) -> set[str]:
  return {person for row in split.rows for person in people(row)}


def _check_builds(configs: Sequence[ml_collections.ConfigDict], data_dir: str | None) -> None:
  """Raises UserError with the commands that build what is missing."""
  missing = []
  wanted = {(name, made.data.builder_config) for made in configs for name in made.data.dataset.split('+')}
  for dataset, clips in sorted(wanted):
    try:
      tfds.core.read_only_builder.builder_from_files(f'{dataset}/{clips}', data_dir=data_dir)
    except tfds.core.DatasetNotFoundError:
      where = f' --data_dir={data_dir}' if data_dir else ''
      missing.append(f'tfds build data_builders/{dataset} --config={clips}{where}')
  if missing:
    raise UserError(
      'these are not built; build them first, with the --manual_dir that the dataset wants (its README says which):\n'
      + '\n'.join(missing)
    )


def _check_classes(configs: Mapping[str, ml_collections.ConfigDict], data_dir: str | None) -> None:
  """Raises UserError where training or validation lacks a class."""
  lost = [
    name
    for name, made in configs.items()
    if any(len(np.unique(_open_part(made, part, data_dir).labels)) < 2 for part in ('train', 'validation'))
  ]
  if lost:
    raise UserError(
      f'{", ".join(lost)}: clips of one class alone are left there to train on or to validate by; leave out the choice'
      ' that rejects the others, for example by --without=drop'
    )


def ablation_table(variants: Sequence[Variant], figures: Mapping[str, Sequence[Metrics]]) -> str:
  """Markdown: a row a variant, the mean over its seeds and their range; '-' where there is no sound figure."""
  header = ['variant', 'flag', 'videos', 'people in both parts', *FIGURES, *(f'sound {name}' for name in FIGURES[:2])]
  titles = (name.replace('_', ' ').replace('auc', 'AUC') for name in header)
  lines = [f'| {" | ".join(titles)} |', '|---' * len(header) + '|']
  for row in variants:
    runs = figures[row.name]
    flag = ', '.join(f'{field}={value}' for field, value in row.flags.items()) or '-'
    reported = [summarise([run[name] for run in runs]) for name in FIGURES]
    sound = reported[:2] if all(run['sound'] for run in runs) else ['-', '-']
    cells = [row.words, flag, str(runs[0]['n']), str(runs[0]['shared']), *reported, *sound]
    lines.append(f'| {" | ".join(cells)} |')
  note = (
    'Figures are what a run would report by its own protocol: mean over the seeds, and range. Sound ones are of people'
    ' whom training has not seen, in a part that chose nothing; where a split leaves no such part, there are none.'
  )
  return '\n'.join([*lines, '', note])


def summarise(values: Sequence[float | None]) -> str:
  """'.812', of several '.812 (.790-.834)': mean and range; '-' where one is undefined."""
  known = [value for value in values if value is not None]
  if len(known) < len(values):
    return '-'
  mean, low, high = (f'{value:.3f}' for value in (sum(known) / len(known), min(known), max(known)))
  return mean if len(known) == 1 else f'{mean} ({low}-{high})'
