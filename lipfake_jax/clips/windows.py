"""Windows over a whole video: every face of it, all the time that it is seen.

In: an analysed video. Out: clips, some for each of its tracks, from the first moment to the last. Next stage: `looks`
keeps them on disk. A dataset's clips are the most active ones of a video; these leave nothing out, up to a limit.
"""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from lipfake_jax.clips import selection
from lipfake_jax.clips.analysis import Analysis, measure_activity
from lipfake_jax.clips.clips import Clip, cut_clip
from lipfake_jax.clips.face_track import Track
from lipfake_jax.clips.features import features_of
from lipfake_jax.clips.tracks import FORGET_S
from lipfake_jax.core.clip_spec import ClipSpec

WINDOW_S = 4.0  # of a window in which a rule other than 'contiguous' chooses its frames
MOST = 120  # windows a track; where that is not enough they are spread evenly over it


def cut_windows(
  analysis: Analysis, track: Track, spec: ClipSpec, most: int = MOST, step: int | None = None
) -> Iterator[Clip]:
  """The windows of a track, in time order, one clip each.

  Where the rule is 'contiguous' a window is as long as a clip: T moments in a row at the spec's rate. Otherwise it
  lasts WINDOW_S, or as long as T frames take, and the spec's rule chooses the T frames in it. Windows adjoin, and
  overlap as little as it takes to reach both ends; more than `most` are thinned out evenly. With a `step`, contiguous
  ones begin every so many moments of their stretch instead.
  """
  if spec.rule == 'contiguous':
    track, chosen = trust_estimates(track), _contiguous(track, spec, most, step)
  else:
    track, chosen = choose_within(analysis, track, _list_spans(track, spec, most), spec)
  for number, where in enumerate(chosen, 1):
    yield cut_clip(analysis, track, where, (), spec, f'{track.number}#{number}')


def spread(length: int, n: int, most: int, step: int | None = None) -> np.ndarray:
  """Where windows of n of `length` moments begin, int64 [N]: as many as it takes to cover all, at most `most`.

  None where there are fewer moments than n. With a `step` they begin every so many moments, from the first on.
  """
  if length < n:
    return np.zeros(0, np.int64)
  if step:
    starts = np.arange(0, length - n + 1, step)
    return starts[np.linspace(0, len(starts) - 1, min(len(starts), most)).round().astype(np.int64)]
  return np.linspace(0, length - n, min(-(-length // n), most)).round().astype(np.int64)


def find_next(track: Track, segment: int, began_s: float, spec: ClipSpec, closed: bool) -> tuple[np.ndarray, float]:
  """The next window of a face that is still being watched: windows adjoin, since nobody knows where its segment ends.

  The moments are those of `cut_windows`; after a pause the next window begins with the first moment that has a frame.

  Args:
    track: as far as it is known; its first frames may be gone.
    segment: of the window.
    began_s: its first moment, in seconds, if that has a frame.
    spec: what a clip is, with the rule 'contiguous'.
    closed: whether no further frame of the segment can come.

  Returns:
    Positions in the track, int64 [T], or none where the window is not decided yet; where the next one begins.
  """
  members = np.flatnonzero(track.segments == segment)
  if not len(members):
    return members, began_s
  nearest, late = selection.sample_moments(track.times, members, spec.rate, began_s)
  if not closed:  # of a moment after the last frame, the next frame may be nearer
    passed = began_s + np.arange(len(nearest)) / spec.rate <= track.times[members[-1]] + 1e-6
    nearest, late = nearest[passed], late[passed]
  start, n = 0, spec.frames
  while start + n <= len(late):
    pauses = np.flatnonzero(late[start : start + n])
    if not len(pauses):
      return nearest[start : start + n], began_s + (start + n) / spec.rate
    start += int(pauses[-1]) + 1
  return members[:0], began_s + start / spec.rate


def find_span(track: Track, began_s: float, spec: ClipSpec, closed: bool) -> np.ndarray:
  """Positions of the frames from `began_s` on among which another rule chooses, int64 [L]; none where they are too few.

  They last WINDOW_S, or as long as T frames take; of a face that is gone (`closed`) the rest will do, if it has T.
  """
  waiting = np.flatnonzero(track.times >= began_s)
  needed = max(spec.frames, round(WINDOW_S * track.rate)) if len(track) > 1 else spec.frames
  if len(waiting) >= needed:
    return waiting[:needed]
  return waiting if closed and len(waiting) >= spec.frames else waiting[:0]


def _contiguous(track: Track, spec: ClipSpec, most: int, step: int | None) -> list[np.ndarray]:
  """Positions in the track, int64 [T] each. Windows lie within a segment, and in none of its pauses."""
  segments = [
    selection.sample_moments(track.times, np.flatnonzero(track.segments == segment), spec.rate)
    for segment in np.unique(track.segments)
  ]
  total = sum(len(nearest) for nearest, _ in segments if len(nearest) >= spec.frames)
  windows = []
  for nearest, late in segments:
    share = max(1, most * len(nearest) // max(total, 1))  # of the limit, by length
    for start in spread(len(nearest), spec.frames, share, step):
      if not late[start : start + spec.frames].any():
        windows.append(nearest[start : start + spec.frames])
  return sorted(windows, key=lambda window: window[0])


def trust_estimates(track: Track) -> Track:
  """The track, of whose frames none is measured again: nothing hangs on the activity of contiguous ones."""
  return dataclasses.replace(track, measured=np.ones(len(track), bool))


def choose_within(
  analysis: Analysis, track: Track, spans: Sequence[np.ndarray], spec: ClipSpec
) -> tuple[Track, list[np.ndarray]]:
  """The frames that a rule other than 'contiguous' chooses among those of each span, positions int64 [L].

  Returns:
    The track with the activity that the rule asked for, and positions in it, int64 [T] each.
  """
  which = np.zeros(len(track), bool)
  for span in spans:
    which[span] |= not spec.screen or selection.find_doubtful(
      track.activity[span], spec.frames, spec.rule, spec.threshold, spec.below
    )
  track = measure_activity(analysis, track, spec, which)
  activity = np.where(track.measured, track.activity, 0) if spec.rule == 'top_k' else track.activity
  found = [
    span[selection.select_frames(activity[span], spec.frames, spec.rule, spec.threshold, spec.below)] for span in spans
  ]
  return track, [window for window in found if len(window)]


def _list_spans(track: Track, spec: ClipSpec, most: int) -> list[np.ndarray]:
  """Positions of the frames of each window among which a rule chooses, int64 [L]; none reaches across a leap."""
  leaps = (np.diff(track.segments) != 0) & (np.diff(track.times) > FORGET_S)
  runs = [run for run in np.split(np.arange(len(track)), np.flatnonzero(leaps) + 1) if len(run) >= spec.frames]
  total, spans = sum(map(len, runs)), []
  for run in runs:
    length = _window_length(track, len(run), spec)
    share = max(1, most * len(run) // total)  # of the limit, by length
    spans += [run[start : start + length] for start in spread(len(run), length, share)]
  return spans


def _window_length(track: Track, available: int, spec: ClipSpec) -> int:
  """Frames in a window; all that there are where a feature is one of the track, or where they are few."""
  if len(track) < 2 or any(feature.first < float('inf') for feature in features_of(spec)):
    return max(available, spec.frames)
  return max(spec.frames, min(round(WINDOW_S * track.rate), available))
