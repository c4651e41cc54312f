"""Is this the way a person moves and sounds? The test of POI-Forensics, from embeddings.

Cozzolino et al. 2023, 'Audio-Visual Person-of-Interest DeepFake Detection', and its released code. In: embeddings of
the clips of a video, and of some real videos of the person, the references. Out: a score, 0 for a video like the
references, in deviations from them. A clip's score is, for what is seen and for what is heard, its squared distance to
the nearest clip of the references, less the mean of their distances to each other's videos, over their deviation; the
higher of the two. Then a mean over seven clips, the 5th percentile over time, and of several faces the least.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.ndimage import uniform_filter1d

SMOOTHED = 7  # clips
PERCENTILE = 5.0
FEWEST = 5  # references; the paper has ten or more
STRANGER = 3.0  # score of a reference among the others from which on it is told of

Embeddings = Mapping[str, np.ndarray]  # 'look' and 'sound', float [N, E] of N clips; one that is missing is left out


def score_clips(clips: Embeddings, references: Sequence[Embeddings]) -> np.ndarray:
  """The score of each clip, float64 [N].

  Args:
    clips: of one face, in order.
    references: of at least three videos.

  Raises:
    ValueError: nothing is in the clips and in three references as well.
  """
  scores = []
  for kind, embeddings in clips.items():
    known = [reference[kind] for reference in references if kind in reference]
    if len(known) > 2:
      mean, deviation = spread(known)
      scores.append((nearest(embeddings, np.concatenate(known)) - mean) / deviation)
  if not scores:
    raise ValueError(f'{", ".join(clips)}: three references with one of these are needed')
  return np.max(scores, axis=0)


def score_face(clips: Embeddings, references: Sequence[Embeddings]) -> float:
  """The score of a face; arguments as those of `score_clips`."""
  return float(np.percentile(uniform_filter1d(score_clips(clips, references), SMOOTHED), PERCENTILE))


def score_video(faces: Sequence[Embeddings], references: Sequence[Embeddings]) -> float:
  """That of the face most like the person: others may be in view."""
  return min(score_face(clips, references) for clips in faces)


def score_references(references: Sequence[Embeddings]) -> np.ndarray:
  """The score of each reference by all others, float64 [R]; at least four."""
  return np.array([score_face(one, _without(references, number)) for number, one in enumerate(references)])


def spread(known: Sequence[np.ndarray]) -> tuple[float, float]:
  """Mean and deviation of the squared distances of each video's clips to the nearest clip of another video."""
  distances = np.concatenate(
    [nearest(one, np.concatenate(_without(known, number))) for number, one in enumerate(known)]
  )
  return float(distances.mean()), max(float(distances.std()), 1e-6)


def nearest(embeddings: np.ndarray, among: np.ndarray) -> np.ndarray:
  """The squared distance of each to the nearest of others: float [N, E] and [M, E] -> float64 [N]."""
  one, other = np.asarray(embeddings, np.float64), np.asarray(among, np.float64)
  squares = np.square(one).sum(1)[:, None] + np.square(other).sum(1) - 2 * one @ other.T
  return np.maximum(squares, 0).min(1)


def _without(items: Sequence, number: int) -> list:
  return [item for position, item in enumerate(items) if position != number]
