"""Whether sound is in time with the mouths, and how late it is.

check says of each face in time, shifted, or that no offset fits; measure tells how
well a run of configs/av_sync.py does on a part of its own dataset.

  lipfake sync check a.mp4 folder/ --weights=runs/av_sync
  lipfake sync measure --weights=runs/av_sync --part=validation
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lipfake_jax.cli.arguments import DATA_DIR_HELP, create_parser
from lipfake_jax.core.names import printable

WORDS = {'in_time': 'in time', 'shifted': 'shifted', 'no_match': 'no offset fits'}


def main(arguments: Sequence[str]) -> None:
  """Prints a line a face, or a table."""
  parser = create_parser('sync', __doc__)
  actions = parser.add_subparsers(dest='action', metavar='ACTION', required=True)
  check = actions.add_parser('check', help='look at videos')
  check.add_argument('videos', nargs='+', metavar='VIDEO', help='a file, a folder, or a pattern in quotes')
  check.add_argument('--json', action='store_true', help='a line of JSON a video, with the distance over time')
  measure = actions.add_parser('measure', help='figures on a part of the dataset')
  measure.add_argument('--part', metavar='NAME', default='validation', help='of the dataset (validation)')
  measure.add_argument('--data_dir', metavar='FOLDER', help=DATA_DIR_HELP)
  for action in (check, measure):
    action.add_argument('--weights', metavar='RUN', type=Path, required=True, help='workdir of configs/av_sync.py')
  options = parser.parse_args(arguments)

  if options.action == 'measure':
    from lipfake_jax.experiments.towers import measure_run

    print(measure_run(options.weights, options.data_dir, options.part))
    return
  from lipfake_jax.data.files import find_sources
  from lipfake_jax.inference.compilation import keep_compiled
  from lipfake_jax.inference.sync import check_faces, read_head, read_reals
  from lipfake_jax.inference.towers import open_towers, survey_videos

  files = find_sources(options.videos).found
  keep_compiled()
  towers = open_towers(options.weights, 'av_sync')
  reals, head = read_reals(options.weights), read_head(options.weights)
  for video, (facts, clips) in zip(files, survey_videos(files, towers.spec), strict=True):
    found = check_faces(towers, reals, head, facts, clips)
    name = printable(str(video))
    print(json.dumps({'video': name, **found}) if options.json else '\n'.join(_lines(name, found)), flush=True)


def _lines(name: str, found: dict[str, Any]) -> list[str]:
  if found['reason']:
    return [f'{name}  none: {found["reason"]}']
  return [
    f'{name}  face {face["id"]}: {WORDS[face["verdict"]]}, sound {face["offset_ms"]:+} ms'
    f' (confidence {face["confidence"]:.3f}; {face["agreement"]:.0%} of real videos have no more)'
    for face in found['people']
  ]
