"""Who trains, who chooses and who is held out, among a user's own videos."""

import collections
import csv
import io
from pathlib import Path

import pytest

from lipfake_jax.core.errors import UserError
from lipfake_jax.core.people import people
from lipfake_jax.core.vocabulary import VideoRecord
from lipfake_jax.data.own_videos import assign_people, check_parts, list_own, to_list


def record(label, name, identity, **fields):
  return VideoRecord(Path(name), f'{label}/{name}', label, identity, dataset='video_folder', **fields)


def crowd(count, labels=('real', 'fake')):
  return [record(label, f'{number}.mp4', f'p{number}') for number in range(count) for label in labels]


def write(folder, *names, text='x'):
  for name in names:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f'{text} {name}')


@pytest.mark.parametrize(
  ('count', 'held', 'choosing'),
  [(3, 1, 1), (12, 4, 3), (30, 10, 8), (36, 10, 9), (40, 10, 10), (100, 25, 25)],  # a third, then ten, then a quarter
)
def test_people_are_dealt_out(count, held, choosing):
  parts = collections.defaultdict(set)
  for video, part in assign_people(crowd(count)):
    parts[part].add(video.identity)
  assert {part: len(found) for part, found in parts.items()} == {
    'test': held,
    'validation': choosing,
    'train': count - held - choosing,
  }
  assert sum(map(len, parts.values())) == count  # nobody is in two


def test_each_part_has_its_share_of_people_with_reals_alone_and_with_fakes_alone():
  videos = [*crowd(6, ['real']), *(record('fake', f'f{n}.mp4', f'q{n}') for n in range(6))]
  counts = collections.Counter((video.label, part) for video, part in assign_people(videos))
  assert counts == {(label, part): 2 for label in ('real', 'fake') for part in ('train', 'validation', 'test')}


def test_a_swap_of_people_in_two_parts_is_left_out():
  videos = crowd(9)
  part_of = {video.identity: part for video, part in assign_people(videos)}
  other = next(name for name, part in part_of.items() if part != part_of['p0'])
  same = next(name for name, part in part_of.items() if part == part_of['p0'] and name != 'p0')
  swaps = [record('fake', f'{name}.mp4', 'p0', second_identity=name) for name in (other, same)]
  assert [part for _, part in assign_people([*videos, *swaps])[-2:]] == ['', part_of['p0']]


def test_a_folder_below_is_a_person_of_both_classes(tmp_path):
  write(tmp_path / 'r', 'anna/1.mp4', 'anna/deep/2.mp4', 'ben/1.mp4', 'loose.mp4')
  write(tmp_path / 'f', 'anna/1.mp4', text='y')
  videos = list_own({'real': tmp_path / 'r', 'fake': tmp_path / 'f'})
  assert {video.key: people(vars(video)) for video in videos} == {
    'real/anna/1.mp4': ('video_folder/anna',),
    'real/anna/deep/2.mp4': ('video_folder/anna',),
    'real/ben/1.mp4': ('video_folder/ben',),
    'real/loose.mp4': (),
    'fake/anna/1.mp4': ('video_folder/anna',),
  }


def test_a_list_says_who_is_in_them(tmp_path):
  """A fake whose person it does not name shows that of its original."""
  write(tmp_path / 'r', '1.mp4', '2.mp4')
  (tmp_path / 'r' / 'people.csv').write_text('path;identity\n1.mp4;anna\n')
  write(tmp_path / 'f', 'x/1.mp4')
  (tmp_path / 'f' / 'people.csv').write_text('path,original,second_identity,label\nx/1.mp4,1.mp4,ben,fake\n')
  videos = list_own({'real': tmp_path / 'r', 'fake': tmp_path / 'f'})
  assert [(video.key, video.identity, video.second_identity, video.original) for video in videos] == [
    ('real/1.mp4', 'anna', '', ''),
    ('fake/x/1.mp4', 'anna', 'ben', 'real/1.mp4'),
  ]


def test_the_list_is_as_its_reader_wants_it():
  text = to_list([(record('fake', 'a\n,"b.mp4', 'anna', method='swap'), 'train'), (record('real', 'c.mp4', ''), '')])
  [row] = csv.DictReader(io.StringIO(text, newline=''))
  assert row == {
    'path': 'fake/a\n,"b.mp4', 'label': 'fake', 'identity': 'anna', 'second_identity': '', 'method': 'swap',
    'original': '', 'split': 'train',
  }  # fmt: skip


@pytest.mark.parametrize(
  ('files', 'message'),
  [
    ({'fake': ()}, '--fake=.*no video in this folder'),
    ({'real': ('a/1.mp4',), 'real/inner': ('b/1.mp4',)}, 'one holds the other'),
    ({'real': ('a/1.mp4', 'l.csv'), 'fake': ('b/1.mp4',)}, 'lacks the column path'),
    ({'real': ('a/1.mp4', 'l.csv', 'm.csv'), 'fake': ('b/1.mp4',)}, 'holds 2 lists'),
  ],
)
def test_what_is_wrong_is_told(tmp_path, files, message):
  for folder, names in files.items():
    (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    write(tmp_path / folder, *names)
  with pytest.raises(UserError, match=message):
    list_own({folder.split('/')[-1]: tmp_path / folder for folder in files})


@pytest.mark.parametrize(
  ('rows', 'message'),
  [
    ('path,label\n1.mp4,fake\n', "line 2: label 'fake' in the folder of --real"),
    ('path\n3.mp4\n', 'line 2: there is no file'),
    ('path\n../out.mp4\n', 'lies outside of the folder'),
  ],
)
def test_a_wrong_list_is_told(tmp_path, rows, message):
  write(tmp_path, 'r/1.mp4', 'out.mp4')
  (tmp_path / 'r' / 'people.csv').write_text(rows)
  with pytest.raises(UserError, match=message):
    list_own({'real': tmp_path / 'r'})


def test_too_few_people_are_told():
  check_parts(assign_people(crowd(3)))
  with pytest.raises(UserError, match='too few people: validation has no fake and no real video'):
    check_parts(assign_people(crowd(2)))
