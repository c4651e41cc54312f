"""The clips of a video: a track chosen, frames chosen in it, and what is known of them.

In: a path and a `ClipSpec`. Out: `Clip`s, or a `Rejection` with its reason. Next stage: `extraction` does this for many
videos at once and keeps what it finds.
"""

import contextlib
import dataclasses
import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from lipfake_jax.clips import evidence, flow, placement, selection
from lipfake_jax.clips.analysis import PIXELS, Analysis, analyse_video, measure_activity
from lipfake_jax.clips.face_track import Track
from lipfake_jax.clips.feature import ChosenFrames
from lipfake_jax.clips.features import FEATURES, features_of
from lipfake_jax.clips.landmarks import FaceModels
from lipfake_jax.clips.video import VideoError
from lipfake_jax.core.clip_spec import ClipSpec

IN_VIEW_S = 0.5  # a face that is seen for less, as for a frame at a cut, is no person in view


@dataclasses.dataclass(frozen=True)
class Clip:
  """The chosen frames of one face, in time order, and what is known of the video. T and S as in its spec.

  Attributes:
    features: what models can be fed with, by name, see `features`: 'clip' uint8 [T, S, S, 3], RGB crops, 'lips' float32
      [T, K, 2], and others that the spec asks for.
    indices: int32 [T], positions of the frames in the video, ascending.
    times: float32 [T], seconds.
    gaps: float32 [T], seconds since the chosen frame before; 0 for the first.
    activity: float32 [T], pixels per frame, see `ClipSpec.normalise`; 0 without a frame before to compare with.
    boxes: float32 [T, 4], the crop's square in the frame before its turn: left, top, right, bottom in pixels.
    angles: float32 [T], the square's turn in degrees, clockwise as seen.
    track: number of the face in its video.
    face_share: share of the video's frames that show this face.
    mouth_width: median width of the mouth in pixels of the frame.
    sharpness: mean over the crops of the variance of their Laplacian, gray levels squared.
    mean_activity: mean over all frames with this face of the activity of its lips, px per frame, estimated.
    duration: seconds from the video's first frame to its last.
    fps: the video's frames per second, as its header says.
    codec: its codec, as FFmpeg calls it.
    width, height: stored size of its frames in pixels.
    key: the clip's name, unique in its dataset.
    rate: frames per second, measured, of those that show this face.
    hidden_share: share of the looks at this face that show no mouth, see `evidence`.
    left_out: str [P, 2], of each other face of the video that gave no clip the reason, one of REASONS, and a sentence.
  """

  features: dict[str, np.ndarray]
  indices: np.ndarray
  times: np.ndarray
  gaps: np.ndarray
  activity: np.ndarray
  boxes: np.ndarray
  angles: np.ndarray
  track: int
  face_share: float
  mouth_width: float
  sharpness: float
  mean_activity: float
  duration: float
  fps: float
  codec: str
  width: int
  height: int
  key: str
  rate: float
  hidden_share: float
  left_out: np.ndarray

  @property
  def frames(self) -> np.ndarray:
    """RGB uint8 [T, S, S, 3]."""
    return self.features[PIXELS]


@dataclasses.dataclass(frozen=True)
class Rejection:
  """A video without a clip: the reason is one of REASONS, the detail is a sentence for people.

  `passing` where the cause lies outside of the video's content (a permission, memory, time), and may be gone tomorrow.
  """

  reason: str
  detail: str
  key: str
  passing: bool = False


def to_fields(found: Clip | Rejection) -> dict[str, Any]:
  """All that is stored of a clip or of a rejection, flat; not its key, which is the video's place."""
  fields = {name: value for name, value in vars(found).items() if name != 'key'}
  return {**fields.pop('features', {}), **fields}


def to_clip(fields: Mapping[str, Any], key: str) -> Clip:
  """The clip of which `to_fields` made these."""
  features = {name: value for name, value in fields.items() if name in FEATURES}
  return Clip(features, key=key, **{name: value for name, value in fields.items() if name not in FEATURES})


def extract_clips(
  path: Path, spec: ClipSpec, models: FaceModels, key: str = '', faces_cache: Path | None = None
) -> list[Clip] | Rejection:
  """Makes the clips of one video, or says why there is none. No file raises.

  Args:
    path: the video.
    spec: what a clip is.
    models: from `landmarks.open_face_models`; they serve any number of videos.
    key: its name in the dataset; the name of the file by default. Further clips of a video are `key#2`, `key#3`.
    faces_cache: where the faces are kept that were found; those of an earlier spec are used again.
  """
  key = key or path.name
  try:
    analysis = analyse_video(path, spec, models, faces_cache)
  except VideoError as error:
    return Rejection('unreadable', str(error), key, isinstance(error.__cause__, OSError | MemoryError))
  with contextlib.closing(analysis.spool):
    return cut_clips(analysis, spec, key)


