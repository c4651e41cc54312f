"""What carries a score, in words, and how far a picture of it can be trusted.

In: an `Explanation`. Out: sentences. Next stages: `detect_page`, `lipfake explain`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from lipfake_jax.clips.clips import Clip
from lipfake_jax.clips.regions import ALIGNED_SIDE, LIP_RINGS
from lipfake_jax.inference.explain import CELLS, FRAMES, HIDDEN, LANDMARKS, Explanation
from lipfake_jax.inference.occlusion import GRID, find_mouth
from lipfake_jax.report.detect_words import clock
from lipfake_jax.report.strip import FRAMES as PICTURES

MOUTH_WIDTH = 0.75  # in distances of the eyes, of the mean face
RINGS = ('the outer rim of the lips', 'the inner rim of the lips', 'the skin about the lips', 'chin and cheeks')
SHARE = f'the strongest {HIDDEN:.0%}'
COLOURS = 'Red speaks for a fake, blue against it; the colours say where, not how much.'
HIDDEN_AS = {
  CELLS: 'the crop blurred',
  FRAMES: 'the frames replaced by those beside them',
  LANDMARKS: 'the landmarks still',
}
WHAT = {CELLS: 'the map of the crop', FRAMES: 'the bars of the frames', LANDMARKS: 'the map of the landmarks'}


def explain_maps(clip: Clip, explanation: Explanation, region: str) -> Iterator[str]:
  """Sentences on what each map says, with what the score would be without its strongest parts."""
  for kind, values in explanation.maps.items():
    if values.max() <= 0:
      yield f'In {WHAT[kind]} nothing speaks for a fake.'
      continue
    yield (
      f'What speaks most for a fake is {_name_highest(clip, kind, values, region)}. With {SHARE} of'
      f' {HIDDEN_AS[kind]}, {_fall(explanation.p_fake, explanation.without[kind])}.'
    )
    if kind == FRAMES and len(values) > PICTURES:
      yield (
        f'There is a bar for each of the {len(values)} frames, in time order, of which {PICTURES} are pictured; a frame'
        ' without one has next to no part in the score.'
      )
  if explanation.motions:
    name, without = min(explanation.motions.items(), key=lambda pair: pair[1])
    fall = _fall(explanation.p_fake, without)
    yield f'Of place, speed, acceleration and jerk of the lips, {name} carries most: without it {fall}.'


def explain_trust(explanation: Explanation) -> Iterator[str]:
  """Sentences on how far the maps can be trusted, and which are not shown."""
  if explanation.trust is None:
    yield (
      'Nobody has tested with these weights whether such a picture is true: take it as a hint where to look'
      ' (lipfake explain --measure tests it).'
    )
    return
  about = explanation.trust
  yield f'Tested on {about["videos"]} videos of {about["people"]} people that the model had not seen:'
  for kind, found in about['maps'].items():
    if found['faults']:
      why = dict.fromkeys(_name_fault(name) for name in found['faults'])
      yield f'{WHAT[kind].capitalize()}: not shown, since {" and ".join(why)}.'
    else:
      yield f'{WHAT[kind].capitalize()}, in logits, on average: {"; ".join(_figures(found["figures"]))}.'
      yield from _tell_places(found)
  yield 'Where the marks lie is how this model came to its score, and no proof of where a picture was changed.'


def name_place(cell: int, region: str) -> str:
  """Where in the crop a cell is, seen from the mouth: 'below the mouth, on the left'; left as one sees it."""
  row, column = divmod(cell, GRID)
  half = MOUTH_WIDTH / ALIGNED_SIDE[region] / 2
  x, y = (column + 0.5) / GRID - 0.5, (row + 0.5) / GRID - find_mouth(region)
  height = 'at the mouth' if abs(y) < half / 2 else 'above the mouth' if y < 0 else 'below the mouth'
  side = 'in the middle' if abs(x) < half / 2 else 'on the left' if x < 0 else 'on the right'
  return f'{height}, {side}'


def _name_fault(name: str) -> str:
  """Why a map with this fault, of `explanations.find_faults`, is not shown."""
  if name == 'shuffled':
    return 'a network that has learned nothing gives much the same'
  return f'it was not shown to tell more than {"a guess without the model" if name.endswith("guess") else "chance"}'


def _figures(figures: Mapping[str, Any]) -> Iterator[str]:
  """What a map that passed was found to do, the weakest of each test."""
  for curve, words in (
    ('deletion', 'hiding its strongest parts first lowers the score'),
    ('insertion', 'showing them first raises the score'),
  ):
    beaten = []
    for control, than in (('random', 'than a random order'), ('guess', 'than a guess without the model')):
      found = [value['mean'] for name, value in figures.items() if name.startswith(curve) and name.endswith(control)]
      beaten += [f'{than} (by {min(found):.2f})'] if found else []
    if beaten:
      yield f'{words} more {" and ".join(beaten)}'


def _tell_places(found: Mapping[str, Any]) -> Iterator[str]:
  """Whether a map points to what was faked, with the hits on fakes of known place."""
  says = 'It tends to point to what was faked' if found['points'] else 'It does not tell what was faked'
  for name, value in found['figures'].items():
    if name.startswith('hit '):
      chance = value['mean'] - found['figures'][name.replace('hit', 'gain')]['mean']
      hits = f'{value["mean"]:.0%} of {value["n"]} fakes made for the test'
      yield f'{says}: its strongest mark is there in {hits}, by chance in {chance:.0%}.'


def _name_highest(clip: Clip, kind: str, values: np.ndarray, region: str) -> str:
  if kind == CELLS:
    return f'what lies {name_place(int(np.argmax(values)), region)}'
  if kind == FRAMES:
    return f'the frame at {clock(float(clip.times[int(np.argmax(values))]))}'
  return RINGS[int(np.argmax([values[part].mean() for part in _ring_slices()]))]


def _fall(score: float, without: float) -> str:
  return f'the score of this window is {without:.3f} in place of {score:.3f}'


def _ring_slices() -> list[slice]:
  """Where each of LIP_RINGS stands among the landmarks."""
  ends = np.cumsum([len(ring) for ring in LIP_RINGS])
  return [slice(end - len(ring), end) for ring, end in zip(LIP_RINGS, ends, strict=True)]
