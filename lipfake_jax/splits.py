"""Which part of a dataset a video belongs to.

In: the name of a group that must stay together (a person, or a video whose person is unknown). Out: 'train',
'validation' or 'test'. Next stage: `lip_clip_builder`.
"""

import hashlib

PARTS = ('train', 'validation', 'test')
SHARES = {'train': 0.7, 'validation': 0.15, 'test': 0.15}


def identity_split(identity: str, seed: int = 0) -> str:
  """The part of all videos of one identity, from its name alone: so no identity is in two parts, and adding videos
  moves no other one. Shares are met on average over many identities, not exactly.

  Args:
    identity: the person's name in the dataset; a video's key where the person is unknown.
    seed: another seed is another split.
  """
  digest = hashlib.sha256(f'{seed}/{identity}'.encode()).digest()
  draw, bound = int.from_bytes(digest[:8], 'big') / 2**64, 0.0
  for part in PARTS[:-1]:
    bound += SHARES[part]
    if draw < bound:
      return part
  return PARTS[-1]


def shared_identities(members: dict[str, set[str]]) -> set[str]:
  """The identities that occur in more than one part; `members` holds the known identities of each."""
  seen: set[str] = set()
  shared: set[str] = set()
  for identities in members.values():
    shared |= seen & identities
    seen |= identities
  return shared