def cut_clips(analysis: Analysis, spec: ClipSpec, key: str) -> list[Clip] | Rejection:
  """Chooses a face and its frames in an analysed video."""
  if not analysis.tracks:
    return Rejection('no_face', f'no face in any of its {analysis.n_frames} frames', key)
  longest = max(len(track) for track in analysis.tracks)
  if longest < spec.frames and spec.rule != 'contiguous':
    whose = 'a face' if len(analysis.tracks) == 1 else f'one face without a break ({len(analysis.tracks)} tracks)'
    detail = f'{longest} of its {analysis.n_frames} frames show {whose}, {spec.frames} are needed'
    return Rejection('too_short', detail, key)
  faults = {track.number: evidence.find_fault(track, spec) for track in analysis.tracks}
  sound = [track for track in analysis.tracks if not faults[track.number]]
  chosen = [choice for track in sound for choice in _choose(analysis, track, spec)]
  if not chosen:
    largest = max(analysis.tracks, key=_PREFERENCE['largest'])
    return Rejection(*(faults[largest.number] or explain_lack(analysis, sound, spec)), key)
  with_clip = {track.number for track, _ in chosen}
  others = [track for track in analysis.tracks if track.number not in with_clip and np.ptp(track.times) >= IN_VIEW_S]
  left_out = [_name_other(track, faults[track.number] or explain_lack(analysis, [track], spec)) for track in others]
  if spec.faces != 'all':
    best = max((track for track, _ in chosen), key=_PREFERENCE[spec.faces]).number
    chosen = [(track, where) for track, where in chosen if track.number == best]
  names = [key if number == 1 else f'{key}#{number}' for number in range(1, len(chosen) + 1)]
  return [
    cut_clip(analysis, track, where, left_out, spec, name) for (track, where), name in zip(chosen, names, strict=True)
  ]


# The face that a video's clip shows, if several have one. The largest: by area, summed over the frames that show it.
_PREFERENCE = {
  'largest': lambda track: float((np.abs(track.placements[:, 1]) ** 2).sum()),
  'most_active_mouth': lambda track: float(track.lips_activity.mean()),
}


def _choose(analysis: Analysis, track: Track, spec: ClipSpec) -> list[tuple[Track, np.ndarray]]:
  """The track and the positions in it, int64 [T], of each clip that it gives: none, one, or several windows."""
  if spec.rule == 'contiguous':
    windows = selection.select_windows(track.times, track.segments, track.activity, spec.frames, spec.rate, spec.clips)
    return [(track, window) for window in windows]
  if spec.screen:
    which = selection.find_doubtful(track.activity, spec.frames, spec.rule, spec.threshold, spec.below)
  else:
    which = np.ones(len(track), bool)
  track = measure_activity(analysis, track, spec, which)
  activity = track.activity
  if spec.rule == 'top_k':  # a frame that was not measured is none of the most active, and must not beat one that was
    activity = np.where(track.measured, activity, 0)
  chosen = selection.select_frames(activity, spec.frames, spec.rule, spec.threshold, spec.below)
  return [(track, chosen)] if len(chosen) else []


def explain_lack(analysis: Analysis, among: list[Track], spec: ClipSpec) -> evidence.Fault:
  """Why none of these tracks gives a clip, though nothing is wrong with what they show."""
  if spec.rule == 'contiguous':
    seconds = spec.frames / spec.rate
    return (
      'too_short',
      f'no face is in view for {seconds:g} s without a break, {spec.frames} frames at {spec.rate:g} per second',
    )
  longest = max(len(track) for track in among)
  if longest < spec.frames:
    return 'too_short', f'{longest} frames show it, {spec.frames} are needed'
  everywhere = [measure_activity(analysis, t, spec, np.ones(len(t), bool)) for t in among]
  active = max(int((track.activity > spec.threshold).sum()) for track in everywhere)
  return 'too_few_active', f'{active} frames over {spec.threshold} px per frame, {spec.frames} are needed'


def _name_other(track: Track, fault: evidence.Fault) -> evidence.Fault:
  reason, detail = fault
  return reason, f'{detail}; in view from {track.times[0]:.1f} to {track.times[-1]:.1f} s'


def cut_clip(
  analysis: Analysis, track: Track, where: np.ndarray, left_out: Sequence[evidence.Fault], spec: ClipSpec, key: str
) -> Clip:
  """The clip of the frames at the positions `where` of a track, int64 [T]; their activity is measured in full.

  `left_out` are the faults of the video's other faces.
  """
  asked = np.zeros(len(track), bool)
  asked[where] = True
  track = measure_activity(analysis, track, spec, asked)
  features = {}
  for feature in features_of(spec):
    read = functools.partial(analysis.spool.read, feature.name, track.number)
    features[feature.name] = feature.measure(ChosenFrames(track, where, read, analysis.sound, analysis.ends_s), spec)
  sharpness = np.mean([cv2.Laplacian(flow.to_gray(crop), cv2.CV_64F).var() for crop in features[PIXELS]])
  times = track.times[where]
  return Clip(
    features=features,
    indices=track.indices[where].astype(np.int32),
    times=times.astype(np.float32),
    gaps=np.diff(times, prepend=times[:1]).astype(np.float32),
    activity=track.activity[where].astype(np.float32),
    boxes=placement.to_box(track.placements[where]),
    angles=np.degrees(np.angle(track.placements[where, 1])).astype(np.float32),
    track=track.number,
    face_share=len(track) / analysis.n_frames,
    mouth_width=float(np.median(track.mouth_widths)),
    sharpness=float(sharpness),
    mean_activity=float(track.lips_activity.mean()),
    duration=analysis.duration,
    fps=analysis.info.fps,
    codec=analysis.info.codec,
    width=analysis.info.width,
    height=analysis.info.height,
    key=key,
    rate=track.rate,
    hidden_share=evidence.share_hidden(track),
    left_out=np.array(left_out, str).reshape(-1, 2),
  )
