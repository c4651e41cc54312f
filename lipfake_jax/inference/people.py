"""The people of a video: a verdict or a reason for each, and what follows for the video.

In: the clips of all its faces, and p(fake) of each person. Out: a `Prediction` of the video. Used by `predict`.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from lipfake_jax.clips.clips import Clip
from lipfake_jax.inference.input_range import note_range

Prediction = dict[str, Any]  # 'p_fake', 'p_calibrated', 'verdict', 'reason', 'notes'; of a video 'people', too


def group_people(clips: Iterable[Clip]) -> list[list[Clip]]:
  """The clips of each face, in the order in which they were found."""
  by_track: dict[int, list[Clip]] = {}
  for clip in clips:
    by_track.setdefault(clip.track, []).append(clip)
  return list(by_track.values())


def judge_people(people: Sequence[Sequence[Clip]], p_fake: Iterable[float], judge: Callable) -> Prediction:
  """What is said of a video: the verdict of the person most like a fake, since one faked face makes a fake.

  Args:
    people: of `group_people`, at least one.
    p_fake: of each, or more of them: as many as there are people are taken.
    judge: from p(fake) to 'p_fake', 'p_calibrated' and 'verdict'.

  Returns:
    'p_fake', 'p_calibrated', 'verdict', 'reason' (None), 'notes', and 'people': each person's own, with an 'id' from 1
    on; those without a clip have a reason, and no verdict.
  """
  scores = zip(people, p_fake, strict=False)
  scored = [{**judge(score), 'reason': None, 'notes': note_range(person)} for person, score in scores]
  listed = [*scored, *({**reject(f'{reason} ({detail})')} for reason, detail in people[0][0].left_out)]
  worst = max(scored, key=lambda person: person['p_fake'])
  return {**worst, 'people': [{'id': number, **person} for number, person in enumerate(listed, 1)]}


def reject(reason: str) -> Prediction:
  """What is said of somebody, or of a video, that can't be scored."""
  return {'p_fake': None, 'p_calibrated': None, 'verdict': None, 'reason': reason, 'notes': []}


def prediction_lines(name: str, prediction: Prediction, width: int) -> list[str]:
  """A line of a table, and one for each face where there are several; notes in brackets."""
  lines = [_line(name, prediction, width)]
  people = prediction.get('people', [])
  return lines + [_line(f'  face {p["id"]}', p, width) for p in people if len(people) > 1]


def _line(name: str, prediction: Prediction, width: int) -> str:
  figure = '     -' if prediction['p_fake'] is None else f'{prediction["p_fake"]:6.3f}'
  notes = f' ({"; ".join(prediction["notes"])})' if prediction['notes'] else ''
  return f'{name:{width}}  {figure}  {prediction["verdict"] or "none: " + prediction["reason"]}{notes}'
