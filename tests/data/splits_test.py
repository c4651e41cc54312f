"""Who is in which part, by each split, and that a new video moves no other."""

import collections
import itertools

import numpy as np
import pytest

from lipfake_jax.core.errors import UserError
from lipfake_jax.core.people import people
from lipfake_jax.core.vocabulary import LABELS, PARTS
from lipfake_jax.data import splits
from lipfake_jax.data.splits import SHARES, assign_parts, draw_number, select_part


def row(key, label='real', **fields):
  known = dict.fromkeys(('identity', 'second_identity', 'original', 'official', 'group'), '')
  return {'key': key, 'label': label, 'dataset': 'set', **known, **fields}


PEOPLE = [f'id{n}' for n in range(40)]
REALS = [row(f'real/{name}_{take}.mp4', identity=name) for name in PEOPLE for take in range(5)]
SWAPS = [
  row(f'fake/{a}_{b}.mp4', 'fake', identity=a, second_identity=b)
  for i, a in enumerate(PEOPLE)
  for b in PEOPLE[i % 3 :: 3]
  if a != b
]
ROWS = REALS + SWAPS


def members(rows, parts):
  found = {part: set() for part in PARTS}
  for part, video in zip(parts, rows, strict=True):
    if part:
      found[part] |= set(people(video))
  return found


def overlaps(found):
  return [found[a] & found[b] for i, a in enumerate(PARTS) for b in PARTS[i + 1 :]]


def test_no_person_is_in_two_parts_both_persons_of_a_swap_counted():
  parts = assign_parts(ROWS, 'identity')
  found = members(ROWS, parts)
  assert overlaps(found) == [set()] * 3
  assert all(found.values())
  assert set.union(*found.values()) == {f'set/{name}' for name in PEOPLE}


def test_swaps_between_parts_are_left_out_and_no_others():
  parts = dict(zip([video['key'] for video in ROWS], assign_parts(ROWS, 'identity'), strict=True))
  home = {name: parts[f'real/{name}_0.mp4'] for name in PEOPLE}
  left_out = [video for video in ROWS if not parts[video['key']]]
  assert left_out
  for video in SWAPS:
    mixed = home[video['identity']] != home[video['second_identity']]
    assert (parts[video['key']] == '') == mixed
  assert f'{"excluded: mixed pairs":24}{0:8}{len(left_out):8}' in splits.split_table(ROWS, 'identity')


def test_several_second_persons_all_count():
  home = {name: assign_parts([row('k', identity=name)], 'identity')[0] for name in PEOPLE}
  one = next(name for name in PEOPLE if home[name] == 'train')
  two = next(name for name in PEOPLE if home[name] == 'train' and name != one)
  other = next(name for name in PEOPLE if home[name] == 'test')
  assert assign_parts([row('k', identity=one, second_identity=two)], 'identity') == ['train']
  assert assign_parts([row('k', identity=one, second_identity=f'{two}+{other}')], 'identity') == ['']


def test_people_numbered_in_a_row_are_shared_out_evenly():
  """Twenty people, wherever their numbers begin: 14, 3 and 3 to within about one, with any seed. Drawn one by one they
  would be off by 1.6 and 1.3 on average."""
  errors = collections.defaultdict(list)
  for first, seed in itertools.product((0, 1, 5), range(100)):
    rows = [row(f'{n}', identity=f'id{n}') for n in range(first, first + 20)]
    counts = collections.Counter(assign_parts(rows, 'identity', seed))
    for part, share in zip(PARTS, SHARES, strict=True):
      errors[part].append(abs(counts[part] - 20 * share))
  assert all(np.mean(found) < 0.8 and max(found) <= 3 for found in errors.values())


