"""What is seen in a video: its faces' tracks, how active each is, and what features need of every frame of them.

In: a path and a `ClipSpec`. Out: an `Analysis`. Next stage: `clips` chooses a track and its frames. What features need
lies in a `Spool`; only numbers are kept of each frame beside it.
"""

import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from lipfake_jax.clips import evidence, face_records, flow, placement, regions, tracks
from lipfake_jax.clips.ahead import run_ahead
from lipfake_jax.clips.face_track import Track
from lipfake_jax.clips.feature import FaceInFrame, Feature
from lipfake_jax.clips.features import features_of, pixels
from lipfake_jax.clips.landmarks import FaceModels
from lipfake_jax.clips.perturb import perturb
from lipfake_jax.clips.sound import Sound, read_sound
from lipfake_jax.clips.spool import Records, Spool
from lipfake_jax.clips.video import Frame, VideoInfo, probe, read_frames
from lipfake_jax.core.clip_spec import ClipSpec

# Half the window over which aligned placements are averaged, in seconds. Shorter, and the crop shakes with the
# landmarks' errors; longer, and it lags behind a nodding head.
SMOOTHING_S = {'aligned': 0.3, 'box': 0.0}
NORMAL_MOUTH, NORMAL_RATE = 64.0, 25.0  # normalised activity: pixels where the mouth is 64 wide, per 1/25 s
PIXELS = pixels.FEATURE.name
MEASURED = 'measured'  # in the spool: the crop that the flow is measured on, gray, where it is not the clip's

