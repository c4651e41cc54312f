"""From a video file to its clips: decoding, faces, crops, activity and selection put together.

In: a path and a `ClipSpec`. Out: `Clip`s, or a `Rejection` with its reason. Next stage: `extraction` does this for many
videos at once and keeps what it finds.
"""

import array
import dataclasses
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import cv2
import numpy as np

from lipfake_jax import flow, placement, regions, selection, sightings, tracks
from lipfake_jax.errors import UserError
from lipfake_jax.landmarks import FaceModels
from lipfake_jax.video import Frame, VideoError, VideoInfo, probe, read_frames

REASONS = ('unreadable', 'no_face', 'too_short', 'too_few_active', 'timeout')
FLOW_ON = (*regions.REGIONS, 'frame')
FACES = ('largest', 'most_active_mouth', 'all')

# Half the window over which aligned placements are averaged, in seconds. Shorter, and the crop shakes with the
# landmarks' errors; longer, and it lags behind a nodding head.
SMOOTHING_S = {'aligned': 0.3, 'box': 0.0}
SPOOL_BYTES = 32 << 20  # crops of one video that are held in memory; the rest waits on disk
NORMAL_MOUTH, NORMAL_RATE = 64.0, 25.0  # normalised activity: pixels where the mouth is 64 wide, per 1/25 s


@dataclasses.dataclass(frozen=True)
class ClipSpec:
  """What a clip holds: everything that changes its bytes (PAPER section 2).

  Attributes:
    frames: frames in a clip, T.
    size: side of the square crop in pixels, S.
    region: what the crop shows: 'lips', 'lower_face' or 'face'.
    alignment: 'aligned' turns and scales the crop with the head; 'box' cuts around the landmarks (the paper's).
    rule: which frames are chosen: 'top_k', 'even', 'uniform' or 'contiguous', see `selection`.
    flow_on: the image whose activity counts: the crop of a region (at `size`), or the whole 'frame'.
    threshold: activity above which a frame is active, pixels of that image per frame.
    below: with fewer active frames than `frames`: 'fill' (ours) or 'drop' (the paper's).
    normalise: activity in pixels at a mouth width of 64, per 1/25 s, so that it means the same at any size and rate.
    faces: of several people, the 'largest' face, the 'most_active_mouth', or a clip each ('all').
    clips: windows a track, for 'contiguous'.
    rate: frames per second of 'contiguous'.
    landmark_stride: frames from one look at the landmarks to the next; 1 looks at each (exact, and slower).
    screen: measure the flow in full only where a look at half the size leaves doubt; False measures it everywhere.
  """

  frames: int = 60
  size: int = 64
  region: str = 'lips'
  alignment: str = 'aligned'
  rule: str = 'top_k'
  flow_on: str = 'lips'
  threshold: float = 1.0
  below: str = 'fill'
  normalise: bool = False
  faces: str = 'largest'
  clips: int = 1
  rate: float = 25.0
  landmark_stride: int = 3
  screen: bool = True

  def __post_init__(self):
    choices = {
      'region': regions.REGIONS,
      'alignment': regions.ALIGNMENTS,
      'rule': selection.RULES,
      'flow_on': FLOW_ON,
      'below': selection.BELOW,
      'faces': FACES,
    }
    for field, known in choices.items():
      if getattr(self, field) not in known:
        raise UserError(f'clip {field}={getattr(self, field)!r}: choose one of {", ".join(known)}')
    if self.frames < 1 or self.size < 8:
      raise UserError(f'clip frames={self.frames}, size={self.size}: at least 1 frame of 8 pixels is needed')
    if self.landmark_stride < 1 or self.clips < 1 or self.rate <= 0:
      raise UserError(
        f'clip landmark_stride={self.landmark_stride}, clips={self.clips}, rate={self.rate}: at least 1 each'
      )
    if self.clips > 1 and self.rule != 'contiguous':
      raise UserError(f"clip clips={self.clips}: several clips a video are cut by rule='contiguous' only")

  @property
  def measures_another_crop(self) -> bool:
    """Whether the flow is measured on a crop that is not the clip's."""
    return self.flow_on not in (self.region, 'frame')


