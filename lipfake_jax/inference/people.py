"""The people of a video: a verdict or a reason for each, and what follows for the video.

In: the clips of all its faces, and p(fake) of each person. Out: a `Prediction` of the video. Used by `predict`.
"""

from collections.abc import Callable, Iterable, Sequence

from lipfake_jax.clips.clips import Clip
from lipfake_jax.inference.input_range import note_range
from lipfake_jax.inference.predictions import Prediction


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
  unscored = [reject(f'{reason} ({detail})') for reason, detail in people[0][0].left_out]
  listed = [{'id': number, **person} for number, person in enumerate([*scored, *unscored], 1)]
  worst = max(scored, key=lambda person: person['p_fake'])
  several = [f'{len(listed)} faces'] if len(listed) > 1 else []
  return {**worst, 'notes': several + worst['notes'], 'people': listed}


def reject(reason: str) -> Prediction:
  """What is said of somebody, or of a video, that can't be scored."""
  return {'p_fake': None, 'p_calibrated': None, 'verdict': None, 'reason': reason, 'notes': []}