# What is noted of a face in a frame, see `Track`.
ROW = np.dtype(
  [
    ('index', 'i8'), ('time', 'f8'), ('segment', 'i8'), ('activity', 'f8'), ('lips_activity', 'f8'),
    ('placement', 'c16', 2), ('mouth_width', 'f8'), ('flow_side', 'f8'),
  ]
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Analysis:
  """All that was seen in a video: its tracks, and a spool with what features kept of their frames.

  `duration` is the time from the first frame to the last, in seconds: headers give it wrongly, or not at all; `ends_s`
  is the last one's on the video's clock. `sound` is None where no feature asks for it.
  """

  info: VideoInfo
  n_frames: int
  duration: float
  tracks: list[Track]
  spool: Records
  ends_s: float = 0.0
  sound: Sound | None = None


def analyse_video(path: Path, spec: ClipSpec, models: FaceModels, faces_cache: Path | None = None) -> Analysis:
  """Looks at every frame of a video: faces, crops and activity. Memory hardly grows with the video's length.

  Raises:
    VideoError: the file can't be read as a video.
  """
  info = probe(path)
  frames = perturb(read_frames(path), spec.perturbation, info.fps)
  sound = read_sound(path) if spec.sound else None
  if faces_cache and faces_cache.exists():
    return _analyse(info, tracks.replay_faces(frames, face_records.read(faces_cache)), spec, sound)
  return analyse_frames(info, frames, spec, models, faces_cache, sound)


def analyse_frames(
  info: VideoInfo,
  frames: Iterable[Frame],
  spec: ClipSpec,
  models: FaceModels,
  faces_cache: Path | None = None,
  sound: Sound | None = None,
  ahead: int = 0,
) -> Analysis:
  """`analyse_video` of frames that come from elsewhere, as they come; `info` is what their source says of itself.

  With `ahead`, frames are made, faces looked for in them, and crops cut, in a thread each, up to so many frames ahead.
  """
  seen = run_ahead(tracks.find_faces(run_ahead(frames, ahead), models, spec.landmark_stride), ahead)
  return _analyse(info, face_records.record(seen, faces_cache) if faces_cache else seen, spec, sound, ahead)


def measure_activity(analysis: Analysis, track: Track, spec: ClipSpec, which: np.ndarray) -> Track:
  """The track with the activity of some more of its frames measured in full; which ones: bool [T]."""
  activity, factor = track.activity.copy(), _normalising(track, spec)
  for i in np.flatnonzero(which & ~track.measured & track.follows):
    activity[i] = flow.flow_activity(*_read_grays(analysis.spool, track, np.array([i - 1, i]), spec)) * factor[i]
  return dataclasses.replace(track, activity=activity, measured=track.measured | which)


def _read_grays(spool: Records, track: Track, positions: np.ndarray, spec: ClipSpec) -> Iterable[np.ndarray]:
  """uint8 [S, S] each, the images that the flow is measured on."""
  if spec.measures_another_crop:
    return spool.read(MEASURED, track.number, positions)
  return map(flow.to_gray, spool.read(PIXELS, track.number, positions))


def record_faces(
  seen: Iterable[tracks.FrameFaces],
  spec: ClipSpec,
  spool: Records,
  recorders: dict[int, 'TrackRecorder'],
  ahead: int = 0,
) -> Iterator[tuple[Frame, set[int]]]:
  """Notes what clips need of every face in every frame, and passes frames on.

  Args:
    seen: from `tracks.find_faces`.
    spec: what a clip is.
    spool: where what features need is kept.
    recorders: of each track, by its number; those of new ones are added.
    ahead: of frames, see `analyse_frames`.

  Yields:
    Every frame, once the faces in it are noted, and the numbers of their tracks; as late as `tracks.place_faces` is.
  """
  before = None
  for frame, cuts in run_ahead(_cut_faces(seen, spec, spool, recorders), ahead):
    whole_activity = _compare_whole(before, frame) if spec.flow_on == 'frame' else 0.0
    for cut in cuts:
      recorders[cut.track].note(cut, frame, whole_activity)
    before = frame
    yield frame, {cut.track for cut in cuts}


@dataclasses.dataclass(frozen=True)
class _Cut:
  """A face in a frame whose crops are kept: its squares by region, and the crops that are compared, halved."""

  track: int
  segment: int
  squares: dict[str, np.ndarray]
  halved: dict[str, np.ndarray]


def _cut_faces(
  seen: Iterable[tracks.FrameFaces], spec: ClipSpec, spool: Records, recorders: dict[int, 'TrackRecorder']
) -> Iterator[tuple[Frame, list[_Cut]]]:
  """Places faces, and keeps what features need of them."""
  wanted = features_of(spec)
  names = {spec.region, 'lips', spec.flow_on, *(name for feature in wanted for name in feature.regions)} - {'frame'}
  order = sorted(names)  # in which their squares are followed; the mouth comes last

  def to_squares(landmarks: np.ndarray) -> np.ndarray:
    squares = [regions.place_region(landmarks, name, spec.alignment) for name in order]
    return np.stack([*squares, regions.span_mouth(landmarks)])

  for frame, faces in tracks.place_faces(seen, to_squares, regions.trace_lips, SMOOTHING_S[spec.alignment]):
    cuts = []
    for face in faces:
      recorder = recorders.setdefault(face.track, TrackRecorder(face.track, spec, wanted, spool))
      squares = dict(zip((*order, 'mouth'), face.placements, strict=True))
      halved = recorder.keep(FaceInFrame(frame, squares, face.lips))
      cuts.append(_Cut(face.track, face.segment, squares, halved))
    yield frame, cuts


def _analyse(
  info: VideoInfo, seen: Iterable[tracks.FrameFaces], spec: ClipSpec, sound: Sound | None, ahead: int = 0
) -> Analysis:
  spool, recorders, looks = Spool(), {}, {}  # type: ignore[var-annotated]  # as the functions that fill them say
  n_frames, began_s, ended_s = 0, 0.0, 0.0
  for frame, _ in record_faces(evidence.watch(seen, looks), spec, spool, recorders, ahead):
    began_s, ended_s = began_s if n_frames else frame.time_s, frame.time_s
    n_frames += 1
  found = [recorder.finish(looks[number]) for number, recorder in sorted(recorders.items())]
  return Analysis(info, n_frames, ended_s - began_s, found, spool, ended_s, sound)


def _compare_whole(before: Frame | None, frame: Frame) -> float:
  """Activity of a whole frame; 0 without one of its size before it."""
  if before is None or before.luma.shape != frame.luma.shape:
    return 0.0
  return flow.flow_activity(before.luma, frame.luma)


@dataclasses.dataclass
class TrackRecorder:
  """Writes down what is seen of one track while its frames pass by."""

  number: int
  spec: ClipSpec
  features: list[Feature]
  spool: Records
  kept: int = 0  # of how many frames there are records
  rows: bytearray = dataclasses.field(default_factory=bytearray)  # of ROW
  last: tuple[int, int] = (-1, -1)  # segment and index of the frame before
  halved: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)  # its regions' crops, gray, at half the size

  def keep(self, face: FaceInFrame) -> dict[str, np.ndarray]:
    """Puts into the spool what is needed of a frame later; returns the crops that are compared, see `_Cut`."""
    spec = self.spec
    kept = {f.name: f.keep(face, spec) for f in self.features if f.keep and self.kept < f.first}
    self.kept += 1
    grays = {spec.region: flow.to_gray(kept[PIXELS])}
    compared = {'lips', spec.flow_on} - {'frame'}
    for name in compared - {spec.region}:
      grays[name] = flow.to_gray(placement.cut(face.frame, face.squares[name], spec.size))
    if spec.measures_another_crop:
      kept[MEASURED] = grays[spec.flow_on]
    for name, record in kept.items():
      self.spool.append(name, self.number, record)
    return {name: flow.halve(grays[name]) for name in compared}

  def note(self, cut: _Cut, frame: Frame, whole_activity: float) -> None:
    """Adds the row of a frame whose records are kept."""
    spec, squares, activity = self.spec, cut.squares, {}  # with nothing to compare with, as after a cut, there is none
    if self.last == (cut.segment, frame.index - 1):
      activity = {name: flow.coarse_activity(self.halved[name], gray) for name, gray in cut.halved.items()}
      activity['frame'] = whole_activity
    self.last, self.halved = (cut.segment, frame.index), cut.halved
    moment = (frame.index, frame.time_s, cut.segment, activity.get(spec.flow_on, 0.0), activity.get('lips', 0.0))
    measured_on = squares[spec.region if spec.flow_on == 'frame' else spec.flow_on]
    sizes = (2 * abs(squares['mouth'][1]), 2 * abs(measured_on[1]))
    self.rows += np.array((*moment, squares[spec.region], *sizes), ROW).tobytes()

  def forget(self, count: int) -> None:
    """Drops its first rows, whose records the spool drops, too. No feature may be of a track's first frames."""
    del self.rows[: count * ROW.itemsize]

  def finish(self, looks: list[evidence.Look]) -> Track:
    """The track, as far as it is noted."""
    table = np.frombuffer(bytes(self.rows), ROW)
    track = Track(
      number=self.number,
      indices=table['index'],
      times=table['time'],
      segments=table['segment'],
      activity=table['activity'],
      measured=np.full(len(table), self.spec.flow_on == 'frame'),
      lips_activity=table['lips_activity'],
      placements=table['placement'],
      mouth_widths=table['mouth_width'],
      flow_sides=table['flow_side'],
      looks=np.array(looks, np.float32),
    )
    return dataclasses.replace(track, activity=track.activity * _normalising(track, self.spec))


def _normalising(track: Track, spec: ClipSpec) -> np.ndarray:
  """float64 [T]: what measured activity is multiplied by."""
  if not spec.normalise:
    return np.ones(len(track))
  crop_pixels = 1.0 if spec.flow_on == 'frame' else spec.size / track.flow_sides
  elapsed = np.diff(track.times, prepend=track.times[:1] - 1 / NORMAL_RATE)
  return NORMAL_MOUTH / np.maximum(track.mouth_widths * crop_pixels, 1e-6) / (NORMAL_RATE * elapsed)