# What clips are, under the names that datasets, configs and checkpoints use. The first is the default.
SPECS = {
  'flow_lips_60x64': ClipSpec(),
  'flow_lips_even_60x64': ClipSpec(rule='even'),
  'flow_lips_box_60x64': ClipSpec(alignment='box', landmark_stride=1),
  'flow_lower_face_60x64': ClipSpec(region='lower_face'),
  'uniform_face_60x64': ClipSpec(region='face', alignment='box', rule='uniform', landmark_stride=1),
  'uniform_lips_30x32': ClipSpec(frames=30, size=32, alignment='box', rule='uniform', landmark_stride=1),
  'contiguous_lips_60x64': ClipSpec(rule='contiguous'),
}


@dataclasses.dataclass(frozen=True)
class Clip:
  """The chosen frames of one face, in time order, and what is known of the video. T and S as in its spec.

  Attributes:
    frames: uint8 [T, S, S, 3], RGB crops.
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
    fps: the video's frames per second, as its header says.
    codec: its codec, as FFmpeg calls it.
    width, height: stored size of its frames in pixels.
    key: the clip's name, unique in its dataset.
  """

  frames: np.ndarray
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
  fps: float
  codec: str
  width: int
  height: int
  key: str


@dataclasses.dataclass(frozen=True)
class Rejection:
  """A video without a clip: the reason is one of REASONS, the detail is a sentence for people."""

  reason: str
  detail: str
  key: str


@dataclasses.dataclass(frozen=True)
class Track:
  """What was seen of one face, in the T frames that show it.

  Attributes:
    number: of the face in its video.
    indices, times, segments: int64 [T], float64 [T], int64 [T] of these frames.
    activity: float64 [T], pixels per frame; an estimate where `measured` is False.
    measured: bool [T].
    lips_activity: float64 [T], estimated on the lips, for figures on the video.
    placements: complex128 [T, 2], of the crop.
    mouth_widths: float64 [T], pixels of the frame.
    rows: int64 [T], where the crops lie in `Analysis.spool`.
  """

  number: int
  indices: np.ndarray
  times: np.ndarray
  segments: np.ndarray
  activity: np.ndarray
  measured: np.ndarray
  lips_activity: np.ndarray
  placements: np.ndarray
  mouth_widths: np.ndarray
  rows: np.ndarray

  def __len__(self) -> int:
    return len(self.indices)


@dataclasses.dataclass(frozen=True)
class Analysis:
  """All that was seen in a video: its tracks, and a file with the crops of all their frames."""

  info: VideoInfo
  n_frames: int
  tracks: list[Track]
  spool: IO[bytes]


def extract_clips(
  path: Path, spec: ClipSpec, models: FaceModels, key: str = '', sightings_cache: Path | None = None
) -> list[Clip] | Rejection:
  """Makes the clips of one video, or says why there is none. No file raises.

  Args:
    path: the video.
    spec: what a clip is.
    models: from `landmarks.open_face_models`; they serve any number of videos.
    key: its name in the dataset; the name of the file by default. Further clips of a video are `key#2`, `key#3`.
    sightings_cache: where the faces are kept that were found; those of an earlier spec are used again.
  """
  key = key or path.name
  try:
    analysis = analyse_video(path, spec, models, sightings_cache)
  except VideoError as error:
    return Rejection('unreadable', str(error), key)
  with analysis.spool:
    return cut_clips(analysis, spec, key)


def analyse_video(path: Path, spec: ClipSpec, models: FaceModels, sightings_cache: Path | None = None) -> Analysis:
  """Looks at every frame of a video: faces, crops and activity. Memory does not grow with the video's length.

  Raises:
    VideoError: the file can't be read as a video.
  """
  info = probe(path)
  frames = read_frames(path)
  if sightings_cache and sightings_cache.exists():
    return _analyse(info, tracks.replay_faces(frames, sightings.read(sightings_cache)), spec)
  seen = tracks.find_faces(frames, models, spec.landmark_stride)
  return _analyse(info, sightings.record(seen, sightings_cache) if sightings_cache else seen, spec)


def cut_clips(analysis: Analysis, spec: ClipSpec, key: str) -> list[Clip] | Rejection:
  """Chooses a face and its frames in an analysed video."""
  if not analysis.tracks:
    return Rejection('no_face', f'no face in any of its {analysis.n_frames} frames', key)
  longest = max(len(track) for track in analysis.tracks)
  if longest < spec.frames and spec.rule != 'contiguous':
    whose = 'a face' if len(analysis.tracks) == 1 else f'the same one of its {len(analysis.tracks)} faces'
    detail = f'{longest} of its {analysis.n_frames} frames show {whose}, {spec.frames} are needed'
    return Rejection('too_short', detail, key)
  chosen = [choice for track in analysis.tracks for choice in _choose(analysis, track, spec)]
  if not chosen:
    return _explain(analysis, spec, key)
  if spec.faces != 'all':
    best = max((track for track, _ in chosen), key=_PREFERENCE[spec.faces]).number
    chosen = [(track, where) for track, where in chosen if track.number == best]
  names = [key if number == 1 else f'{key}#{number}' for number in range(1, len(chosen) + 1)]
  return [_cut(analysis, track, where, spec, name) for (track, where), name in zip(chosen, names, strict=True)]


