"""Who is in a video, and what stands for a person who is not known."""

import pytest

from lipfake_jax.core.people import people, units


def row(**fields):
  known = dict.fromkeys(('identity', 'second_identity', 'original', 'group'), '')
  return {'key': 'fakes/9.mp4', 'dataset': 'set', **known, **fields}


def test_the_one_whose_head_it_is_comes_first():
  assert people(row(identity='zoe', second_identity='ben+amy')) == ('set/zoe', 'set/ben', 'set/amy')
  assert people(row(identity='zoe', second_identity='zoe')) == ('set/zoe',)
  assert people(row()) == ()


@pytest.mark.parametrize(
  ('known', 'expected'),
  [
    ({'identity': 'a', 'second_identity': 'b', 'original': 'r.mp4', 'group': 'a b'}, ('set/a b',)),
    ({'identity': 'a', 'second_identity': 'b', 'original': 'r.mp4'}, ('set/a', 'set/b')),
    ({'second_identity': 'b', 'original': 'r.mp4'}, ('set/r', 'set/b')),
    ({'second_identity': 'b'}, ('set/b',)),
    ({'original': 'reals.v2/r.mp4'}, ('set/reals.v2/r',)),
    ({'original': 'reals.v2/r'}, ('set/reals.v2/r',)),
    ({}, ('set/fakes/9',)),
  ],
)
def test_the_original_stands_for_an_unknown_head_and_a_video_for_itself(known, expected):
  assert units(row(**known)) == expected


def test_a_fake_and_its_original_are_one_unit():
  assert units(row(original='reals/1.avi')) == units(row(key='reals/1.avi'))


def test_the_same_name_in_another_dataset_is_another():
  assert units(row(identity='001')) != units({**row(identity='001'), 'dataset': 'other'})
