"""How well towers tell people apart: on the videos of a part, by pairs and by the test of POI-Forensics.

In: a run of `poi` and a dataset with sound. Out: rows of figures, each an AUC with its interval over people.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lipfake_jax.data.pairs import Pairs, read_pairs
from lipfake_jax.inference.towers import Towers
from lipfake_jax.scoring.intervals import bootstrap, join_people
from lipfake_jax.scoring.metrics import rank_metrics
from lipfake_jax.scoring.person import FEWEST, Embeddings, nearest, score_face

MODALITIES = {'seen': ('look',), 'heard': ('sound',), 'seen and heard': ('look', 'sound')}

Row = dict[str, Any]
Video = tuple[str, Embeddings]  # who is in it, and what it looks and sounds like


def measure_people(towers: Towers, reals: Pairs, fakes: Pairs | None) -> list[Row]:
  """A row for each question: 'kind', 'videos', 'people', 'auc' and its 'interval'; None where nothing can be told.

  First, of two real videos, whether they show the same person, by the least squared distance between their clips. Then,
  for people with more than FEWEST real videos, each of which is held against the others: whether a video is one of
  theirs, or somebody else's; and whether it is real, or a fake of them.

  Args:
    towers: of `open_towers`.
    reals: of people who are known.
    fakes: of the same dataset, if it has any.
  """
  own = embed_videos(towers, reals)
  made = embed_videos(towers, fakes) if fakes is not None and len(fakes) else []
  return [*(_compare_pairs(kind, own, parts) for kind, parts in MODALITIES.items()), *_test_people(own, made)]


def embed_videos(towers: Towers, pairs: Pairs) -> list[Video]:
  """Each video of which the person is known."""
  keys, videos = np.array(pairs.keys), list[Video]()
  for key in dict.fromkeys(pairs.keys):
    members = np.flatnonzero(keys == key)
    read = read_pairs(pairs, members)
    found = towers.embed(read['look'], read['sound'])
    if not read['heard'].all():
      del found['sound']
    if pairs.people[members[0]]:
      videos.append((pairs.people[members[0]], found))
  return videos


def _compare_pairs(kind: str, videos: Sequence[Video], parts: Sequence[str]) -> Row:
  """Of two videos with these parts, whether they show the same person."""
  known = [(who, found) for who, found in videos if all(part in found for part in parts)]
  labels, distances, groups = [], [], []
  for place, (who, one) in enumerate(known):
    for whom, other in known[:place]:
      labels.append(who != whom)
      distances.append(sum(nearest(one[part], other[part]).min() for part in parts))
      groups.append(join_people({who, whom}))
  return _row(f'same person or another, {kind}', len(known), {who for who, _ in known}, labels, distances, groups)


def _test_people(own: Sequence[Video], made: Sequence[Video]) -> list[Row]:
  """The test of POI-Forensics."""
  members: dict[str, list[Embeddings]] = {}
  for who, found in own:
    members.setdefault(who, []).append(found)
  enrolled = {who: videos for who, videos in members.items() if len(videos) > FEWEST}
  scores: dict[str, list[tuple[str, float]]] = {'own': [], 'others': [], 'fakes': []}
  for who, references in enrolled.items():
    for place, video in enumerate(references):
      scores['own'].append((who, score_face(video, references[:place] + references[place + 1 :])))
    # As many references as the person's own videos have.
    few = references[1:]
    scores['others'] += [(join_people({who, whom}), score_face(video, few)) for whom, video in own if whom != who]
    scores['fakes'] += [(who, score_face(video, few)) for whom, video in made if who in whom.split('+')[:1]]
  kinds = {'others': 'by references: theirs, or of another', 'fakes': 'by references: real, or a fake of them'}
  return [_test_row(kind, enrolled, scores['own'], scores[name]) for name, kind in kinds.items()]


def _test_row(kind: str, enrolled: Any, own: Sequence[tuple[str, float]], others: Sequence[tuple[str, float]]) -> Row:
  labels = [*[False] * len(own), *[True] * len(others)]
  whose, scores = zip(*own, *others, strict=True) if labels else ((), ())
  return _row(kind, len(labels), set(enrolled), labels, scores, whose)


def _row(kind: str, videos: int, people: set[str], labels: Any, scores: Any, groups: Sequence[str]) -> Row:
  labels, scores = np.array(labels, bool), np.array(scores, float)

  def figures(drawn: np.ndarray) -> dict[str, float | None]:
    return {'auc': rank_metrics(labels[drawn], scores[drawn])['auc']}

  told = len(set(labels.tolist())) == 2
  return {
    'kind': kind,
    'videos': videos,
    'people': len(people),
    'auc': figures(np.arange(len(labels)))['auc'] if told else None,
    'interval': bootstrap(figures, groups)['auc'] if told else None,
  }