def measure_activity(analysis: Analysis, track: Track, spec: ClipSpec, which: np.ndarray) -> Track:
  """The track with the activity of some frames measured in full: bool [T]."""
  missing = np.flatnonzero(which & ~track.measured)
  activity, factor = track.activity.copy(), _normalising(track, spec)
  for i in missing:
    if i and _adjoins(track, i):
      pair = (_read_gray(analysis.spool, track.rows[j], spec) for j in (i - 1, i))
      activity[i] = flow.flow_activity(*pair) * factor[i]
  return dataclasses.replace(track, activity=activity, measured=track.measured | which)


# The face that a video's clip shows, if several have one. The largest: by area, summed over the frames that show it.
_PREFERENCE = {
  'largest': lambda track: float((np.abs(track.placements[:, 1]) ** 2).sum()),
  'most_active_mouth': lambda track: float(track.lips_activity.mean()),
}


def _analyse(info: VideoInfo, seen: Iterable[tracks.Seen], spec: ClipSpec) -> Analysis:
  # Regions in the order in which their placements are used: the crop, the measured image, the lips; then the mouth.
  names = (spec.region, spec.flow_on if spec.flow_on != 'frame' else spec.region, 'lips')

  def place(landmarks: np.ndarray) -> np.ndarray:
    found = {name: regions.place_region(landmarks, name, spec.alignment) for name in set(names)}
    return np.stack([*(found[name] for name in names), regions.span_mouth(landmarks)])

  spool = tempfile.SpooledTemporaryFile(SPOOL_BYTES)  # noqa: SIM115 - it outlives this function, in what it returns
  notes: dict[int, _Notes] = {}
  n_frames = n_rows = 0
  whole: tuple[int, np.ndarray] | None = None
  for frame, faces in tracks.follow(seen, place, SMOOTHING_S[spec.alignment]):
    n_frames += 1
    whole_activity = 0.0
    if spec.flow_on == 'frame':
      before, whole = whole, (frame.index, frame.luma)
      if before and before[1].shape == frame.luma.shape:
        whole_activity = flow.flow_activity(before[1], frame.luma)
    for face in faces:
      notes.setdefault(face.track, _Notes()).add(frame, face, n_rows, spool, spec, whole_activity)
      n_rows += 1
  found = [_to_track(number, note, spec) for number, note in sorted(notes.items())]
  return Analysis(info, n_frames, found, spool)


class _Notes:
  """What is written down of a track while its frames pass by."""

  COLUMNS = 10

  def __init__(self):
    self.table = array.array('d')
    self.last: tuple[int, int] = (-1, -1)  # segment and index
    self.halved: list[np.ndarray] = []  # of the last frame: the measured crop and the lips, at half the size

  def add(self, frame: Frame, face: tracks.Face, row: int, spool: IO[bytes], spec: ClipSpec, whole: float) -> None:
    crop = placement.cut(frame, face.placements[0], spec.size)
    spool.write(crop.tobytes())
    measured = flow.to_gray(crop)
    if spec.measures_another_crop:
      measured = flow.to_gray(placement.cut(frame, face.placements[1], spec.size))
      spool.write(measured.tobytes())
    halved = [flow.halve(measured)]
    if spec.flow_on != 'lips' and not (spec.flow_on == 'frame' and spec.region == 'lips'):
      halved.append(flow.halve(flow.to_gray(placement.cut(frame, face.placements[2], spec.size))))
    coarse = [0.0] * len(halved)
    if self.last == (face.segment, frame.index - 1):
      coarse = [flow.coarse_activity(*pair) for pair in zip(self.halved, halved, strict=True)]
    self.last, self.halved = (face.segment, frame.index), halved
    activity = whole if spec.flow_on == 'frame' else coarse[0]
    centre, half = face.placements[0]
    mouth = 2 * abs(face.placements[3, 1])
    moment = [frame.index, frame.time_s, face.segment, activity, coarse[-1], mouth, row]
    self.table.extend([*moment, centre.real, centre.imag, half.real, half.imag])


