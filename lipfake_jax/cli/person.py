"""Whether a video shows a person as they move and sound.

enroll keeps numbers made of five or more real videos, never a picture or a sound;
check holds a video against them; forget deletes them.

  lipfake person enroll ann talks/*.mp4 --weights=runs/poi
  lipfake person check ann a.mp4 --weights=runs/poi
  lipfake person forget ann
"""

import json
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from lipfake_jax.cli.arguments import DATA_DIR_HELP, create_parser
from lipfake_jax.core.names import printable

WORDS = {'like': 'like the references', 'unlike': 'unlike the references', 'none': 'none'}


def main(arguments: Sequence[str]) -> None:
  """Does one of ACTIONS."""
  parser = create_parser('person', __doc__)
  actions = parser.add_subparsers(dest='action', metavar='ACTION', required=True)
  enroll = actions.add_parser('enroll', help='keep what real videos of a person have in common')
  check = actions.add_parser('check', help='hold videos against it')
  known = actions.add_parser('list', help='who is enrolled, and where')
  forget = actions.add_parser('forget', help='delete all that is kept of a person')
  measure = actions.add_parser('measure', help='figures of a run on a part of its dataset')
  for action in (enroll, check, forget):
    action.add_argument('name', metavar='NAME', help='of the person')
  for action in (enroll, check):
    action.add_argument('videos', nargs='+', metavar='VIDEO', help='a file, a folder, or a pattern in quotes')
  for action in (enroll, check, measure):
    action.add_argument('--weights', metavar='RUN', type=Path, required=True, help='workdir of configs/poi.py')
  for action in (enroll, check, known, forget):
    action.add_argument('--people', metavar='FOLDER', type=Path, help="where people are kept (default: the user's own)")
  check.add_argument('--json', action='store_true', help='print a line of JSON a video')
  measure.add_argument('--part', metavar='NAME', default='validation', help='of the dataset (validation)')
  measure.add_argument('--data_dir', metavar='FOLDER', help=DATA_DIR_HELP)
  options = parser.parse_args(arguments)
  ACTIONS[options.action](options)


def _enroll(options: Namespace) -> None:
  from lipfake_jax.data.files import find_sources
  from lipfake_jax.inference.compilation import keep_compiled
  from lipfake_jax.inference.person import enroll, find_file, people_folder, save_person
  from lipfake_jax.inference.towers import open_towers

  folder = people_folder(options.people)
  find_file(folder, options.name)  # a wrong name is told before minutes of work
  files = find_sources(options.videos).found
  keep_compiled()
  done = enroll(open_towers(options.weights, 'poi'), options.name, files)
  path = save_person(folder, options.name, done.person)
  for video, why in done.left_out.items():
    print(f'left out: {printable(str(video))}: {why}')
  for video, score in done.strangers.items():
    unlike = f'{printable(str(video))} is unlike the others (score {score:.1f}): is it {options.name}?'
    print(f'the references disagree: {unlike}')
  print(
    f'{options.name}: {len(done.person.references)} references. Embeddings alone are kept, in {path}:'
    f' they tell {options.name} from others, so keep them as you would a fingerprint.'
    f'\nTo delete them: lipfake person forget {options.name}, or delete that file.'
  )


def _check(options: Namespace) -> None:
  from lipfake_jax.data.files import find_sources
  from lipfake_jax.inference.compilation import keep_compiled
  from lipfake_jax.inference.person import STEP, check, load_person, people_folder
  from lipfake_jax.inference.towers import open_towers, survey_videos

  person = load_person(people_folder(options.people), options.name)
  files = find_sources(options.videos).found
  keep_compiled()
  towers = open_towers(options.weights, 'poi')
  for video, (facts, clips) in zip(files, survey_videos(files, towers.spec, STEP), strict=True):
    found, name = check(towers, person, facts, clips), printable(str(video))
    if options.json:
      print(json.dumps({'video': name, 'person': options.name, **found}), flush=True)
    else:
      score = found['reason'] or f'score {found["score"]:.2f}, limit {found["limit"]:.2f}'
      print(f'{name}  {WORDS[found["verdict"]]}: {score}', flush=True)


def _list(options: Namespace) -> None:
  from lipfake_jax.inference.person import list_people, people_folder

  folder = people_folder(options.people)
  print('\n'.join([*list_people(folder), f'in {folder}']))


def _forget(options: Namespace) -> None:
  from lipfake_jax.inference.person import forget, people_folder

  print(f'{options.name}: {forget(people_folder(options.people), options.name)} is deleted')


def _measure(options: Namespace) -> None:
  from lipfake_jax.experiments.towers import measure_run

  print(measure_run(options.weights, options.data_dir, options.part))


ACTIONS = {'enroll': _enroll, 'check': _check, 'list': _list, 'forget': _forget, 'measure': _measure}
