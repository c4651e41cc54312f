"""The faces of a stream, window by window, while its frames come: a survey of something that may never end.

In: frames. Out: a `Glimpse` for each window of each face as soon as nothing that is yet to come can change it, and one
when a face is gone. Next stage: `inference.stream` scores the windows.

Faces are found, followed, smoothed and cut by the functions that look at files, which wait for no more than a few
frames and half a smoothing window: what a window shows is, bit by bit, what it would show in a file of these frames.
Of a face only the last seconds are kept.
"""

import dataclasses
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from lipfake_jax.clips import evidence
from lipfake_jax.clips.analysis import Analysis, TrackRecorder, record_faces
from lipfake_jax.clips.clips import IN_VIEW_S, Clip, cut_clip, explain_lack
from lipfake_jax.clips.face_track import Track
from lipfake_jax.clips.features import features_of
from lipfake_jax.clips.landmarks import FaceModels
from lipfake_jax.clips.recent import Recent
from lipfake_jax.clips.survey import Facts, describe_track
from lipfake_jax.clips.tracks import FORGET_S, find_faces
from lipfake_jax.clips.video import Frame, VideoInfo
from lipfake_jax.clips.windows import choose_within, find_next, find_span, trust_estimates
from lipfake_jax.core.clip_spec import ClipSpec
from lipfake_jax.core.errors import UserError

KNOWN_S = 5.0  # seconds of a face that its figures are of: how large, how turned, how active a mouth is
LOOKS = round(KNOWN_S / evidence.LOOK_S)


class Glimpse(NamedTuple):
  """A window of a face, or its end.

  Attributes:
    face: what is known of it, see `survey.describe_track`; of its last KNOWN_S seconds, but for 'from_s' and 'share'.
    clip: the window; None where the face is gone.
    last: index of the last frame of the window, or of the face.
  """

  face: Facts
  clip: Clip | None
  last: int


@dataclasses.dataclass
class _Face:
  """How far a face has come: its next window's segment and first moment; when it was seen, in how many frames."""

  segment: int
  began_s: float
  from_s: float
  last_s: float
  frames: int = 0
  shown: bool = False  # whether it has had a window


def check_spec(spec: ClipSpec) -> None:
  """Raises UserError where clips of a spec are of a face's whole time, which a stream does not wait for."""
  whole = [feature.name for feature in features_of(spec) if feature.first < float('inf')]
  if whole:
    raise UserError(
      f'these weights look at {", ".join(whole)}, which is of a face as a whole: use lipfake detect, or other weights'
    )


def watch_faces(frames: Iterable[Frame], info: VideoInfo, spec: ClipSpec, models: FaceModels) -> Iterator[Glimpse]:
  """Looks at frames as they come. Memory does not grow with their number.

  Windows follow one another: see `windows.find_next`, and `windows.find_span` where the rule is not 'contiguous'. A
  face is gone once it can't come back as the same, FORGET_S after it was seen, or where the frames end.

  Args:
    frames: of one source, in order; their indices skip those that were dropped.
    info: what the source says of itself.
    spec: what a clip is; one that `check_spec` takes.
    models: from `landmarks.open_face_models`.
  """
  spool, looks, n_frames = Recent(), {}, 0  # type: ignore[var-annotated]  # as `evidence.watch` says
  recorders: dict[int, TrackRecorder] = {}
  faces: dict[int, _Face] = {}

  def advance(number: int, now_s: float, gone: bool) -> Iterator[Glimpse]:
    """The windows of a face that are decided now; then forgets what no window needs any more, all where it is gone."""
    face, recorder = faces[number], recorders[number]
    track = recorder.finish(looks[number])
    analysis = Analysis(info, int(track.indices[-1] - track.indices[0]) + 1, now_s, [track], spool)
    for clip, last in _cut_windows(analysis, track, face, spec, gone):
      face.shown = True
      yield Glimpse(_describe(track, face, n_frames, evidence.find_fault(track, spec)), clip, last)
    if not gone:
      needed_s = min(face.began_s, now_s - KNOWN_S)
      unneeded = max(int(np.searchsorted(track.times, needed_s)) - 2, 0)  # the nearest, and one before it for the flow
      recorder.forget(unneeded)
      spool.forget(number, unneeded)
      del looks[number][:-LOOKS]
      return
    if face.shown or face.last_s - face.from_s >= IN_VIEW_S:
      fault = evidence.find_fault(track, spec) or explain_lack(analysis, [track], spec)
      yield Glimpse(_describe(track, face, n_frames, fault), None, int(track.indices[-1]))
    spool.forget(number)
    del faces[number], recorders[number], looks[number]

  seen = evidence.watch(find_faces(frames, models, spec.landmark_stride), looks)
  for frame, shown in record_faces(seen, spec, spool, recorders):
    n_frames += 1
    for number in shown:
      new = _Face(recorders[number].last[0], frame.time_s, frame.time_s, frame.time_s)
      face = faces.setdefault(number, new)
      face.frames, face.last_s = face.frames + 1, frame.time_s
    for number, face in list(faces.items()):
      gone = frame.time_s - face.last_s > FORGET_S
      if number in shown or gone:
        yield from advance(number, frame.time_s, gone)
  for number, face in list(faces.items()):
    yield from advance(number, face.last_s, gone=True)


def _cut_windows(
  analysis: Analysis, track: Track, face: _Face, spec: ClipSpec, gone: bool
) -> Iterator[tuple[Clip, int]]:
  """The clips of a face that are decided, each with the index of the last frame that it waited for."""
  if spec.rule == 'contiguous':
    for where in _find_contiguous(track, face, spec, gone):
      yield _cut(analysis, trust_estimates(track), where, spec), int(track.indices[where[-1]])
    return
  while len(span := find_span(track, face.began_s, spec, gone)):
    face.began_s = float(np.nextafter(track.times[span[-1]], np.inf))
    chosen, found = choose_within(analysis, track, [span], spec)
    for where in found:
      yield _cut(analysis, chosen, where, spec), int(track.indices[span[-1]])


def _find_contiguous(track: Track, face: _Face, spec: ClipSpec, gone: bool) -> Iterator[np.ndarray]:
  """Positions in the track, int64 [T] each, segment by segment."""
  while True:
    over = gone or face.segment != track.segments[-1]
    where, face.began_s = find_next(track, face.segment, face.began_s, spec, over)
    if len(where):
      yield where
      continue
    later = np.flatnonzero(track.segments > face.segment)
    if not len(later):
      return
    face.segment, face.began_s = int(track.segments[later[0]]), float(track.times[later[0]])


def _cut(analysis: Analysis, track: Track, where: np.ndarray, spec: ClipSpec) -> Clip:
  """The clip, with its times in double precision: a day's seconds in float32 are of no use."""
  clip = cut_clip(analysis, track, where, (), spec, f'{track.number}')
  return dataclasses.replace(clip, times=track.times[where])


def _describe(track: Track, face: _Face, n_frames: int, fault: evidence.Fault | None) -> Facts:
  return {**describe_track(track, n_frames, fault), 'from_s': face.from_s, 'share': face.frames / n_frames}