def _to_track(number: int, notes: _Notes, spec: ClipSpec) -> Track:
  table = np.frombuffer(notes.table).reshape(-1, 11)
  whole_numbers = table[:, [0, 2, 6]].astype(np.int64)
  track = Track(
    number=number,
    indices=whole_numbers[:, 0],
    times=table[:, 1],
    segments=whole_numbers[:, 1],
    activity=table[:, 3],
    measured=np.full(len(table), spec.flow_on == 'frame'),
    lips_activity=table[:, 4],
    placements=np.stack([table[:, 7] + 1j * table[:, 8], table[:, 9] + 1j * table[:, 10]], axis=1),
    mouth_widths=table[:, 5],
    rows=whole_numbers[:, 2],
  )
  return dataclasses.replace(track, activity=track.activity * _normalising(track, spec))


def _normalising(track: Track, spec: ClipSpec) -> np.ndarray:
  """float64 [T]: what measured activity is multiplied by."""
  if not spec.normalise:
    return np.ones(len(track))
  crop_pixels = 1.0 if spec.flow_on == 'frame' else spec.size / (2 * np.abs(track.placements[:, 1]))
  elapsed = np.diff(track.times, prepend=track.times[:1] - 1 / NORMAL_RATE)
  return NORMAL_MOUTH / np.maximum(track.mouth_widths * crop_pixels, 1e-6) / (NORMAL_RATE * elapsed)


def _adjoins(track: Track, i: int) -> bool:
  """Whether the frame before is the video's frame before, in one segment."""
  return bool(track.segments[i] == track.segments[i - 1] and track.indices[i] == track.indices[i - 1] + 1)


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
  # A frame that was not measured is none of the most active; it must not beat one that was.
  activity = np.where(track.measured, track.activity, np.minimum(track.activity, 0))
  chosen = selection.select_frames(activity, spec.frames, spec.rule, spec.threshold, spec.below)
  return [(track, chosen)] if len(chosen) else []


def _explain(analysis: Analysis, spec: ClipSpec, key: str) -> Rejection:
  if spec.rule == 'contiguous':
    seconds = spec.frames / spec.rate
    detail = f'no face is in view for {seconds:g} s without a break, {spec.frames} frames at {spec.rate:g} per second'
    return Rejection('too_short', detail, key)
  everywhere = [measure_activity(analysis, t, spec, np.ones(len(t), bool)) for t in analysis.tracks]
  active = max(int((track.activity > spec.threshold).sum()) for track in everywhere)
  return Rejection(
    'too_few_active', f'{active} frames over {spec.threshold} px per frame, {spec.frames} are needed', key
  )


def _cut(analysis: Analysis, track: Track, where: np.ndarray, spec: ClipSpec, key: str) -> Clip:
  asked = np.zeros(len(track), bool)
  asked[where] = True
  track = measure_activity(analysis, track, spec, asked)
  crops = np.stack([_read_crop(analysis.spool, row, spec) for row in track.rows[where]])
  sharpness = np.mean([cv2.Laplacian(flow.to_gray(crop), cv2.CV_64F).var() for crop in crops])
  times = track.times[where]
  return Clip(
    frames=crops,
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
    fps=analysis.info.fps,
    codec=analysis.info.codec,
    width=analysis.info.width,
    height=analysis.info.height,
    key=key,
  )


def _row_bytes(spec: ClipSpec) -> int:
  return spec.size**2 * (4 if spec.measures_another_crop else 3)


def _read_crop(spool: IO[bytes], row: int, spec: ClipSpec) -> np.ndarray:
  """uint8 [S, S, 3]."""
  spool.seek(int(row) * _row_bytes(spec))
  return np.frombuffer(spool.read(spec.size**2 * 3), np.uint8).reshape(spec.size, spec.size, 3)


def _read_gray(spool: IO[bytes], row: int, spec: ClipSpec) -> np.ndarray:
  """uint8 [S, S], the image that the flow is measured on."""
  if not spec.measures_another_crop:
    return flow.to_gray(_read_crop(spool, row, spec))
  spool.seek(int(row) * _row_bytes(spec) + spec.size**2 * 3)
  return np.frombuffer(spool.read(spec.size**2), np.uint8).reshape(spec.size, spec.size)
