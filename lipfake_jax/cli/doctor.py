"""Looks at a dataset before its build: what is there, time, room.

Counts what is there against what was published, names what is missing or can't be
read, and measures on a few videos how long the build will take. Ends with the line
that builds it, or with exit code 2 and the remedy.

  lipfake doctor celeb_df_v2 --manual_dir=FOLDER
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lipfake_jax.cli.arguments import DATA_DIR_HELP, create_parser
from lipfake_jax.core.errors import UserError
from lipfake_jax.core.names import printable

if TYPE_CHECKING:
  from lipfake_jax.core.clip_spec import ClipSpec
  from lipfake_jax.core.vocabulary import VideoRecord

SAMPLE = 4  # videos that are extracted to measure the time, and unreadable ones that are named


def main(arguments: Sequence[str]) -> None:
  """Examines a dataset, and prints each thing as soon as it is known."""
  parser = create_parser('doctor', __doc__)
  parser.add_argument('dataset', metavar='DATASET', help='name of a builder in data_builders/')
  parser.add_argument(
    '--manual_dir', metavar='FOLDER', type=Path, required=True, help='the folder that holds its videos'
  )
  parser.add_argument('--config', metavar='NAME', help='builder config (default: the first)')
  parser.add_argument('--data_dir', metavar='FOLDER', help=DATA_DIR_HELP)
  options = parser.parse_args(arguments)

  from lipfake_jax.data import doctor
  from lipfake_jax.data.builder import create_builder, find_data_dir
  from lipfake_jax.data.listing import layout_table

  data_dir = find_data_dir(options.data_dir)
  builder = create_builder(options.dataset, options.config, data_dir)
  listing = builder.survey(options.manual_dir.expanduser())
  print(layout_table(listing, builder.PUBLISHED))
  unreadable = doctor.find_unreadable([video.path for video in listing.videos])
  print(_describe_unreadable(unreadable, len(listing.videos)))
  print(f'\n{_describe_splits(listing.videos)}\n')
  readable = [video for video in listing.videos if video.path not in unreadable]
  if not readable:
    raise UserError(f'{builder.name}: none of its videos can be read')
  print(_describe_time(readable, builder.builder_config.spec, len(listing.videos)))
  print(_describe_room(len(listing.videos), builder.builder_config.spec, Path(data_dir)))
  command = f'tfds build data_builders/{builder.name} --config={builder.builder_config.name}'
  print(f'\nnext: {command} --manual_dir={options.manual_dir} --data_dir={data_dir}')


def _describe_unreadable(unreadable: Mapping[Path, str], total: int) -> str:
  lines = [f'  {printable(str(path))}: {why}' for path, why in list(unreadable.items())[:SAMPLE]]
  return '\n'.join([f'{len(unreadable)} of {total} videos have no readable head', *lines])


def _describe_splits(videos: 'Sequence[VideoRecord]') -> str:
  from lipfake_jax.data.splits import split_table

  rules = ['identity', *(['official'] if any(video.official for video in videos) else [])]
  return '\n'.join(split_table([vars(video) for video in videos], rule) for rule in rules)


def _describe_time(readable: 'Sequence[VideoRecord]', spec: 'ClipSpec', total: int) -> str:
  from lipfake_jax.data.doctor import measure_extraction

  seconds, share = measure_extraction(readable, spec, SAMPLE)
  cores = len(os.sched_getaffinity(0))
  return (
    f'time: about {format_duration(seconds * total / cores)} on {cores} cores'
    f' ({seconds:.1f} s a video and core, measured on {min(SAMPLE, len(readable))}, of which {share:.0%} gave clips)'
  )


def _describe_room(total: int, spec: 'ClipSpec', data_dir: Path) -> str:
  from lipfake_jax.data.doctor import measure_room

  needed, free = measure_room(total, spec, data_dir)
  room = f'room: {_gibibytes(needed)} needed at most, {_gibibytes(free)} free at {data_dir}'
  if needed > free:
    raise UserError(f'{room}: free some, or choose another --data_dir')
  return room


def format_duration(seconds: float) -> str:
  """Seconds as people say them: '12 s', '10 min', '2 h 15 min'."""
  hours, minutes = divmod(round(seconds / 60), 60)
  return f'{hours} h {minutes} min' if hours else f'{minutes} min' if minutes else f'{seconds:.0f} s'


def _gibibytes(size: float) -> str:
  return f'{size / 2**30:.1f} GiB'
