"""What the parts of a built dataset share: videos, people, ...

Lists for each split, from training, validation and test part to part: the same video,
the same content under another name, the same person, the same original, and
near-duplicates.

  lipfake audit celeb_df_v2
  lipfake audit celeb_df_v2+m2fred_wav2lip --split=identity --seed=1
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lipfake_jax.cli.arguments import DATA_DIR_HELP, create_parser

if TYPE_CHECKING:
  from lipfake_jax.data.audit import Leak


def main(arguments: Sequence[str]) -> None:
  """Prints each split of a dataset and its leaks."""
  parser = create_parser('audit', __doc__)
  parser.add_argument('dataset', metavar='DATASET', help="name of a builder, or 'a+b'")
  parser.add_argument('--config', metavar='NAME', help='builder config (default: flow_lips_60x64)')
  parser.add_argument('--data_dir', metavar='FOLDER', help=DATA_DIR_HELP)
  parser.add_argument('--split', metavar='NAME', help='identity, official or paper (default: all that the dataset has)')
  parser.add_argument('--seed', metavar='N', type=int, default=0, help='of the split (default: 0)')
  options = parser.parse_args(arguments)

  import numpy as np

  from lipfake_jax.core.clip_spec import SPECS
  from lipfake_jax.core.vocabulary import ALL
  from lipfake_jax.data import splits
  from lipfake_jax.data.audit import describe, find_leaks
  from lipfake_jax.data.batches import read_clip
  from lipfake_jax.data.dataset import DataChoice, open_split

  opened = open_split(DataChoice(options.dataset, options.config or next(iter(SPECS))), ALL, options.data_dir)
  looks = np.stack([describe(read_clip(opened, i)) for i in range(len(opened))])
  rules = [options.split] if options.split else list(splits.SPLITS)
  if not options.split and not any(opened.table['official']):
    rules.remove('official')
  tables = []
  for rule in rules:
    parts = splits.assign_parts(opened.rows, rule, options.seed)
    leaks = find_leaks(opened.rows, parts, looks)
    tables.append(f'{splits.split_table(opened.rows, rule, options.seed)}\n\n{_leak_table(opened.rows, parts, leaks)}')
  print('\n\n'.join(tables))


def _leak_table(rows: Sequence[Mapping[str, str]], parts: Sequence[str], leaks: 'Sequence[Leak]') -> str:
  """A line a leak, with an example; and how many videos can't be compared."""
  from lipfake_jax.core.people import people

  lines = [] if leaks else ['no leak found']
  for leak in leaks:
    (here, there), *_ = leak.pairs
    found = f'{len(leak.pairs):6} of {parts.count(leak.target)} in {leak.target} also in {leak.source}'
    lines.append(f'{leak.kind:15} {found}: {_name(rows[here])} has {_name(rows[there])}')
  if unknown := sum(not people(row) for row in rows):
    lines.append(f'of {unknown} of {len(rows)} clips the person is not known: who is in them can not be compared')
  return '\n'.join(lines)


def _name(row: Mapping[str, str]) -> str:
  return f'{row["key"]} ({row["identity"] or "?"})'