def test_names_without_numbers_are_shared_out_on_average():
  names = [''.join(chr(97 + (n * k) % 26) for k in range(1, 12)) + chr(97 + n // 26 % 26) for n in range(600)]
  counts = collections.Counter(assign_parts([row(n, identity=n) for n in set(names)], 'identity'))
  total = sum(counts.values())
  for part, share in zip(PARTS, SHARES, strict=True):
    assert abs(counts[part] / total - share) < 0.07  # four standard deviations


@pytest.mark.parametrize('split', ['identity', 'paper', 'official'])
def test_a_new_video_moves_no_other(split):
  rows = [{**video, 'official': 'test' if i % 3 else 'train'} for i, video in enumerate(ROWS)]
  new = [row('real/id99_0.mp4', identity='id99', official='train'), row('a.mp4', 'fake', official='train')]
  before, after = assign_parts(rows, split), assign_parts([*new, *rows], split)
  assert after[2:] == before


def parts_of_people(seeds, n=40):
  """int [seeds, n]: the part of each of n people."""
  rows = [row(f'{i}', identity=f'id{i}') for i in range(n)]
  return np.array([[PARTS.index(part) for part in assign_parts(rows, 'identity', seed)] for seed in seeds])


def test_another_seed_is_another_test_set():
  tested = parts_of_people(range(200)) == PARTS.index('test')
  assert len({row.tobytes() for row in tested}) >= 195
  # Each person's turn comes in .15 of them: 30 of 200, and three deviations of a binomial are 15.
  assert abs(tested.sum(axis=0) - 30).max() <= 15


def test_two_people_stay_together_as_often_as_chance_says():
  """.7^2 + .15^2 + .15^2 = .535, a little less where shares are kept. Four deviations of 200 draws are .14."""
  parts = parts_of_people(range(200))
  together = np.array([(parts[:, a] == parts[:, b]).mean() for a, b in itertools.combinations(range(40), 2)])
  assert together.mean() == pytest.approx(0.535, abs=0.03)
  assert np.abs(together - 0.535).max() <= 0.14


@pytest.mark.parametrize('split', splits.SPLITS)
def test_every_split_has_a_seed(split):
  rows = [{**video, 'official': 'test' if i % 3 == 0 else 'train'} for i, video in enumerate(ROWS)]
  found = [tuple(assign_parts(rows, split, seed)) for seed in (0, 0, 1, 2)]
  assert found[0] == found[1]
  assert len(set(found)) == 3


@pytest.mark.parametrize('seed', range(6))
def test_every_folder_gets_its_shares_by_any_seed(seed):
  """Sixty videos each: 18 tested, to within three; one by one at random, the deviation would be 3.5."""
  rows = [row(f'{folder}/{n:03}.mp4') for folder in ('real', 'fake/swap', 'fake/sync') for n in range(1, 61)]
  tested = [part == 'test' for part in assign_parts(rows, 'paper', seed)]
  assert [abs(sum(tested[i : i + 60]) - 18) <= 3 for i in (0, 60, 120)] == [True] * 3


def test_the_draw_of_seed_0_stays_what_it_was():
  """Runs that were trained with it must not meet their training videos in a test part."""
  found = ''.join(part[1] for part in assign_parts([row(n, identity=n) for n in PEOPLE[:20]], 'identity'))
  assert found == 'rrerrarerrarrrrerrar'  # the second letter of each part
  assert draw_number('set/id7_id11_0003', 0) == 0.8989341537984568


def test_a_fake_of_an_unknown_person_goes_with_its_original():
  reals = [row(f'real/{n}.mp4') for n in range(60)]
  fakes = [row(f'fake/{59 - n}.mp4', 'fake', original=f'real/{n}.mp4') for n in range(60)]
  for seed in range(5):
    parts = assign_parts(reals + fakes, 'identity', seed)
    assert parts[:60] == parts[60:]
    assert set(parts) == set(PARTS)


def test_the_papers_split_is_70_to_30_in_each_class():
  parts = assign_parts(ROWS, 'paper')
  assert set(parts) == {'train', 'test'}
  for label in ('real', 'fake'):
    found = [part for part, video in zip(parts, ROWS, strict=True) if video['label'] == label]
    assert found.count('train') / len(found) == pytest.approx(0.7, abs=0.02)


def test_the_papers_split_shares_people_and_says_so():
  parts = assign_parts(ROWS, 'paper')
  assert any(overlaps(members(ROWS, parts)))
  assert select_part(ROWS, 'paper', 'validation') == select_part(ROWS, 'paper', 'test')
  assert splits.split_name('paper', 'test') == splits.split_name('paper', 'validation') == 'paper_leaky'
  table = splits.split_table(ROWS, 'paper')
  assert 'paper_leaky' in table
  assert 'its test part chose the weights' in table


def test_the_official_split_is_the_list():
  rows = [row(f'{n}.mp4', identity=f'{n}', official=PARTS[n % 3]) for n in range(9)]
  assert assign_parts(rows, 'official') == [PARTS[n % 3] for n in range(9)]


def test_a_list_without_validation_gives_it_a_share_of_training_by_person():
  tested = set(PEOPLE[::4])
  rows = [{**video, 'official': 'test' if video['identity'] in tested else 'train'} for video in ROWS]
  parts = assign_parts(rows, 'official')
  assert all((part == 'test') == (video['official'] == 'test') for part, video in zip(parts, rows, strict=True))
  found = members(rows, parts)
  assert found['validation']
  assert not found['train'] & found['validation']


def test_each_dataset_of_a_union_goes_by_its_own_list():
  """One names a validation part, the other does not: its training gives the share, as it does alone."""
  one = [row(f'{n}.mp4', identity=f'{n}', official=PARTS[n % 3]) for n in range(9)]
  other = [{**video, 'dataset': 'other', 'official': 'train'} for video in REALS]
  assert assign_parts([*one, *other], 'official') == assign_parts(one, 'official') + assign_parts(other, 'official')


def test_what_a_list_does_not_name_is_drawn_by_person():
  rows = [row('a.mp4', official='train'), row('b.mp4', official='validation'), row('c.mp4', identity='id7')]
  assert assign_parts(rows, 'official')[2] == assign_parts(rows, 'identity')[2]


def test_persons_of_one_group_are_in_one_part():
  rows = [row(f'{n}.mp4', identity=f'{n}', second_identity=f'{n + 1}', group=f'{n}') for n in range(0, 40, 2)]
  parts = assign_parts(rows, 'identity')
  assert '' not in parts
  alone = [{**video, 'group': ''} for video in rows]
  assert '' in assign_parts(alone, 'identity')


def test_the_same_number_in_two_datasets_is_two_people():
  assert people(row('a', identity='001')) != people({**row('a', identity='001'), 'dataset': 'other'})
  assert people(row('a')) == ()


def test_all_holds_what_a_split_leaves_out():
  assert len(select_part(ROWS, 'identity', 'all')) == len(ROWS)
  assert sum(len(select_part(ROWS, 'identity', part)) for part in PARTS) < len(ROWS)


@pytest.mark.parametrize(
  ('split', 'part', 'message'),
  [
    ('people', 'test', 'choose one of identity, official, paper'),
    ('identity', 'dev', 'choose one of train, validation, test, all'),
    ('official', 'test', "no official split here: choose the split 'identity'"),
  ],
)
def test_mistakes_name_the_choices(split, part, message):
  with pytest.raises(UserError, match=message):
    select_part(ROWS, split, part)


def test_draws_are_numbers_below_one():
  draws = [draw_number(f'name {n}', 0) for n in range(1000)]
  assert min(draws) >= 0
  assert max(draws) < 1
  assert len(set(draws)) == 1000


@pytest.mark.parametrize(
  ('rows', 'split', 'gaps'),
  [
    ([('real', 'train'), ('fake', 'train')], 'official', 'no video in test'),  # validation: of training
    ([(label, part) for label in LABELS for part in PARTS], 'official', ''),
    ([('real', part) for part in PARTS], 'official', 'no fake video at all: '),
    ([('real', 'train'), ('real', 'validation')], 'official', 'no fake video at all, no video in test'),
    ([('real', 'train'), ('real', 'validation'), ('fake', 'test'), ('fake', 'validation')], 'official',
     'no fake in train, no real in test'),
  ],
)  # fmt: skip
def test_a_part_without_a_class_is_told_with_what_to_do(rows, split, gaps):
  videos = [row(f'{n}.mp4', label=label, official=part, identity=f'{n}') for n, (label, part) in enumerate(rows)]
  table = splits.split_table(videos, split)
  if gaps:
    warning = next(line for line in table.splitlines() if line.startswith('warning: '))
    assert gaps in warning
    assert 'more people' in warning
    assert 'a column "split" in a list' in warning
  else:
    assert 'warning' not in table
