import collections

from lipfake_jax.splits import PARTS, SHARES, identity_split, shared_identities


def test_an_identity_is_in_one_part_whoever_else_is_there():
  assert [identity_split(f'id{n}') for n in range(6)] == [identity_split(f'id{n}') for n in range(6)]
  assert {identity_split(f'id{n}') for n in range(60)} == set(PARTS)


def test_shares_are_met_over_many_identities():
  counts = collections.Counter(identity_split(f'person {n}') for n in range(10_000))
  for part in PARTS:
    assert abs(counts[part] / 10_000 - SHARES[part]) < 0.02  # four standard deviations


def test_another_seed_is_another_split():
  assert [identity_split(f'id{n}', 0) for n in range(50)] != [identity_split(f'id{n}', 1) for n in range(50)]


def test_shared_identities_are_those_of_two_parts():
  parts = {'train': {'a', 'b', 'c'}, 'validation': {'c', 'd'}, 'test': {'a', 'e'}}
  assert shared_identities(parts) == {'a', 'c'}
  assert shared_identities({'train': {'a'}, 'test': {'b'}}) == set()
