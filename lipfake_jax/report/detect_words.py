"""What is found in a video, in words: the verdict, what speaks for and against it, how far to trust it.

In: a document of `inference.findings`. Out: sentences. Next stage: `detect_page`.
"""

import itertools
from collections.abc import Iterator

import numpy as np

from lipfake_jax.inference.findings import Document

# By the verdict: a class of `markup.STYLE`, and the words above all.
ANSWERS = {
  'fake': ('bad', 'Signs of a fake'),
  'real': ('good', 'No sign of a fake was found'),
  'inconclusive': ('caution', 'Inconclusive'),
  'none': ('caution', 'No verdict'),
}
OTHER_MEANS = (
  'Look for the first publication: search for frames of it (reverse image search), and ask who recorded it, when, with'
  ' what.',
  'Ask for the original file. Copies from messengers and networks have lost the finest traces.',
  'Look for other recordings of the same event, or of the same words, and compare.',
  'Look at it frame by frame, first where windows are high: edges about the mouth, teeth that change, lips that stay'
  ' open on a "b", an "m" or a "p".',
  'Listen apart from looking: the voice may be the fake, of which this tool knows nothing.',
  'Look for content credentials (C2PA) and for what the publisher says of its making.',
  'Ask a second tool that was made otherwise, and a person who knows this field. No tool alone is proof.',
)
BLURRED = 0.5  # of the median sharpness: a window under this share of it is called blurred


def clock(seconds: float) -> str:
  """A moment as players show it, to tenths of a second: '1:02.5'."""
  tenths = round(10 * seconds)
  minutes, rest = divmod(tenths, 600)
  hours, minutes = divmod(minutes, 60)
  return f'{hours}:{minutes:02}:{rest / 10:04.1f}' if hours else f'{minutes}:{rest / 10:04.1f}'


def explain_verdict(document: Document) -> Iterator[str]:
  """Sentences on the verdict of a video."""
  verdict, people = document['verdict'], document['people']
  if verdict == 'none':
    yield f'The video could not be judged: {say(document["reason"])}.'
    return
  first = next(person for person in people if person['verdict'] == verdict and person['p_fake'] == document['p_fake'])
  top = max(first['windows'], key=lambda window: window['p_fake'])
  yield f'Person {first["id"]} has a score of {first["p_fake"]:.3f}. {_rule(document)}'
  if verdict == 'real':
    yield 'That is no proof that it is real: fakes of another kind than the model was trained on may look like this.'
  else:
    yield f'The highest window runs from {clock(top["start_s"])} to {clock(top["end_s"])}, with {top["p_fake"]:.3f}.'
  if verdict == 'fake':
    yield 'That is a lead, no proof: real videos are called fake at times. Check it by the other means below.'
  elif verdict == 'inconclusive':
    yield f'There is no verdict: {say(first["reason"])}.'
  if first['warnings']:
    yield f'It is worth less here: {"; ".join(first["warnings"])}.'


def say(reason: str) -> str:
  """A reason, 'NAME (details)', in words."""
  name, _, detail = reason.removesuffix(')').partition(' (')
  words = 'the score lies between the two limits, where a verdict would err too often'
  return words if name == 'between_limits' else f'{detail} ({name.replace("_", " ")})'


def _rule(document: Document) -> str:
  weights = document['weights']
  high, low, error = weights['fake_above'], weights['real_below'], weights['error']
  if error is None:
    return (
      f'A score above {high:.3f} is called fake; no limits were measured between which this model should be silent.'
    )
  return (
    f'A score above {high:.3f} is called fake, one below {low:.3f} is not. Among videos like those that these limits'
    f' were set by, at most about {error:.0%} of the real ones are called fake, and as many of the fakes real.'
  )


def speaks(document: Document, person: Document) -> tuple[list[str], list[str]]:
  """What speaks for a fake, and what against it, in the scores of a person."""
  weights, windows = document['weights'], person['windows']
  scores = np.array([window['p_fake'] for window in windows])
  sharpness = np.array([window['sharpness'] for window in windows])
  high, low, top = scores > weights['fake_above'], scores <= weights['real_below'], int(scores.argmax())
  first, last = _longest_run(high)
  for_it = [f'{_share(high)} above {weights["fake_above"]:.3f}.'] if high.any() else []
  if last > first:
    moments = f'{clock(windows[first]["start_s"])} to {clock(windows[last]["end_s"])}'
    for_it.append(f'{last - first + 1} of them follow one another, from {moments}.')
  against = [f'{_share(low)} at most {weights["real_below"]:.3f}.'] if low.any() else []
  if high.any() and sharpness[top] < BLURRED * np.median(sharpness):
    against.append(
      f'The highest window is blurred: sharpness {sharpness[top]:.0f}, {np.median(sharpness):.0f} as a rule.'
    )
  if high.sum() == 1 and len(windows) > 2:
    against.append('A single window is high: a moment of blur, motion or compression may do that.')
  against += [f'Scores mean less here: {warning}.' for warning in person['warnings']]
  return for_it or ['No window is high.'], against or ['No window is low.']


def limits(document: Document) -> list[str]:
  """How far to trust what is said of a video."""
  if document['verdict'] == 'none':
    return ['Nothing of this video has a score, which says nothing for it and nothing against it.']
  kinds = {kind for person in document['people'] for kind, found in person['evidence'].items() if found}
  looked = {'pixels': 'the pixels about the mouth', 'kinematics': 'the motion of the lips'}
  words = ' and '.join(looked[kind] for kind in sorted(kinds & looked.keys()))
  return [
    f'The score comes from {words}. The rest of the face and the picture, and the sound, have no part in it.',
    'A person here is a face between two cuts; the same person is another one after a cut.',
    'Each window has its own noise; limits are those of whole videos. The score is no probability that this video is'
    ' fake: that depends on how many such videos are, before one looks.',
    'Strong compression, filters, make-up, a hand or a microphone before the mouth, and cartoons mislead the model.',
  ]


def _share(flags: np.ndarray) -> str:
  """'1 of 4 windows is', '2 of 4 windows are'."""
  return f'{flags.sum()} of {len(flags)} windows {"is" if flags.sum() == 1 else "are"}'


def _longest_run(flags: np.ndarray) -> tuple[int, int]:
  """The first and the last position of the longest run of True; (0, -1) where there is none."""
  runs, position = [(0, -1)], 0
  for value, group in itertools.groupby(flags.tolist()):
    length = len(list(group))
    if value:
      runs.append((position, position + length - 1))
    position += length
  return max(runs, key=lambda run: run[1] - run[0])
